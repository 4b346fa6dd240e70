"""What both servers answer: one shape for a thing, whoever tells of it. Pure.

Plain dictionaries with named fields: what builds one is checked by the types alone, so that the live stream, which
encodes it as it is, pays for nothing; a route that answers with one says so in the interface's document, and the
console's types are made from that. What a site consists of is the contract's own (`contract.layout`, see `Layout`).
Their `TypedDict` is that of `typing_extensions`: pydantic takes no other below Python 3.12.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired, cast

import msgspec
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema
from typing_extensions import TypedDict

from contract import commands, layout, texts
from contract.commands import CommandKind
from contract.events import Clock
from contract.facts.alarms import Severity
from contract.instants import Instant
from contract.readings import Quality, Value
from rules.alarms.rule import AlarmState
from rules.passage.barriers import Position
from rules.passage.doors import Contact, Lock, Mode
from rules.tickets.flow import Hand
from rules.tickets.steps import PersonStep, TicketState
from web.arguments import Arg
from web.cars import StandingCar

PointType = Literal["number", "flag", "label", "text"]
Agg = Literal["avg", "min", "max", "last", "delta"]
CommandState = Literal["asked", "sent", "done", "failed", "expired"]


class Text(TypedDict):
    """A text in both languages."""

    zh: str
    en: str


class Person(TypedDict):
    """Somebody who did something, as they were then."""

    id: str
    name: str
    role: str


class About(TypedDict):
    """Which server this is, for whom nobody has signed in yet. `name`: of a gateway's site."""

    server: Literal["hub", "gateway"]
    site: str | None
    name: NotRequired[Text]
    version: str
    hub_connected: bool | None
    working_alone_since: Instant | None
    backlog: int | None


class Post(TypedDict):
    """Where a guard stands, and the doors and lanes that they answer for."""

    id: str
    site: str
    name: Text
    places: list[str]
    version: int


class Site(TypedDict):
    """A site in a list. `described`: whether its gateway has said what it consists of."""

    id: str
    name: Text
    timezone: str
    described: bool
    posts: list[Post]


class Door(TypedDict):
    """How a door stands. `can`: the commands that whoever sees it may give now; of lanes and alarms too.

    `mode_since`, `mode_until`, `mode_by`: of another mode than the normal one, since when, when it ends by itself
    (null: when somebody ends it), and the name of who asked for it.
    """

    id: str
    site: str
    lock: Lock | Literal["unknown"]
    contact: Contact
    mode: Mode
    mode_since: Instant | None
    mode_until: Instant | None
    mode_by: str | None
    at: Instant | None
    can: list[CommandKind]


class Loops(TypedDict):
    """Whether a vehicle stands before or under the barrier; null: not known."""

    before: bool | None
    under: bool | None


class Lane(TypedDict):
    """How a lane stands. `monitored`: whether anything tells where its barrier is.

    `last_plate`: read last, at `last_plate_at`; it says nothing of who stands there now, which is `car`.
    """

    id: str
    site: str
    barrier: Position
    monitored: bool
    loops: Loops
    last_plate: str | None
    last_plate_at: Instant | None
    car: StandingCar | None
    at: Instant | None
    can: list[CommandKind]


class Alarm(TypedDict):
    """An alarm. `values`: the points that its rule looked at."""

    id: str
    site: str
    rule: str
    source: str
    asset: str
    severity: Severity
    state: AlarmState
    message: Text
    response: Text | None
    values: dict[str, Value]
    raised_at: Instant
    cleared_at: Instant | None
    acknowledged_at: Instant | None
    acknowledged_by: Person | None
    shelved_until: Instant | None
    note: str
    can: list[CommandKind]


class TicketStep(TypedDict):
    """Something that happened to a ticket: opened, folded, taken, taken_over, commented, finished, accepted, closed,
    reopened. `was`, `to`: who had it until then and who has it since, where it passed from one to another."""

    at: Instant
    by: Person | None
    step: str
    text: str
    was: Person | None
    to: Person | None


class _Ticket(TypedDict):
    id: str
    site: str
    number: int | None
    alarm: str | None
    asset: str
    cause: str
    severity: Severity
    title: Text
    response: Text | None
    place: str
    state: TicketState | Literal["cleared"]
    assignee: Person | None
    raised_at: Instant
    updated_at: Instant
    closed_at: Instant | None
    recovered_at: Instant | None
    count: int
    history: list[tuple[str, int, Value]]
    first_history: list[tuple[str, int, Value]] | None
    steps: list[TicketStep]


class Ticket(_Ticket):
    """A ticket. `number`: the hub's to give. `state`: a gateway, which hears of no step, knows `raised` and, once
    the alarm is over, `cleared`. `recovered_at`: since when the device is well. `history`: (point, Unix ms, value)
    around the newest fault, in lists its end; `first_history`: around the first, of one that came again, not in lists.
    `can`: the steps that whoever sees it may take now."""

    can: list[PersonStep]


