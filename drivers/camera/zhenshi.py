"""臻识 plate cameras: what they push over HTTP, and the answer that they insist on. Pure.

A push that is not answered with a well-formed object counts as failed for some models and comes again for ever: so the
answer is always the object, "no" when nothing is to be lifted. Source: the vendor's HTTP push document; in its example
`sec` is UTC.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from urllib.parse import parse_qs

import msgspec

from drivers.errors import FrameError
from drivers.reports import PlateRead

BODY_LIMIT = 8 * 1024 * 1024
PICTURE_LIMIT = 3 * 1024 * 1024
"""Bytes of a decoded picture; a larger one is left out, the read itself counts."""

NO_PLATE = "_无_"
COLOURS = {1: "blue", 2: "yellow", 3: "white", 4: "black", 5: "green", 6: "yellow-green"}
_JPEG = b"\xff\xd8\xff"


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The camera is there. `serial`: its own serial number, "" if it did not say."""

    camera: str
    serial: str


class _Timeval(msgspec.Struct, frozen=True):
    sec: int
    usec: int = 0


class _TimeStamp(msgspec.Struct, frozen=True):
    timeval: _Timeval = msgspec.field(name="Timeval")


class _PlateResult(msgspec.Struct, frozen=True):
    license: str
    plate_id: int = msgspec.field(name="plateid")
    confidence: float
    colour: int = msgspec.field(name="colorType", default=0)
    offline: int = msgspec.field(name="isoffline", default=0)
    time: _TimeStamp | None = msgspec.field(name="timeStamp", default=None)
    picture: str = msgspec.field(name="imageFile", default="")


class _Result(msgspec.Struct, frozen=True):
    plate: _PlateResult = msgspec.field(name="PlateResult")


class _Alarm(msgspec.Struct, frozen=True):
    result: _Result
    serial: str = msgspec.field(name="serialno", default="")


class _Push(msgspec.Struct, frozen=True):
    alarm: _Alarm | None = msgspec.field(name="AlarmInfoPlate", default=None)
    heartbeat: msgspec.Raw | None = msgspec.field(name="heartbeat", default=None)
    serial: str = msgspec.field(name="serialno", default="")


# Clones send numbers as texts now and then: they are taken for numbers, nothing else is.
_DECODER = msgspec.json.Decoder(_Push, strict=False)


def parse_push(camera: str, body: bytes, content_type: str = "application/json") -> PlateRead | Heartbeat:
    """What a camera pushed. Raises `FrameError` that says what is missing or wrong."""
    if len(body) > BODY_LIMIT:
        raise FrameError(f"a push of {len(body)} bytes, at most {BODY_LIMIT} are taken", body[:64])
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return _heartbeat(camera, _multipart(body, content_type), body)
    if kind == "application/x-www-form-urlencoded":
        return _heartbeat(camera, _urlencoded(body), body)
    try:
        push = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise FrameError(f"not an AlarmInfoPlate: {wrong}", body[:64]) from wrong
    if push.alarm is not None:
        return _plate(camera, push.alarm)
    if push.heartbeat is not None:
        return Heartbeat(camera, push.serial)
    raise FrameError("neither AlarmInfoPlate nor a heartbeat", body[:64])


def answer(lift: bool) -> dict[str, dict[str, str]]:
    """The answer to any push. `lift`: the camera closes its own output (so only for a lane whose actuator it is)."""
    return {
        "Response_AlarmInfoPlate": {
            "info": "ok" if lift else "no",
            "content": "retransfer_stop",
            "is_pay": "true" if lift else "false",
        }
    }


def _plate(camera: str, alarm: _Alarm) -> PlateRead:
    read = alarm.result.plate
    plate = "".join(read.license.split()).upper()
    at = read.time.timeval if read.time else None
    # The number starts again with the camera; with its moment it is this read's and no other's.
    key = "-".join(str(part) for part in (alarm.serial, read.plate_id, at.sec if at else "") if part != "")
    return PlateRead(
        camera=camera,
        plate="" if plate == NO_PLATE else plate[:32],
        plate_id=key[:128],
        confidence=min(max(read.confidence / 100, 0.0), 1.0) if read.confidence == read.confidence else 0.0,
        colour=COLOURS.get(read.colour, ""),
        replayed=read.offline != 0,
        seen_at=at.sec * 1000 + at.usec // 1000 if at and 0 < at.sec < 1 << 40 else None,
        picture=_picture(read.picture),
    )


def _picture(text: str) -> bytes | None:
    if not text or len(text) > PICTURE_LIMIT * 4 // 3 + 4:
        return None
    try:
        picture = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return picture if picture.startswith(_JPEG) else None


def _heartbeat(camera: str, fields: dict[str, str], body: bytes) -> Heartbeat:
    if "serialno" not in fields and "device_name" not in fields:
        raise FrameError("a form without serialno and device_name is no heartbeat", body[:64])
    return Heartbeat(camera, fields.get("serialno", "")[:64])


def _multipart(body: bytes, content_type: str) -> dict[str, str]:
    whole: Message = message_from_bytes(
        b"Content-Type: " + content_type.encode("latin-1", "replace") + b"\r\n\r\n" + body
    )
    fields: dict[str, str] = {}
    parts = whole.get_payload()
    for part in parts if isinstance(parts, list) else []:
        name = part.get_param("name", header="content-disposition") if isinstance(part, Message) else None
        if isinstance(part, Message) and isinstance(name, str):
            content = part.get_payload(decode=True)
            fields[name] = content.decode("utf-8", "replace").strip() if isinstance(content, bytes) else ""
    return fields


def _urlencoded(body: bytes) -> dict[str, str]:
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=64)
    except ValueError as wrong:
        raise FrameError("a form with too many fields", body[:64]) from wrong
    return {name: values[0] for name, values in fields.items()}
