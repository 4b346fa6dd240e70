"""臻识 plate cameras (and their clones): what they push over HTTP, and the answer that they insist on. Pure.

A push that is not answered with a well-formed object counts as failed for some models and comes again for ever: so the
answer is always the object, "no" when nothing is to be lifted. The answer to a read, and in comet mode the answer to a
heartbeat, may carry commands. Source: the vendor's HTTP push document, sections 2.1 (reads, stored reads), 2.2
(inputs), 2.5 (heartbeats), 2.6 (commands); in its example `sec` is UTC.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qs

import msgspec

from drivers.camera.multipart import parts_of
from drivers.camera.plates import (
    BODY_LIMIT,
    Pushed,
    best_picture,
    jpeg_of_base64,
    key_of,
    plate_text,
    share,
    unix_moment,
)
from drivers.errors import FrameError
from drivers.reports import PlateRead

COLOURS = {1: "blue", 2: "yellow", 3: "white", 4: "black", 5: "green", 6: "yellow-green"}
INPUTS = 4
OUTPUTS = 4
PULSE_LIMIT_S = 600.0

COMET_GAP_S = 2.0
"""A camera in comet mode asks again as soon as it is answered; others beat every 5 or 30 s and heed no command."""


class _Timeval(msgspec.Struct, frozen=True):
    sec: int
    usec: int = 0


class _TimeStamp(msgspec.Struct, frozen=True):
    timeval: _Timeval = msgspec.field(name="Timeval")


class _PlateResult(msgspec.Struct, frozen=True):
    license: str
    plate_id: int | None = msgspec.field(name="plateid", default=None)
    confidence: float = 0.0
    colour: int = msgspec.field(name="colorType", default=0)
    offline: int = msgspec.field(name="isoffline", default=0)
    time: _TimeStamp | None = msgspec.field(name="timeStamp", default=None)
    picture: str = msgspec.field(name="imageFile", default="")
    cut_out: str = msgspec.field(name="imageFragmentFile", default="")


class _Result(msgspec.Struct, frozen=True):
    plate: _PlateResult = msgspec.field(name="PlateResult")


class _Alarm(msgspec.Struct, frozen=True):
    result: _Result
    serial: str = msgspec.field(name="serialno", default="")


class _Trigger(msgspec.Struct, frozen=True):
    source: int
    value: int


class _TriggerResult(msgspec.Struct, frozen=True):
    trigger: _Trigger = msgspec.field(name="TriggerResult")


class _Input(msgspec.Struct, frozen=True):
    result: _TriggerResult


class _Push(msgspec.Struct, frozen=True):
    alarm: _Alarm | None = msgspec.field(name="AlarmInfoPlate", default=None)
    input: _Input | None = msgspec.field(name="AlarmGioIn", default=None)
    serial_data: object = msgspec.field(name="SerialData", default=None)
    snapshot: object = msgspec.field(name="TriggerImage", default=None)
    heartbeat: object = msgspec.field(name="heartbeat", default=None)
    serial: str = msgspec.field(name="serialno", default="")
    name: str = msgspec.field(name="device_name", default="")


# Clones send numbers as texts now and then: they are taken for numbers, nothing else is.
_DECODER = msgspec.json.Decoder(_Push, strict=False)


def parse(camera: str, body: bytes, content_type: str = "application/json") -> Pushed:
    """What a camera pushed. Raises `FrameError` that says what is missing or wrong."""
    if len(body) > BODY_LIMIT:
        raise FrameError(f"a push of {len(body)} bytes, at most {BODY_LIMIT} are taken", body[:64])
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return _heartbeat({part.name: part.content.decode("utf-8", "replace") for part in parts_of(body, content_type)})
    if kind == "application/x-www-form-urlencoded" and not body.lstrip().startswith(b"{"):
        return _heartbeat(_urlencoded(body))
    try:
        push = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise FrameError(f"not an AlarmInfoPlate: {wrong}", body[:64]) from wrong
    if push.alarm is not None:
        return _plate(camera, push.alarm)
    if push.input is not None:
        return _input(push.input.result.trigger)
    if push.heartbeat is not None or push.name or (push.serial and push.serial_data is None and push.snapshot is None):
        return Pushed(heartbeat=True)
    if push.serial_data is not None or push.snapshot is not None:
        return Pushed()
    raise FrameError("neither AlarmInfoPlate nor a heartbeat", body[:64])


def _plate(camera: str, alarm: _Alarm) -> Pushed:
    said = alarm.result.plate
    at = said.time.timeval if said.time else None
    moment = None if at is None else unix_moment(at.sec, at.usec // 1000 if 0 <= at.usec < 1_000_000 else 0)
    # Without its number a read is told from others by what else it says of itself.
    number = said.plate_id if said.plate_id is not None or at is None else f"{plate_text(said.license)}-{at.usec}"
    read = PlateRead(
        camera=camera,
        plate=plate_text(said.license),
        # The number starts again with the camera; with its moment it is this read's and no other's.
        plate_id=key_of(alarm.serial, number, at.sec if at else ""),
        confidence=share(said.confidence),
        colour=COLOURS.get(said.colour, ""),
        replayed=said.offline != 0,
        seen_at=None if moment is None else moment.ms,
        picture=best_picture(jpeg_of_base64(said.picture), jpeg_of_base64(said.cut_out)),
    )
    return Pushed(reads=(read,), number=said.plate_id, stored=read.replayed)


def _input(trigger: _Trigger) -> Pushed:
    """Section 2.2: source 0–3 are the contacts 1–4; 4 is a trigger over TCP, which is no contact."""
    if trigger.source not in range(5) or trigger.value not in (0, 1):
        raise FrameError(f"an input {trigger.source} of value {trigger.value}: 0 to 4 and 0 or 1 are expected")
    return Pushed(inputs={f"input_{trigger.source + 1}": trigger.value == 1} if trigger.source < INPUTS else {})


def _heartbeat(fields: Mapping[str, str]) -> Pushed:
    if "serialno" not in fields and "device_name" not in fields:
        raise FrameError("a form without serialno and device_name is no heartbeat")
    return Pushed(heartbeat=True)


def _urlencoded(body: bytes) -> dict[str, str]:
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=64)
    except ValueError as wrong:
        raise FrameError("a form with too many fields", body[:64]) from wrong
    return {name: values[0] for name, values in fields.items()}


# --- Answers


@dataclass(frozen=True, slots=True)
class AnswerCommand:
    """What an answer asks of the camera. `pulse`, `on`, `off`: an output (0–3), a pulse for `seconds`."""

    what: Literal["open", "capture", "pulse", "on", "off"]
    output: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Show:
    """What an answer shows and says: frames for a board on the camera's serial channel, words for its own voice."""

    channel: int = 0
    frames: tuple[bytes, ...] = ()
    voice: str = ""


