"""Nothing in the contract is without bounds, and what this house writes keeps within them."""

from __future__ import annotations

import ast
import json
import re
import re._parser as regular  # type: ignore[import-not-found]
import zlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import inspect

from contract import wire
from contract.commands import Person
from contract.desired import ITEM_TYPES, Desired, Item
from contract.errors import Malformed, TooLarge
from contract.events import GENESIS, Batch, Event
from contract.facts.alarms import AlarmRaised
from contract.facts.gateway import CommandResult
from contract.facts.hub import RecordChanged
from contract.facts.machines import InputRefused
from contract.fitting import MARK, fitted, recorded_data, shortened
from contract.instants import instant
from contract.kinds import KINDS, OF_BOTH, OF_GATEWAYS, OF_THE_HUB, data_limit, decode_data, encode_data, may_say
from contract.layout import PointLayout, SiteLayout
from contract.limits import EVENT_BYTES, ID_LENGTH, READINGS_LIMIT, WORDS_LENGTH
from contract.readings import Column, ReadingsBatch, readings_fault
from contract.standing import PlacesStated, PlaceStanding
from contract.texts import Text
from gateway.journal.records import Draft, fact
from tests.contract.test_events import DATA

LONG = "长" * 20_000

ROOT = Path(__file__).parents[2]

DOCUMENTS = {(Event, "data"), (Item, "value")}
"""JSON that travels as it stands. Its bytes are bounded by `data_limit` and `ITEM_BYTES`, and by the message around."""

SPOKEN = {**{kind.__name__: kind for kind in wire.UNPACKED_LIMITS}, **KINDS, **ITEM_TYPES}
"""Everything that either side may say to the other."""


def unbounded(kind: inspect.Type, place: str, seen: set[type]) -> Iterator[str]:
    """The places in a type that may hold any number of anything."""
    match kind:
        case inspect.StrType():
            if kind.max_length is None and not finite(kind.pattern):
                yield f"{place}: text"
        case inspect.BytesType() | inspect.ByteArrayType():
            if kind.max_length is None:
                yield f"{place}: bytes"
        case inspect.ListType() | inspect.VarTupleType() | inspect.SetType():
            if kind.max_length is None:
                yield f"{place}: list"
            yield from unbounded(kind.item_type, f"{place}[]", seen)
        case inspect.DictType():
            if kind.max_length is None:
                yield f"{place}: map"
            yield from unbounded(kind.key_type, f"{place} key", seen)
            yield from unbounded(kind.value_type, f"{place} value", seen)
        case inspect.TupleType():
            for number, one in enumerate(kind.item_types):
                yield from unbounded(one, f"{place}[{number}]", seen)
        case inspect.UnionType():
            for one in kind.types:
                yield from unbounded(one, place, seen)
        case inspect.StructType():
            if kind.cls in seen:
                return
            seen.add(kind.cls)
            for field in kind.fields:
                if (kind.cls, field.name) not in DOCUMENTS:
                    yield from unbounded(field.type, f"{kind.cls.__name__}.{field.name}", seen)
        case inspect.IntType() | inspect.FloatType() | inspect.BoolType() | inspect.NoneType() | inspect.LiteralType():
            pass
        case _:
            yield f"{place}: {kind}"


def finite(pattern: str | None) -> bool:
    """Whether what matches a pattern, from its beginning to its end, has a greatest length."""
    if pattern is None or not (pattern.startswith("^") and pattern.endswith(r"\Z")):
        return False
    return bool(regular.parse(pattern).getwidth()[1] <= ID_LENGTH)


@pytest.mark.parametrize("name", SPOKEN)
def test_no_field_is_without_bounds(name: str) -> None:
    assert list(unbounded(inspect.type_info(SPOKEN[name]), name, set())) == []


def test_the_walk_finds_what_has_no_bounds() -> None:
    class Loose(msgspec.Struct):
        text: str
        raw: msgspec.Raw
        many: list[int]
        named: dict[str, str | None]
        open_ended: tuple[int, ...]

    assert len(list(unbounded(inspect.type_info(Loose), "Loose", set()))) == 7
    assert finite(r"^[a-z]{3}\Z")
    assert not finite(r"^[a-z]+\Z")
    assert not finite("[a-z]{3}")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_one_origin(kind: str) -> None:
    assert [kind in part for part in (OF_GATEWAYS, OF_THE_HUB, OF_BOTH)].count(True) == 1
    assert may_say(kind) == (kind not in OF_THE_HUB)
    assert data_limit(kind) >= EVENT_BYTES


