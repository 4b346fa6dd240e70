"""What a plate read meets: a table of lanes and plates, arrivals that repeat, and what never lifts a barrier."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.instants import instant
from rules.access.plates import (
    GRANTED_LIMIT,
    OTHERS_LIMIT,
    LaneDecision,
    LanePolicy,
    PlateSight,
    RecentRead,
    decide_plate,
    remembered,
)
from rules.reasons import reason
from tests.rules.people import BLOCKED_PLATE, HOLDER, LOBBY, NIGHT, NOON, OFFICE, PARKING, PLATE, index

ENTRY = LanePolicy("gate-in", "in", visitors="admit")
EXIT = LanePolicy("gate-out", "out", visitors="admit")
ASKING, REFUSING = replace(ENTRY, visitors="ask"), replace(ENTRY, visitors="refuse")
ASKING_OUT = replace(EXIT, visitors="ask")
RESIDENT, STRANGER, BLOCKED = PlateSight("沪A12345"), PlateSight("苏E0Q7X5"), PlateSight("粤B88888")
DOUBTFUL = replace(RESIDENT, confidence=0.62)
PAST = instant(NOON - 1)
STORED = reason("replayed")


def changed(item: Any, **fields: Any) -> Any:
    return msgspec.structs.replace(item, **fields)


WHOLE = [HOLDER, PLATE, PARKING, BLOCKED_PLATE]
NO_GRANT = [HOLDER, PLATE, LOBBY]
HOURS = [HOLDER, PLATE, OFFICE, changed(PARKING, schedule="office")]
REVOKED = [HOLDER, changed(PLATE, state="revoked"), PARKING]
EXPIRED = [HOLDER, changed(PLATE, valid_to=PAST), PARKING]

Case = tuple[str, list[msgspec.Struct], LanePolicy, PlateSight, int, str, str, str]
CASES: list[Case] = [
    # name, items, lane, read, now, outcome, rule, code
    ("resident in", WHOLE, ENTRY, RESIDENT, NOON, "granted", "g-2", "granted"),
    ("resident in, read with a dot", WHOLE, ENTRY, PlateSight("沪a·12345"), NOON, "granted", "g-2", "granted"),
    ("one character away", WHOLE, REFUSING, PlateSight("沪A12346"), NOON, "denied", "visitor", "visitor_refused"),
    ("blocked in", WHOLE, ENTRY, BLOCKED, NOON, "denied", "block:b-1", "blocked_plate"),
    ("blocked out", WHOLE, EXIT, BLOCKED, NOON, "denied", "block:b-1", "blocked_plate"),
    ("visitor admitted", WHOLE, ENTRY, STRANGER, NOON, "granted", "visitor", "visitor_admitted"),
    ("visitor asked about", WHOLE, ASKING, STRANGER, NOON, "denied", "visitor", "visitor_ask"),
    ("visitor refused", WHOLE, REFUSING, STRANGER, NOON, "denied", "visitor", "visitor_refused"),
    ("visitor out", WHOLE, EXIT, STRANGER, NOON, "granted", "visitor", "exit_visitor"),
    ("visitor out, asked about", WHOLE, ASKING_OUT, STRANGER, NOON, "denied", "visitor", "visitor_ask"),
    ("resident without a parking grant", NO_GRANT, ENTRY, RESIDENT, NOON, "granted", "visitor", "visitor_admitted"),
    ("… where visitors are asked about", NO_GRANT, ASKING, RESIDENT, NOON, "denied", "visitor", "visitor_ask"),
    ("outside hours in", HOURS, ENTRY, RESIDENT, NIGHT, "denied", "g-2", "outside_hours"),
    ("outside hours out", HOURS, EXIT, RESIDENT, NIGHT, "granted", "exit", "exit_registered"),
    ("revoked in", REVOKED, ENTRY, RESIDENT, NOON, "denied", "credential:c-2", "revoked"),
    ("revoked out", REVOKED, EXIT, RESIDENT, NOON, "denied", "credential:c-2", "revoked"),
    ("expired in", EXPIRED, ENTRY, RESIDENT, NOON, "denied", "credential:c-2", "expired"),
    ("expired out: nobody is kept inside", EXPIRED, EXIT, RESIDENT, NOON, "granted", "exit", "exit_registered"),
    ("no plate", WHOLE, ENTRY, PlateSight("_无_"), NOON, "denied", "no-plate", "no_plate"),
    ("an empty plate", WHOLE, ENTRY, PlateSight(""), NOON, "denied", "no-plate", "no_plate"),
    ("read badly", WHOLE, ENTRY, DOUBTFUL, NOON, "denied", "low-confidence", "low_confidence"),
    ("read just well enough", WHOLE, ENTRY, replace(RESIDENT, confidence=0.8), NOON, "granted", "g-2", "granted"),
    ("stored by the camera", WHOLE, ENTRY, replace(RESIDENT, replayed=STORED), NOON, "ignored", "replayed", "replayed"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_a_case(case: Case) -> None:
    _, items, lane, sight, now, outcome, rule, code = case
    decision = decide_plate(index(*items), lane, sight, (), now)
    assert (decision.outcome, decision.rule, decision.reason.code) == (outcome, rule, code)
    assert decision.granted is (outcome == "granted")


@pytest.mark.parametrize(
    ("items", "lane", "sight", "zh"),
    [
        (WHOLE, ENTRY, BLOCKED, "黑名单车辆：多次冲闸"),
        (WHOLE, ASKING, STRANGER, "临停车，请核对后放行"),
        (WHOLE, ENTRY, PlateSight("沪A12345", confidence=0.629), "识别可信度低（62%），请核对车牌"),
        (WHOLE, ENTRY, PlateSight("_无_"), "未识别到车牌，请人工处理"),
    ],
)
def test_what_a_guard_reads(items: list[msgspec.Struct], lane: LanePolicy, sight: PlateSight, zh: str) -> None:
    assert decide_plate(index(*items), lane, sight, (), NOON).reason.zh == zh


def test_the_holder_is_named() -> None:
    assert decide_plate(index(*WHOLE), ENTRY, RESIDENT, (), NOON).holder == "h-1"
    assert decide_plate(index(*NO_GRANT), ENTRY, RESIDENT, (), NOON).holder == "h-1"
    assert decide_plate(index(*WHOLE), ENTRY, STRANGER, (), NOON).holder is None


class Lane:
    """Plays reads into one lane, as the gateway does."""

    def __init__(self, policy: LanePolicy = ENTRY) -> None:
        self.policy = policy
        self.recent: tuple[RecentRead, ...] = ()

    def read(self, at_s: float, **sight: Any) -> LaneDecision:
        seen, now = PlateSight(**sight), NOON + round(at_s * 1000)
        decision = decide_plate(index(*WHOLE), self.policy, seen, self.recent, now)
        self.recent = remembered(self.recent, self.policy, seen, decision, now)
        return decision


def outcomes(*reads: tuple[float, dict[str, Any]]) -> list[str]:
    lane = Lane()
    return [lane.read(at, **sight).rule for at, sight in reads]


def test_the_same_car_read_again_is_one_arrival() -> None:
    plate = {"plate": "沪A12345"}
    assert outcomes((0, plate), (3, plate), (9.9, plate), (10, plate)) == ["g-2", "repeated", "repeated", "g-2"]


def test_the_same_read_sent_again_is_no_arrival_even_later() -> None:
    read = {"plate": "沪A12345", "plate_id": "21085"}
    assert outcomes((0, read), (60, read)) == ["g-2", "repeated"]
    # After a reboot the camera counts from the start: its number is another car's.
    assert outcomes((0, read), (601, read | {"plate": "苏E0Q7X5"})) == ["g-2", "visitor"]
    # Where a camera gives no time, nothing but this number says that it is the same read.
    assert outcomes((0, read), (601, read), (86_399, read), (86_401, read)) == ["g-2", "repeated", "repeated", "g-2"]
    # Where it does, the time says it (`rules.access.freshness`).
    stamped = read | {"stamped": True}
    assert outcomes((0, stamped), (599, stamped), (601, stamped)) == ["g-2", "repeated", "g-2"]


def test_two_cars_close_together_are_two_arrivals() -> None:
    assert outcomes((0, {"plate": "沪A12345"}), (1, {"plate": "苏E0Q7X5"})) == ["g-2", "visitor"]


def test_a_camera_that_becomes_sure_is_believed() -> None:
    doubtful, sure = {"plate": "沪A12345", "confidence": 0.5}, {"plate": "沪A12345", "confidence": 0.95}
    assert outcomes((0, doubtful), (1, doubtful), (2, sure), (3, sure), (4, doubtful)) == [
        "low-confidence",
        "repeated",
        "g-2",
        "repeated",
        "repeated",
    ]


def test_a_car_without_a_plate_is_told_once() -> None:
    nothing = {"plate": "_无_"}
    assert outcomes((0, nothing), (2, {"plate": ""}), (15, nothing)) == ["no-plate", "repeated", "no-plate"]


def test_a_replayed_read_hides_no_arrival() -> None:
    assert outcomes((0, {"plate": "沪A12345", "replayed": STORED}), (1, {"plate": "沪A12345"})) == ["replayed", "g-2"]


def test_an_arrival_hides_no_read_of_another_time() -> None:
    read = {"plate": "沪A12345", "plate_id": "1"}
    assert outcomes((0, read), (1, {"plate": "沪A12345", "plate_id": "0", "replayed": STORED})) == ["g-2", "replayed"]
    # The same read as a stored one: the camera never heard that it was taken.
    assert outcomes((0, read), (1, read | {"replayed": STORED})) == ["g-2", "repeated"]


@pytest.mark.parametrize("policy", [ENTRY, ASKING], ids=["visitors are admitted", "visitors are asked about"])
def test_what_a_lane_remembers_is_bounded(policy: LanePolicy) -> None:
    lane = Lane(policy)
    for number in range(GRANTED_LIMIT + OTHERS_LIMIT + 9):
        lane.read(number * 0.01, plate=f"沪A{number:05}", plate_id=str(number))
    assert len(lane.recent) == (GRANTED_LIMIT if policy is ENTRY else OTHERS_LIMIT)


@pytest.mark.parametrize(
    "nonsense",
    [{"confidence": 0.1}, {"plate": ""}, {"plate": "粤B88888"}, {"replayed": STORED}],
    ids=["doubtful", "no plate", "blocked", "of another time"],
)
def test_no_number_of_other_reads_makes_a_lane_forget_whom_it_let_in(nonsense: dict[str, Any]) -> None:
    lane, read = Lane(), {"plate": "沪A12345", "plate_id": "21085"}
    assert lane.read(0, **read).granted
    for number in range(OTHERS_LIMIT * 3):
        lane.read(1 + number, **({"plate": f"苏E{number:05}"} | nonsense), plate_id=f"x{number}")
    assert lane.read(500, **read).rule == "repeated"


def test_a_time_that_was_corrected_since_forgets_what_would_be_to_come() -> None:
    lane, read = Lane(), {"plate": "沪A12345", "plate_id": "21085"}
    assert lane.read(3600, **read).granted
    assert lane.read(0, **read).granted


sights = st.builds(
    PlateSight,
    plate=st.sampled_from(["沪A12345", "沪A·12345", "粤B88888", "苏E0Q7X5", "", "_无_"]),
    plate_id=st.sampled_from(["", "1", "2"]),
    confidence=st.sampled_from([0.0, 0.5, 0.79, 0.8, 1.0]),
    replayed=st.sampled_from([None, STORED]),
    stamped=st.booleans(),
)
lanes = st.builds(
    LanePolicy,
    lane=st.sampled_from(["gate-in", "gate-out"]),
    direction=st.sampled_from(["in", "out"]),
    visitors=st.sampled_from(["admit", "ask", "refuse"]),
)


@given(lanes, st.lists(st.tuples(st.floats(0, 30), sights), max_size=20))
def test_what_never_lifts_a_barrier(policy: LanePolicy, reads: list[tuple[float, PlateSight]]) -> None:
    lane = Lane(policy)
    granted: dict[str, float] = {}
    for at, sight in sorted(reads, key=lambda read: read[0]):
        decision = lane.read(at, **{name: getattr(sight, name) for name in PlateSight.__slots__})
        if not decision.granted:
            continue
        assert sight.replayed is None
        assert sight.confidence >= policy.confidence
        assert decision.plate not in {"", "粤B88888"}
        # The same plate lifts it at most once within `repeat_s`.
        assert round(at * 1000) - granted.get(decision.plate, -1e9) >= policy.repeat_s * 1000
        granted[decision.plate] = round(at * 1000)
