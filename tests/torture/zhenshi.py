"""臻识 pushes, spoilt."""

from __future__ import annotations

import base64
import json
from random import Random

from drivers.camera.plates import Pushed
from drivers.camera.zhenshi import answer, parse
from drivers.errors import FrameError
from tests.torture.frames import mutated, noise

_PICTURE = base64.b64encode(b"\xff\xd8\xff\xe0 tiny").decode()
_FORM = (
    b'--x\r\nContent-Disposition: form-data; name="device_name"\r\n\r\nR5\r\n'
    b'--x\r\nContent-Disposition: form-data; name="serialno"\r\n\r\nfe71\r\n--x--\r\n'
)
_FORM_TYPE = "multipart/form-data; boundary=x"


def one(rng: Random) -> None:
    """A push: whole, spoilt, or nothing of the kind. What is read of it is within bounds and can be answered."""
    number = rng.randrange(1 << 31)
    body, kind = _body(rng, number)
    spoilt = rng.randrange(4) > 0
    if spoilt:
        body = mutated(rng, body) if rng.randrange(4) else noise(rng)
    try:
        pushed = parse("cam", body, kind)
    except FrameError:
        assert spoilt, "a whole push is refused"
        return
    assert isinstance(pushed, Pushed)
    for read in pushed.reads:
        assert 0.0 <= read.confidence <= 1.0
        assert len(read.plate) <= 32
        assert len(read.plate_id) <= 128
    json.dumps(answer(pushed=pushed))
    if not spoilt and pushed.reads:
        assert (pushed.number, pushed.reads[0].plate) == (number, "沪A12345")


def _body(rng: Random, number: int) -> tuple[bytes, str]:
    match rng.randrange(8):
        case 0:
            return _FORM, _FORM_TYPE
        case 1:
            trigger = {"source": rng.randrange(5), "value": rng.randrange(2)}
            said = {"AlarmGioIn": {"result": {"TriggerResult": trigger}, "serialno": "fe71"}}
            return json.dumps(said).encode(), "application/json"
    plate = {
        "license": "沪A12345",
        "plateid": number,
        "confidence": rng.randrange(101),
        "colorType": rng.randrange(8),
        "isoffline": rng.randrange(2),
        "timeStamp": {"Timeval": {"sec": rng.randrange(1 << 33), "usec": rng.randrange(1_000_000)}},
        "imageFile": _PICTURE,
    }
    said = {"AlarmInfoPlate": {"result": {"PlateResult": plate}, "serialno": "fe71e106"}}
    return json.dumps(said, ensure_ascii=rng.random() < 0.5).encode(), "application/json"
