"""The bodies that a 臻识 plate camera pushes, and what it makes of the answers. Pure.

Source: the vendor's description of AlarmInfoPlate (HTTP push), as `drivers/profiles` names it.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from simulators.camera.picture import PlateColour, Shot, colour_of

_COLOUR_CODES: dict[PlateColour, int] = {"blue": 1, "yellow": 2, "white": 3, "black": 4, "green": 5}
NO_PLATE = "_无_"


@dataclass(frozen=True, slots=True)
class Seen:
    """A plate as the camera read it, "" for none. `at_ms`: Unix milliseconds; `confidence`: 0–100."""

    plate: str
    plate_id: int
    at_ms: int
    confidence: int
    shot: Shot


@dataclass(frozen=True, slots=True)
class CameraIdentity:
    """What a camera says of itself."""

    name: str
    serial: str
    address: str = "127.0.0.1"
    timezone: str = "Asia/Shanghai"


def plate_body(camera: CameraIdentity, seen: Seen, *, replayed: bool = False, missing: bool = False) -> bytes:
    """AlarmInfoPlate as JSON; `missing`: without the fields that a receiver needs most."""
    result = _plate_result(camera, seen, replayed)
    if missing:
        for key in ("license", "plateid", "timeStamp", "confidence"):
            del result[key]
    alarm = {
        "channel": 0,
        "deviceName": camera.name,
        "ipaddr": camera.address,
        "result": {"PlateResult": result},
        "serialno": camera.serial,
    }
    return json.dumps({"AlarmInfoPlate": alarm}, ensure_ascii=False).encode()


def _plate_result(camera: CameraIdentity, seen: Seen, replayed: bool) -> dict[str, Any]:
    left, top, right, bottom = seen.shot.place
    none = not seen.plate
    return {
        "bright": 0,
        "carColor": 255,
        "colorType": 0 if none else _COLOUR_CODES[colour_of(seen.plate)],
        "confidence": seen.confidence,
        "direction": 4,
        "imageFile": base64.b64encode(seen.shot.scene).decode(),
        "imageFileLen": len(seen.shot.scene),
        "imageFragmentFile": base64.b64encode(seen.shot.plate).decode(),
        "imageFragmentFileLen": len(seen.shot.plate),
        "isoffline": int(replayed),
        "is_fake_plate": 0,
        "license": seen.plate or NO_PLATE,
        "plateid": seen.plate_id,
        "location": {"RECT": {"left": left, "top": top, "right": right, "bottom": bottom}},
        "timeStamp": {"Timeval": _time_value(seen.at_ms, camera.timezone)},
        "triggerType": 8,
        "type": 31 if none else 19 if len(seen.plate) == 8 else 1,
        "gioouts": [{"ctrltype": 0, "ionum": "0"}],
    }


def _time_value(at_ms: int, timezone: str) -> dict[str, int]:
    local = datetime.fromtimestamp(at_ms / 1000, ZoneInfo(timezone))
    return {
        "decyear": local.year,
        "decmon": local.month,
        "decday": local.day,
        "dechour": local.hour,
        "decmin": local.minute,
        "decsec": local.second,
        "sec": at_ms // 1000,
        "usec": at_ms % 1000 * 1000,
    }


def heartbeat_form(camera: CameraIdentity) -> dict[str, tuple[None, str]]:
    """The fields of the multipart form that a camera sends to say that it is there."""
    fields = {
        "device_name": camera.name,
        "ipaddr": camera.address,
        "port": "80",
        "user_name": "admin",
        "serialno": camera.serial,
        "channel_num": "0",
    }
    return {name: (None, text) for name, text in fields.items()}


def input_body(camera: CameraIdentity, number: int, on: bool) -> bytes:
    """AlarmGioIn: a contact (from 0) that has changed."""
    trigger = {"TriggerResult": {"source": number, "value": int(on)}}
    said = {"deviceName": camera.name, "ipaddr": camera.address, "result": trigger, "serialno": camera.serial}
    return json.dumps({"AlarmGioIn": said}).encode()


@dataclass(frozen=True, slots=True)
class PushVerdict:
    """What an answer tells the camera. `taken`: it need not send again; `lift`: it closes its own output.

    `pulses`, `switched`: outputs (from 0) to close for so many seconds, or to switch; `capture`: to read a plate now;
    `shown`: frames for its serial port; `said`: words to say.
    """

    taken: bool
    lift: bool = False
    pulses: tuple[tuple[int, float], ...] = ()
    switched: tuple[tuple[int, bool], ...] = ()
    capture: bool = False
    shown: tuple[bytes, ...] = ()
    said: str = ""


def verdict(status: int, body: bytes) -> PushVerdict:
    """What the camera makes of an answer: without a Response object it counts the push as failed."""
    if not 200 <= status < 300:
        return PushVerdict(taken=False)
    try:
        document = json.loads(body)
    except ValueError:
        return PushVerdict(taken=False)
    said = document.get("Response_AlarmInfoPlate") if isinstance(document, dict) else None
    if not isinstance(said, dict):
        return PushVerdict(taken=False)
    pulses, switched = _outputs(said.get("ivs_ioctrl"))
    voice = said.get("playserver_json_request") or {}
    return PushVerdict(
        taken=True,
        lift=said.get("info") == "ok",
        pulses=pulses,
        switched=switched,
        capture=said.get("manualTrigger") == "ok",
        shown=tuple(base64.b64decode(frame["data"]) for frame in said.get("serialData") or ()),
        said=base64.b64decode(voice.get("voice", "")).decode(),
    )


def _outputs(command: dict[str, int] | None) -> tuple[tuple[tuple[int, float], ...], tuple[tuple[int, bool], ...]]:
    if command is None:
        return (), ()
    if command["value"] == 2:
        return ((command["io"], command["delay"] / 1000),), ()
    return (), ((command["io"], command["value"] == 1),)