def said_in(package: str) -> Iterator[tuple[str, str]]:
    """(place, kind) of every event that the code of a package records; of `f"command.{state}"` all that begin so."""
    for path in sorted((ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            said = {keyword.arg: keyword.value for keyword in node.keywords}.get("kind")
            if name in {"say", "record", "Fact"}:
                said = next((one for one in node.args if _kinds(one)), None)
            if name in {"say", "record", "Fact", "Draft"} and said is not None:
                yield from ((f"{path.relative_to(ROOT)}:{node.lineno}", kind) for kind in _kinds(said))


def _kinds(said: ast.expr) -> list[str]:
    if isinstance(said, ast.Constant) and isinstance(said.value, str) and re.fullmatch(r"[a-z]+\.[a-z_]+", said.value):
        return [said.value]
    if isinstance(said, ast.JoinedStr):
        begins, ends = (
            str(part.value) if isinstance(part, ast.Constant) else "" for part in said.values[:: len(said.values) - 1]
        )
        return [kind for kind in KINDS if begins + ends and kind.startswith(begins) and kind.endswith(ends)]
    return []


def test_all_that_the_gateways_code_records_is_for_it_to_say() -> None:
    said = list(said_in("gateway"))
    assert {kind for _, kind in said} >= {"session.opened", "command.asked", "command.done", "access.granted"}
    assert [one for one in said if one[1] not in OF_GATEWAYS | OF_BOTH] == []


def test_all_that_the_hubs_code_records_is_for_it_to_say() -> None:
    said = list(said_in("hub"))
    assert {kind for _, kind in said} >= {
        "account.changed",
        "event.refused",
        "command.asked",
        "gateway.lost",
        "data.pruned",
    }
    assert [one for one in said if one[1] not in OF_THE_HUB | OF_BOTH] == []


def test_the_journal_takes_nothing_that_is_for_the_hub_to_say() -> None:
    changed = RecordChanged(id="a", by=Person(id="a", name="A", role="admin"), change="updated")
    with pytest.raises(ValueError, match="for the hub to say"):
        fact(Draft(kind="account.changed", source="a", data=changed), 0, "ok")


def test_a_journals_fact_is_fitted() -> None:
    made = fact(Draft(kind="input.refused", source="s" * 300, data=InputRefused(wire="w", why=LONG, count=1)), 0, "ok")
    assert (len(made.source), made.source[-1]) == (128, MARK)
    assert isinstance(decode_data("input.refused", made.data), InputRefused)


def test_a_kind_that_nobody_knows_is_a_gateways() -> None:
    assert may_say("teapot.boiled")


# --- What is written keeps within the limits


def test_what_a_device_says_at_length_ends_in_a_mark() -> None:
    said = InputRefused(wire="line-1", why=LONG, count=1, sample=LONG)
    found = decode_data("input.refused", recorded_data("input.refused", said))
    assert isinstance(found, InputRefused)
    assert (len(found.why), found.why[-1], found.count) == (WORDS_LENGTH, MARK, 1)


def test_what_fits_is_recorded_as_it_is() -> None:
    for kind, data in DATA.items():
        typed = decode_data(kind, json.dumps(data).encode())
        assert typed is not None
        assert recorded_data(kind, typed) == bytes(encode_data(typed))
        assert fitted(typed) == typed


def test_halves_of_characters_are_recorded_as_such() -> None:
    said = InputRefused(wire="line-1", why="plate \ud83d", count=1)
    assert decode_data("input.refused", recorded_data("input.refused", said)) == InputRefused(
        wire="line-1", why="plate ?", count=1
    )


def test_many_long_values_are_recorded_with_the_beginning_of_each() -> None:
    values = {f"pump-{number}.state": LONG for number in range(200)}
    raised = AlarmRaised(alarm="a", rule="r", severity="major", message=Text("水", "water"), values=dict(values))
    text = recorded_data("alarm.raised", raised)
    found = decode_data("alarm.raised", text)
    assert isinstance(found, AlarmRaised)
    assert len(found.values) >= 20
    assert all(str(value).endswith(MARK) for value in found.values.values())


def test_a_statement_that_is_too_long_is_a_fault_of_its_author_and_not_cut() -> None:
    stated = PlacesStated(places=[PlaceStanding(place=f"door-{number}", aspects={}) for number in range(15_000)])
    with pytest.raises(ValueError, match=r"places\.stated is .* bytes"):
        recorded_data("places.stated", stated)


@given(st.text(max_size=50), st.integers(1, 60))
def test_a_shortened_text_begins_as_it_did(text: str, most: int) -> None:
    short = shortened(text, most)
    assert len(short) <= most
    assert short == text or (short[-1] == MARK and text.startswith(short[:-1]))


@given(
    st.dictionaries(st.text(max_size=300), st.none() | st.booleans() | st.floats(allow_nan=False) | st.text()),
    st.text(min_size=1, max_size=500),
    st.sampled_from([LONG, "short", ""]),
)
def test_whatever_is_said_is_recorded(values: dict[str, object], rule: str, message: str) -> None:
    said = AlarmRaised(
        alarm="a",
        rule=rule,
        severity="major",
        message=Text(message, message),
        values=values,  # type: ignore[arg-type]
    )
    text = recorded_data("alarm.raised", said)
    assert len(text) <= data_limit("alarm.raised")
    assert isinstance(decode_data("alarm.raised", text), AlarmRaised)


def test_a_site_of_ten_thousand_points_describes_itself_in_one_message() -> None:
    name = Text("出水压力（二次供水泵房）", "Outlet pressure, booster pump room")
    points = [
        PointLayout(id=f"pump-{n}.outlet_pressure", device=f"pump-{n}", name=name, type="number", unit="kPa")
        for n in range(10_000)
    ]
    layout = SiteLayout(
        site="demo", gateway="demo-gw", name=name, timezone="Asia/Shanghai", fingerprint="f", points=points
    )
    data = recorded_data("site.described", layout)
    event = Event(seq=1, at=instant(0), kind="site.described", source="demo", data=msgspec.Raw(data))
    batch = Batch(stream="a" * 32, first_seq=1, prev=GENESIS, head=GENESIS, events=(event,))
    assert len(data) > 1_000_000
    assert len(wire.decode(Batch, wire.encode(batch)).events) == 1


# --- What comes in is held to them

OVER: dict[str, tuple[str, object]] = {
    "a text": ("command.done", {"why": {"zh": LONG, "en": ""}}),
    "an id": ("command.done", {"command": "x" * (ID_LENGTH + 1)}),
    "a map": ("alarm.raised", {"values": {f"p-{number}.x": 1 for number in range(1001)}}),
    "a key": ("alarm.raised", {"values": {"x" * 60_000: 1}}),
    "a list": ("places.stated", {"places": [{"place": "d", "aspects": {}}] * 20_001}),
}


@pytest.mark.parametrize("case", OVER)
def test_data_over_a_limit_does_not_fit_its_kind(case: str) -> None:
    kind, over = OVER[case]
    golden = DATA[kind]
    assert isinstance(golden, dict) and isinstance(over, dict)
    with pytest.raises(Malformed):
        decode_data(kind, json.dumps(golden | over).encode())


def test_more_readings_than_travel_together_are_named() -> None:
    def batch(count: int) -> ReadingsBatch:
        column = Column(point="pump-1.flow", at=[0] * count, values=[1] * count, quality=["good"] * count)
        return ReadingsBatch(store="a" * 32, seq=1, oldest=1, columns=[column])

    assert readings_fault(batch(READINGS_LIMIT)) is None
    assert "20001 readings, at most 20000" in (readings_fault(batch(READINGS_LIMIT + 1)) or "")


@pytest.mark.parametrize("kind", wire.UNPACKED_LIMITS)
def test_nothing_is_unpacked_beyond_what_is_read(kind: type[msgspec.Struct]) -> None:
    with pytest.raises(TooLarge, match="unpacks to more than"):
        wire.decode(kind, zlib.compress(b" " * (wire.UNPACKED_LIMITS[kind] + 1)))


def test_nothing_is_sent_that_would_not_be_read() -> None:
    said = CommandResult(command="c", kind="door.unlock", target="lobby-a", by=msgspec.convert(BY, Person), reason="x")
    event = Event(seq=1, at="2026-01-02T03:04:05.678Z", kind="command.done", source="lobby-a", data=encode_data(said))
    large = msgspec.structs.replace(event, data=msgspec.Raw(b'"' + b"x" * 4_000_000 + b'"'))
    batch = Batch(stream="0" * 32, first_seq=1, prev="0" * 64, head="0" * 64, events=(large,))
    with pytest.raises(TooLarge, match="are read"):
        wire.encode(batch)
    whole = Desired(form="delta", revision=1, items=[Item(kind="holder", id="h", value=large.data)])
    with pytest.raises(TooLarge, match="are read"):
        wire.encode(whole)


BY = {"id": "1", "name": "王", "role": "guard"}
