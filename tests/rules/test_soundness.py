"""Flows that could not be worked by, each with where it is said and what was expected."""

from __future__ import annotations

import pytest
from hypothesis import given

from rules.tickets.kinds import Class, Kind, Who, WorkField, WorkState
from rules.tickets.soundness import flaws
from tests.rules.kinds import SHIPPED, a_kind, a_step, drawn_kinds, named

WORK: dict[str, Class] = {"new": "open", "at": "doing", "ready": "checking", "end": "ended"}
NOBODY: frozenset[Who] = frozenset()
EXECUTOR: frozenset[Who] = frozenset({"executor"})
REQUESTER: frozenset[Who] = frozenset({"requester"})

TAKE = a_step("take", "new", "at", does=frozenset({"assign"}))
READY = a_step("ready", "at", "ready", who=EXECUTOR)
GOOD = a_step("good", "ready", "end")
BACK = a_step("back", "ready", "at", who=NOBODY, on="device_faulty")
CLOSE = a_step("close", "ready", "end", who=NOBODY, on="device_well")

WHY = {"why": WorkField("why", named("why"), "text", required=True)}
UNTIL = {"until": WorkField("until", named("until"), "date")}

BROKEN = {
    "an unreachable state": a_kind({**WORK, "lost": "doing"}, TAKE, READY, GOOD),
    "nobody's step": a_kind(WORK, TAKE, READY, GOOD, a_step("x", "at", "new", who=NOBODY)),
    "the executor alone may accept": a_kind(WORK, TAKE, READY, GOOD, a_step("own", "ready", "end", who=EXECUTOR)),
    "never whom it is for": a_kind(
        WORK, TAKE, READY, GOOD, a_step("x", "ready", "at", who=REQUESTER, never=frozenset({"requester"}))
    ),
    "no way out": a_kind(
        {**WORK, "hole": "waiting"}, TAKE, READY, GOOD, a_step("fall", "at", "hole", asks=("until",)), fields=UNTIL
    ),
    "stuck when nobody has it": a_kind(WORK, a_step("take", "new", "at"), READY, GOOD),
    "stuck without a device": a_kind(WORK, TAKE, READY, CLOSE, BACK, origins=frozenset({"gateway", "people"})),
    "a fault that comes back": a_kind(WORK, TAKE, READY, GOOD, origins=frozenset({"gateway"})),
    "a required field that no step asks": a_kind(WORK, TAKE, READY, GOOD, fields=WHY),
    "a required field that a way goes round": a_kind(
        WORK,
        TAKE,
        a_step("ready", "at", "ready", who=EXECUTOR, asks=("why",)),
        GOOD,
        a_step("skip", "at", "end"),
        fields=WHY,
    ),
    "no end at all": a_kind({"new": "open", "at": "doing"}, a_step("go", "new", "at")),
    "begins in the middle": a_kind({"at": "doing", "end": "ended"}, a_step("go", "at", "end")),
    "waits for ever": a_kind(
        {**WORK, "hold": "waiting"}, TAKE, READY, GOOD, a_step("hold", "at", "hold"), a_step("on", "hold", "at")
    ),
    "takes and gives at once": a_kind(
        WORK, a_step("take", "new", "at", does=frozenset({"assign", "release"})), READY, GOOD
    ),
    "the hub cannot fill in": a_kind(
        WORK, TAKE, READY, GOOD, a_step("own", "at", "ready", who=NOBODY, on="parts_ended", says="must")
    ),
}


@pytest.mark.parametrize(
    ("name", "place", "words"),
    [
        ("an unreachable state", "states.lost", "no step ever leads"),
        ("nobody's step", "steps.x.who", "whose step"),
        ("the executor alone may accept", "steps.own.who", "never accepts"),
        ("never whom it is for", "steps.x.who", "nobody can ever take"),
        ("no way out", "states.hole", "no end can be reached"),
        ("stuck when nobody has it", "states.at", "nobody has it"),
        ("stuck without a device", "states.ready", "no device vouches"),
        ("a fault that comes back", "states.ready", "comes back"),
        ("a required field that no step asks", "fields.why", "never asks"),
        ("a required field that a way goes round", "fields.why", "never asks"),
        ("no end at all", "states", "class `ended`"),
        ("begins in the middle", "start", "class `open`"),
        ("waits for ever", "steps.hold.asks", "until when"),
        ("takes and gives at once", "steps.take.does", "exclude each other"),
        ("the hub cannot fill in", "steps.own.on", "asks for nothing"),
    ],
)
def test_what_is_wrong_is_said_where_it_stands(name: str, place: str, words: str) -> None:
    told = {".".join(flaw.place): flaw.expected.en for flaw in flaws(BROKEN[name])}
    assert words in told.get(place, f"not said; {told}")


def test_the_same_flow_without_the_fault_is_sound() -> None:
    assert flaws(a_kind(WORK, TAKE, READY, GOOD)) == []
    assert flaws(a_kind(WORK, TAKE, READY, GOOD, BACK, origins=frozenset({"gateway"}))) == []


@pytest.mark.parametrize("kind", SHIPPED, ids=lambda kind: kind.id)
def test_the_shipped_kinds_are_sound(kind: Kind) -> None:
    assert flaws(kind) == []


@given(kind=drawn_kinds())
def test_any_flow_is_judged(kind: Kind) -> None:
    """The proof ends for whatever is drawn, and a flow without an end is never found sound."""
    found = flaws(kind)
    without = Kind(
        **{
            **{name: getattr(kind, name) for name in Kind.__dataclass_fields__},
            "states": {
                id_: WorkState(id_, state.name, "doing" if state.of in ("ended", "cancelled") else state.of)
                for id_, state in kind.states.items()
            },
        }
    )
    assert flaws(without)
    assert all(flaw.expected.zh and flaw.expected.en for flaw in found)
