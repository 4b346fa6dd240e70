"""Dahua's stream and push, spoilt."""

from __future__ import annotations

import json
from random import Random

from drivers.camera.dahua import events_of, parse, read_of
from drivers.camera.replaced import PartReader
from drivers.errors import FrameError
from drivers.reports import PlateRead
from tests.torture.frames import mutated, noise, pieces

_TYPE = "multipart/x-mixed-replace; boundary=mb"


def one(rng: Random) -> None:
    """Parts of a stream in pieces of any size, or a push: whole, spoilt, or nothing of the kind."""
    number = rng.randrange(1, 1 << 31)
    if rng.randrange(3):
        _stream(rng, number)
    else:
        _push(rng, number)


def _stream(rng: Random, number: int) -> None:
    text = _lines(number) if rng.randrange(2) else _coded(number)
    how = rng.randrange(4)
    if how == 1:
        text = mutated(rng, text)
    eol = b"\r\n" if rng.randrange(4) else b"\n"
    data = _part(b"Heartbeat", eol) + _part(text, eol) + _part(b"Heartbeat", eol)
    if how == 2:
        data = mutated(rng, data)
    elif how == 3:
        data = noise(rng, 300)
    reader, reads, refused = PartReader(_TYPE), [], False
    for piece in pieces(rng, data):
        try:
            parts = reader.feed(piece)
        except FrameError:
            refused = True
            break
        for part in parts:
            try:
                reads += [read for event in events_of(part.content) if (read := read_of("cam", event)) is not None]
            except FrameError:
                refused = True
    _check(reads)
    if not how:
        assert not refused
        assert [read.plate_id for read in reads] == [f"{number}-1795000199"]


def _push(rng: Random, number: int) -> None:
    body = json.dumps({"Events": [_event(number)]}, ensure_ascii=False).encode()
    spoilt = rng.randrange(3) > 0
    if spoilt:
        body = mutated(rng, body) if rng.randrange(4) else noise(rng)
    try:
        reads = list(parse("cam", body).reads)
    except FrameError:
        assert spoilt, "a whole push is refused"
        return
    _check(reads)
    if not spoilt:
        assert [read.plate for read in reads] == ["沪A12345"]


def _check(reads: list[PlateRead]) -> None:
    for read in reads:
        assert 0.0 <= read.confidence <= 1.0
        assert len(read.plate) <= 32
        assert len(read.plate_id) <= 128
        assert read.seen_at is None or read.seen_at > 0


def _event(number: int) -> dict[str, object]:
    return {
        "Code": "TrafficJunction",
        "EventID": number,
        "Object": {"Confidence": 86, "Text": "沪A12345"},
        "TrafficCar": {"PlateNumber": "沪A12345", "PlateColor": "Blue"},
        "RealUTC": 1795000199,
        "UTC": 1795028999,
        "UTCMS": 250,
    }


def _coded(number: int) -> bytes:
    data = json.dumps(_event(number), ensure_ascii=False)
    return f"Code=TrafficJunction;action=Pulse;index=0;data={data}".encode()


def _lines(number: int) -> bytes:
    return (
        "Events[0].EventBaseInfo.Code=TrafficJunction\r\nEvents[0].EventBaseInfo.Action=Pulse\r\n"
        f"Events[0].EventID={number}\r\nEvents[0].Object.Confidence=86\r\nEvents[0].RealUTC=1795000199\r\n"
        "Events[0].TrafficCar.PlateNumber=沪A12345\r\n"
    ).encode()


def _part(content: bytes, eol: bytes) -> bytes:
    head = b"--mb" + eol + b"Content-Type: text/plain" + eol + f"Content-Length: {len(content)}".encode() + eol + eol
    return head + content + eol