class TicketHeld(_Ticket):
    """A ticket as the hub holds it: the same for everybody. `hands`: in whose hand each step is that is open now, as
    `rules.tickets.flow.Hand` goes from one process to another."""

    hands: dict[str, dict[str, list[str]]]


class Result(TypedDict):
    """What became of a command. `why`: of one that was not carried out."""

    at: Instant
    why: Text | None


class FirstPlace(TypedDict):
    """A place in a stream."""

    stream: str
    seq: int


class Command(TypedDict):
    """A command. `reason_code`: one of the quick reasons. `subject`: the entry it is about. `result`: once there is
    one."""

    id: str
    site: str
    target: str
    kind: CommandKind
    args: dict[str, Arg]
    reason: str
    reason_code: str | None
    subject: FirstPlace | None
    state: CommandState
    by: Person
    issued_at: Instant
    expires_at: Instant
    result: Result | None


class Point(TypedDict):
    """A point and its latest reading. `name` is null for a point that the site's layout does not describe."""

    id: str
    site: str
    name: Text | None
    type: PointType
    unit: str
    labels: dict[str, Text]
    writable: bool
    value: Value
    quality: Quality
    at: Instant | None


class Read(TypedDict):
    """One reading, or the value of one step that begins at `at`."""

    at: Instant
    value: Value
    quality: Quality


class Series(TypedDict):
    """Readings of one point. `step`: seconds; `next`: the `from` of the page after it."""

    id: str
    site: str
    unit: str
    step: int | None
    agg: Agg | None
    items: list[Read]
    next: Instant | None


class Versions(TypedDict):
    """What a gateway holds: software, revision of the desired state, fingerprint of its site file.

    `reads`: the highest version of what the hub says that it reads. The hub speaks to each gateway accordingly.
    """

    software: str
    desired: int
    site_file: str
    reads: int


class Gateway(TypedDict):
    """A gateway. `clock_error_ms`: how far its clock is ahead of the hub's; `backlog`: events not yet acknowledged."""

    id: str
    site: str
    online: bool
    backlog: int
    readings_backlog: int
    clock: Clock
    clock_error_ms: int | None
    versions: Versions
    seen_at: Instant | None


class Event(TypedDict):
    """An event. `gateway` and `site` are null where the hub itself recorded it, for the whole company.

    `received_at`: by the hub; null at the gateway, which has it from nobody. `clock`: told by the gateway alone.
    `data`: by kind (`contract.kinds`). `first`: where it was first recorded, if a fork has moved it since; other events
    may name it by that place.
    """

    id: int
    site: str | None
    gateway: str | None
    stream: str
    seq: int
    at: Instant
    received_at: Instant | None
    kind: str
    source: str
    clock: NotRequired[Clock]
    data: dict[str, Any]
    first: FirstPlace | None


class Snapshot(TypedDict):
    """Everything that a screen starts from, as of one moment."""

    as_of: Instant
    doors: list[Door]
    lanes: list[Lane]
    alarms: list[Alarm]
    tickets: list[Ticket]
    gateways: list[Gateway]
    events: list[Event]


class Reset(TypedDict):
    """What is held is to be forgotten: a snapshot follows."""

    why: str


class LiveFrames(TypedDict):
    """What the frames of the live stream hold, by their names. A `state` (not listed) is an item as its list has it,
    with `kind`: door, lane, alarm, ticket, point, gateway; of a command, `kind` is "command" and `command` its own."""

    snapshot: Snapshot
    events: list[Event]
    reset: Reset


def text_of(text: texts.Text) -> Text:
    """A text of the contract as answers have it."""
    return {"zh": text.zh, "en": text.en}


def subject_of(subject: commands.Subject | None) -> FirstPlace | None:
    """The entry that a command is about, as answers have it."""
    return None if subject is None else {"stream": subject.stream, "seq": subject.seq}


def person_of(person: commands.Person) -> Person:
    """A person of the contract as answers have them."""
    return {"id": person.id, "name": person.name, "role": person.role}


def hands_of(hands: Mapping[str, Hand]) -> dict[str, dict[str, list[str]]]:
    """In whose hand a ticket's steps are, in JSON's own types."""
    return {step: {name: sorted(accounts) for name, accounts in hand._asdict().items()} for step, hand in hands.items()}


class _Struct:
    """How pydantic writes a struct of the contract, and describes it: as msgspec does."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.is_instance_schema(
            source, serialization=core_schema.plain_serializer_function_ser_schema(msgspec.to_builtins)
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        (found,), parts = msgspec.json.schema_components([schema["cls"]], ref_template="{name}")
        return cast(JsonSchemaValue, _whole(found, parts))


def _whole(schema: Any, parts: dict[str, Any]) -> Any:
    """The schema with its parts in place of their names; an answer has every field, also those that have a default."""
    if isinstance(schema, list):
        return [_whole(each, parts) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _whole(parts[schema["$ref"]], parts)
    every = {"required": list(schema["properties"])} if isinstance(schema.get("properties"), dict) else {}
    return {name: _whole(each, parts) for name, each in schema.items()} | every


Layout = Annotated[layout.SiteLayout, _Struct()]
"""What a site consists of."""
