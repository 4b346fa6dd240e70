"""Dahua plate cameras: the TrafficJunction event in the three forms in which it comes. Pure.

`Code=…;action=…;index=…;data={…}` and lines `Events[0].X=Y` come from the event stream, JSON comes by ITSAPI's push
(`{"Events": […]}` or `{"Picture": {…}}`). Traps: the plate's confidence is `Object.Confidence`, that of `Vehicle` is
another thing and `TrafficCar` has none; `UTC` counts the camera's local time, only `RealUTC` is true; an event that
ends (`Stop`) is no second car; "unlicensed" and "unknown" are no plates. Sources: the vendor's HTTP API
(TrafficJunction, snapshots of events); reports of those who read such cameras.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from drivers.camera.plates import (
    BODY_LIMIT,
    Pushed,
    best_picture,
    jpeg_of_base64,
    key_of,
    plate_text,
    share,
    unix_moment,
    written_moment,
)
from drivers.errors import FrameError
from drivers.reports import PlateRead

TEXT_LIMIT = 256 * 1024
LINES_LIMIT = 4_000
CODE = "TrafficJunction"
HEARTBEAT = b"Heartbeat"

COLOURS = {
    "blue": "blue", "yellow": "yellow", "white": "white", "black": "black", "green": "green",
    "shadowgreen": "green", "gradientgreen": "green", "yellowgreen": "yellow-green",
}  # fmt: skip

ANSWER = {"Result": True, "result": "true", "Message": "Success"}
"""What a push is answered with: firmwares look for the one or the other, and send again what they do not find."""

_LINE = re.compile(r"^(?:Return)?Events\[(\d{1,3})\]\.([A-Za-z0-9_.\[\]]{1,120})=(.*)$")
_HEAD = re.compile(r"^Code=([^;]{1,64});\s*action=([^;]{1,32})(?:;\s*index=([^;]{0,16}))?(?:;\s*data=)?", re.IGNORECASE)


# --- One event, as nested words


def read_of(camera: str, event: Mapping[str, object], picture: bytes | None = None) -> PlateRead | None:
    """The read in a TrafficJunction event; None if it is another event or the end of one. Raises `FrameError`."""
    code = _at(event, "EventBaseInfo", "Code") or event.get("Code")
    action = _at(event, "EventBaseInfo", "Action") or event.get("Action") or "Pulse"
    if code != CODE or str(action).lower() == "stop":
        return None
    plate = _at(event, "TrafficCar", "PlateNumber")
    if plate is None:
        plate = _at(event, "Object", "Text")
    if not isinstance(plate, str):
        raise FrameError("a TrafficJunction without TrafficCar.PlateNumber and Object.Text")
    real, local = _number(event.get("RealUTC")), _number(event.get("UTC"))
    ms = int(_number(event.get("UTCMS")) or 0) % 1000
    at = unix_moment(real, ms) or unix_moment(local, ms, local=True)
    number = event.get("EventID") or event.get("GroupID") or _at(event, "Object", "ObjectID")
    colour = _at(event, "TrafficCar", "PlateColor")
    return PlateRead(
        camera=camera,
        plate=plate_text(plate),
        plate_id=key_of(number, _whole(real if real is not None else local)),
        confidence=share(_number(_at(event, "Object", "Confidence")) or 0.0),
        colour=COLOURS.get(colour.lower(), "") if isinstance(colour, str) else "",
        replayed=_true(event.get("OffLine")) or _true(event.get("IsOffline")),
        seen_at=None if at is None else at.ms,
        local=at is not None and at.local,
        picture=picture,
    )


# --- The event stream


def events_of(text: bytes) -> list[dict[str, object]]:
    """The events of one text part of the stream; [] for a heartbeat. Raises `FrameError`."""
    if text.strip() == HEARTBEAT or not text.strip():
        return []
    if len(text) > TEXT_LIMIT:
        raise FrameError(f"an event of {len(text)} bytes, at most {TEXT_LIMIT} are read", text[:64])
    said = text.decode("utf-8", "replace").strip()
    head = _HEAD.match(said)
    if head is not None:
        return [_coded(head, said)]
    events = _lines(said)
    if not events:
        raise FrameError("neither Code=… nor Events[…]", text[:64])
    return events


def _coded(head: re.Match[str], said: str) -> dict[str, object]:
    data = said[head.end() :].strip()
    event = _object(data) if data else {}
    return {**event, "Code": head[1].strip(), "Action": head[2].strip()}


def _object(data: str) -> dict[str, object]:
    try:
        found = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as wrong:
        raise FrameError(f"an event whose data is not JSON: {wrong}", data.encode()[:64]) from None
    if not isinstance(found, dict):
        raise FrameError("an event whose data is no object", data.encode()[:64])
    return found


def _lines(said: str) -> list[dict[str, object]]:
    lines = said.splitlines()
    if len(lines) > LINES_LIMIT:
        raise FrameError(f"an event of more than {LINES_LIMIT} lines")
    events: dict[int, dict[str, object]] = {}
    for line in lines:
        found = _LINE.match(line.strip())
        if found is not None:
            _put(events.setdefault(int(found[1]), {}), found[2].split("."), found[3].strip())
    return list(events.values())


def _put(event: dict[str, object], path: list[str], value: str) -> None:
    for step in path[:-1]:
        deeper = event.setdefault(step, {})
        if not isinstance(deeper, dict):
            return
        event = deeper
    event.setdefault(path[-1], value)


# --- ITSAPI's push


def parse(camera: str, body: bytes, content_type: str = "application/json") -> Pushed:
    """What a camera pushed by ITSAPI: reads, or that it is there. Raises `FrameError`."""
    if len(body) > BODY_LIMIT:
        raise FrameError(f"a push of {len(body)} bytes, at most {BODY_LIMIT} are taken", body[:64])
    try:
        said = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as wrong:
        raise FrameError(f"not JSON: {wrong}", body[:64]) from None
    if not isinstance(said, dict):
        raise FrameError("an object is expected", body[:64])
    if isinstance(said.get("Picture"), dict):
        return Pushed(reads=(_tollgate(camera, said["Picture"]),))
    events = said.get("Events")
    if events is None:
        if not said.keys() & {"Active", "DeviceID", "KeepAlive", "DeviceName", "SerialNo", "Heartbeat"}:
            raise FrameError("neither Events, Picture nor a sign of life", body[:64])
        return Pushed(heartbeat=True)
    if not isinstance(events, list) or not all(isinstance(event, dict) for event in events[:16]):
        raise FrameError("Events is no list of objects", body[:64])
    reads = [read for event in events[:16] if (read := read_of(camera, event, _enclosed(event))) is not None]
    return Pushed(reads=tuple(reads), heartbeat=not reads)


def _tollgate(camera: str, picture: Mapping[str, object]) -> PlateRead:
    """The form with one `Picture`: its time is the camera's local one."""
    plate = _at(picture, "Plate", "PlateNumber")
    if not isinstance(plate, str):
        raise FrameError("a Picture without Plate.PlateNumber")
    colour = _at(picture, "Plate", "PlateColor")
    scene, cut_out = _at(picture, "NormalPic", "Content"), _at(picture, "CutoutPic", "Content")
    at = _at(picture, "SnapInfo", "AccurateTime") or _at(picture, "SnapInfo", "SnapTime")
    moment = written_moment(at)
    return PlateRead(
        camera=camera,
        plate=plate_text(plate),
        plate_id=key_of(_at(picture, "SnapInfo", "DeviceID"), at, plate) if at else "",
        confidence=share(_number(_at(picture, "Plate", "Confidence")) or 0.0),
        colour=COLOURS.get(colour.lower(), "") if isinstance(colour, str) else "",
        replayed=_true(_at(picture, "SnapInfo", "OffLine")),
        seen_at=None if moment is None else moment.ms,
        local=moment is not None and moment.local,
        picture=best_picture(*(jpeg_of_base64(text) for text in (scene, cut_out) if isinstance(text, str))),
    )


def _enclosed(event: Mapping[str, object]) -> bytes | None:
    found = [_at(event, "NormalPic", "Content"), _at(event, "CutoutPic", "Content")]
    return best_picture(*(jpeg_of_base64(text) for text in found if isinstance(text, str)))


def _at(event: object, *path: str) -> object:
    for step in path:
        event = event.get(step) if isinstance(event, Mapping) else None
    return event


def _number(said: object) -> float | None:
    if isinstance(said, bool) or not isinstance(said, (int, float, str)):
        return None
    try:
        number = float(said)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) < 1e15 else None


def _whole(number: float | None) -> int | None:
    return None if number is None else int(number)


def _true(said: object) -> bool:
    return said is True or (isinstance(said, (str, int)) and str(said).lower() in ("1", "true"))
