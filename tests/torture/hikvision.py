"""Hikvision pushes, spoilt."""

from __future__ import annotations

from random import Random

from drivers.camera.hikvision import parse
from drivers.camera.plates import Pushed
from drivers.errors import FrameError
from tests.torture.frames import mutated, noise

_TYPE = "multipart/form-data; boundary=bb"
_XML = (
    '<EventNotificationAlert xmlns="http://www.{}/ver20/XMLSchema"><dateTime>2026-11-18T10:50:00+08:00</dateTime>'
    "<eventType>ANPR</eventType><eventState>active</eventState><ANPR><licensePlate>沪A12345</licensePlate>"
    "<confidenceLevel>97</confidenceLevel><plateColor>blue</plateColor></ANPR><UUID>{}</UUID></EventNotificationAlert>"
)
_PICTURE = b"\xff\xd8\xff\xe0 tiny"


def one(rng: Random) -> None:
    """A push: whole, spoilt in its frame or inside its XML, or nothing of the kind."""
    number = rng.randrange(1 << 31)
    space = rng.choice(["hikvision.com", "isapi.org"])
    xml = _XML.format(space, number).encode()
    kind = _TYPE if rng.randrange(3) else "application/xml"
    how = rng.randrange(4)
    if how == 1:
        xml = mutated(rng, xml)
    body = xml if kind != _TYPE else _form(rng, xml)
    if how == 2:
        body = mutated(rng, body)
    elif how == 3:
        body = noise(rng, 200)
    try:
        pushed = parse("cam", body, kind)
    except FrameError:
        assert how, "a whole push is refused"
        return
    assert isinstance(pushed, Pushed)
    for read in pushed.reads:
        assert 0.0 <= read.confidence <= 1.0
        assert len(read.plate) <= 32
        assert len(read.plate_id) <= 128
        assert read.picture is None or read.picture.startswith(b"\xff\xd8\xff")
    if not how:
        [read] = pushed.reads
        assert (read.plate, read.plate_id, read.confidence) == ("沪A12345", str(number), 0.97)


def _form(rng: Random, xml: bytes) -> bytes:
    picture = _PICTURE if rng.randrange(3) else b""
    return (
        b'--bb\r\nContent-Disposition: form-data; name="anpr.xml"\r\nContent-Type: text/xml\r\n\r\n' + xml + b"\r\n"
        b'--bb\r\nContent-Disposition: form-data; name="detectionPicture.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
        + picture
        + b"\r\n--bb--\r\n"
    )
