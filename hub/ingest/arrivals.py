"""Bytes from the broker → what arrived, checked as far as that is possible without the database."""

from __future__ import annotations

import msgspec

from contract import wire
from contract.errors import ContractError, Malformed, UnknownVersion
from contract.events import Batch, Hash, batch_fault, chain
from contract.instants import milliseconds
from contract.limits import PICTURE_LIMIT
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


class Refused(msgspec.Struct, frozen=True):
    """A message that can never be accepted. `stream`: what to name in the answer, if it could be read."""

    gateway: str
    what: str
    why: str
    sample: str = ""
    stream: str | None = None
    fault: str = "malformed"


Arrival = EventsArrived | ReadingsArrived | PictureArrived | PresenceArrived | Refused


class _StreamOf(msgspec.Struct):
    stream: str | None = None
    store: str | None = None
    id: str | None = None


def arrival(topic: UpTopic, payload: bytes, at_ms: int) -> Arrival:
    """What arrived at `at_ms`. The gateway is the topic's: the broker vouches for that one only."""
    try:
        return _decoded(topic, payload, at_ms)
    except UnknownVersion as error:
        return _refused(topic, payload, error, "version")
    except ContractError as error:
        return _refused(topic, payload, error, "malformed")
    except RecursionError:
        return _refused(topic, payload, Malformed("nested too deeply", payload), "malformed")


def _decoded(topic: UpTopic, payload: bytes, at_ms: int) -> Arrival:
    match topic.kind:
        case "events":
            return _events(topic.gateway, wire.decode(Batch, payload), payload)
        case "telemetry":
            batch = wire.decode(ReadingsBatch, payload)
            if fault := readings_fault(batch):
                raise Malformed(fault, payload)
            return ReadingsArrived(topic.gateway, batch)
        case "pictures":
            return PictureArrived(topic.gateway, _picture(wire.decode(Picture, payload), payload))
        case "presence":
            presence = wire.decode(Presence, payload)
            for at in (presence.at, *(answer.at for answer in presence.answered)):
                _moment(at, payload)
            return PresenceArrived(topic.gateway, presence, at_ms)
        case _:
            raise Malformed(f"nothing is expected on .../{topic.kind}", payload)


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
    if len(picture.jpeg) > PICTURE_LIMIT:
        raise Malformed(f"a picture of {len(picture.jpeg)} bytes, at most {PICTURE_LIMIT}", payload)
    if not picture.jpeg.startswith(JPEG_START):
        raise Malformed("a picture that is not a JPEG", payload)
    if picture_id(picture.jpeg) != picture.id:
        raise Malformed(f"picture {picture.id} has other bytes than its id says", payload)
    return picture


def _refused(topic: UpTopic, payload: bytes, error: ContractError, fault: str) -> Refused:
    sample = payload[:120].decode("utf-8", "backslashreplace").replace("\x00", "\\x00")
    return Refused(topic.gateway, topic.kind, str(error)[:300], sample, _stream_of(topic, payload), fault)


def _stream_of(topic: UpTopic, payload: bytes) -> str | None:
    """The stream that a refused message names, if at least that much of it can be read."""
    try:
        named = msgspec.json.decode(wire.plain(payload), type=_StreamOf)
    except (ContractError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    found = {"events": named.stream, "telemetry": named.store, "pictures": named.id}.get(topic.kind)
    if found is None or len(found) != 32 or not all(digit in "0123456789abcdef" for digit in found):
        return None
    return found
