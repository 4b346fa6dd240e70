"""Bytes from the broker → what arrived, checked as far as that is possible without the database. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from contract import wire
from contract.errors import ContractError, Malformed, UnknownVersion
from contract.events import Batch, Hash, batch_fault, chain
from contract.instants import milliseconds
from contract.pictures import Picture, picture_id
from contract.presence import Presence
from contract.readings import ReadingsBatch, readings_fault
from contract.topics import UpTopic

JPEG_START = b"\xff\xd8\xff"


class EventsArrived(msgspec.Struct, frozen=True):
    """A batch that does not contradict itself, and the hash of each of its events."""

    gateway: str
    batch: Batch
    hashes: list[Hash]


class ReadingsArrived(msgspec.Struct, frozen=True):
    """A blob of readings."""

    gateway: str
    batch: ReadingsBatch


class PictureArrived(msgspec.Struct, frozen=True):
    """A picture."""

    gateway: str
    picture: Picture


class PresenceArrived(msgspec.Struct, frozen=True):
    """A sign of life, a birth or a last will. `at_ms`: when the hub received it."""

    gateway: str
    presence: Presence
    at_ms: int


class MessageRefused(msgspec.Struct, frozen=True):
    """A message that can never be accepted. `stream`: what to name in the answer, if it could be read."""

    gateway: str
    what: str
    why: str
    sample: str = ""
    stream: str | None = None
    fault: str = "malformed"


Arrival = EventsArrived | ReadingsArrived | PictureArrived | PresenceArrived | MessageRefused


class _StreamOf(msgspec.Struct):
    stream: str | None = None
    store: str | None = None
    id: str | None = None


class Weighed(NamedTuple):
    """What arrived, and what it cost to read: bytes of JSON, and more where there is more to be done with it."""

    arrival: Arrival
    cost: int


READING_COST = 100
"""What a reading costs at least: a short one has to be stored like a long one."""

_KINDS: Mapping[str, type[msgspec.Struct]] = {
    "events": Batch,
    "telemetry": ReadingsBatch,
    "pictures": Picture,
    "presence": Presence,
}


def arrival(topic: UpTopic, payload: bytes, at_ms: int) -> Arrival:
    """What arrived at `at_ms`. The gateway is the topic's: the broker vouches for that one only."""
    return weighed(topic, payload, at_ms).arrival


def weighed(topic: UpTopic, payload: bytes, at_ms: int) -> Weighed:
    """What arrived at `at_ms`, weighed."""
    kind = _KINDS.get(topic.kind)
    if kind is None:
        return Weighed(_refused(topic, payload, f"nothing is expected on .../{topic.kind}"), len(payload))
    limit = wire.limit_of(kind)
    try:
        text = wire.plain(payload, limit)
    except ContractError as error:
        # It was unpacked as far as that is allowed.
        return Weighed(_refused(topic, payload, str(error)), max(len(payload), limit))
    try:
        found = _read(topic, text, at_ms)
    except UnknownVersion as error:
        found = _refused(topic, payload, str(error), text, "version")
    except (ContractError, RecursionError) as error:
        why = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        found = _refused(topic, payload, why, text)
    return Weighed(found, max(len(text), _work(found)))


def _work(found: Arrival) -> int:
    if not isinstance(found, ReadingsArrived):
        return 0
    return READING_COST * sum(len(column.at) for column in found.batch.columns)


def _read(topic: UpTopic, text: bytes, at_ms: int) -> Arrival:
    match topic.kind:
        case "events":
            return _events(topic.gateway, wire.read(Batch, text), text)
        case "telemetry":
            batch = wire.read(ReadingsBatch, text)
            if fault := readings_fault(batch):
                raise Malformed(fault, text)
            return ReadingsArrived(topic.gateway, batch)
        case "pictures":
            return PictureArrived(topic.gateway, _picture(wire.read(Picture, text), text))
        case _:
            presence = wire.read(Presence, text)
            for at in (presence.at, *(answer.at for answer in presence.answered)):
                _moment(at, text)
            return PresenceArrived(topic.gateway, presence, at_ms)


def _events(gateway: str, batch: Batch, payload: bytes) -> EventsArrived:
    if fault := batch_fault(batch):
        raise Malformed(fault, payload)
    for event in batch.events:
        _moment(event.at, payload)
        if "\x00" in event.source:
            raise Malformed(f"the source of event {event.seq} has a zero byte", payload)
        try:
            bytes(event.data).decode("utf-8")
        except UnicodeDecodeError as error:
            raise Malformed(f"data of event {event.seq}: {error}", payload) from error
    return EventsArrived(gateway, batch, chain(batch.prev, batch.events))


def _moment(at: str, payload: bytes) -> None:
    try:
        milliseconds(at)
    except ValueError as error:
        raise Malformed(f"{at!r} is no instant: {error}", payload) from error


def _picture(picture: Picture, payload: bytes) -> Picture:
    _moment(picture.at, payload)
    if not picture.jpeg.startswith(JPEG_START):
        raise Malformed("a picture that is not a JPEG", payload)
    if picture_id(picture.jpeg) != picture.id:
        raise Malformed(f"picture {picture.id} has other bytes than its id says", payload)
    return picture


def _refused(
    topic: UpTopic, payload: bytes, why: str, text: bytes | None = None, fault: str = "malformed"
) -> MessageRefused:
    """`text`: what the payload unpacked to, if it did."""
    sample = payload[:120].decode("utf-8", "backslashreplace").replace("\x00", "\\x00")
    stream = None if text is None else _stream_of(topic, text)
    return MessageRefused(topic.gateway, topic.kind, why[:300], sample, stream, fault)


def _stream_of(topic: UpTopic, text: bytes) -> str | None:
    """The stream that a refused message names, if at least that much of it can be read."""
    try:
        named = msgspec.json.decode(text, type=_StreamOf)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    found = {"events": named.stream, "telemetry": named.store, "pictures": named.id}.get(topic.kind)
    if found is None or len(found) != 32 or not all(digit in "0123456789abcdef" for digit in found):
        return None
    return found