def answer(
    lift: bool = False,
    *,
    pushed: Pushed | None = None,
    command: AnswerCommand | None = None,
    show: Show | None = None,
    goes_on: bool = True,
) -> dict[str, Any]:
    """The answer to any push. `lift`: the camera closes its own output (so only for a lane whose actuator it is).

    `goes_on`: whether the next stored read may come.
    """
    lift = lift or (command is not None and command.what == "open")
    said: dict[str, object] = {
        "info": "ok" if lift else "no",
        "content": "retransfer_stop",
        "is_pay": "true" if lift else "false",
    }
    if pushed is not None and pushed.number is not None:
        said["plateid"] = pushed.number
        if pushed.stored:
            said["ContinuePushOffline"] = {"plateid": pushed.number, "continue": int(goes_on)}
    if command is not None:
        said |= _commanded(command)
    if show is not None:
        said |= _shown(show)
    return {"Response_AlarmInfoPlate": said}


def _commanded(command: AnswerCommand) -> dict[str, object]:
    match command.what:
        case "open":
            return {}
        case "capture":
            return {"manualTrigger": "ok"}
        case "pulse":
            delay = round(min(max(command.seconds, 0.05), PULSE_LIMIT_S) * 1000)
            return {"ivs_ioctrl": {"delay": delay, "io": command.output, "value": 2}}
        case _:
            return {"ivs_ioctrl": {"delay": 500, "io": command.output, "value": int(command.what == "on")}}


def _shown(show: Show) -> dict[str, object]:
    said: dict[str, object] = {}
    if show.frames:
        said["serialData"] = _serial(show.channel, show.frames)
    if show.voice:
        voice = base64.b64encode(show.voice.encode()).decode()
        play = {"type": "ps_voice_play", "voice": voice, "voice_interval": 0, "voice_volume": 100, "voice_male": 1}
        said["playserver_json_request"] = play
    return said


def _serial(channel: int, frames: Sequence[bytes]) -> list[dict[str, object]]:
    return [
        {"serialChannel": channel, "data": base64.b64encode(frame).decode(), "dataLen": len(frame)} for frame in frames
    ]
