"""Dahua's TrafficJunction in its three forms: what is read, the traps, and what is refused."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.camera.dahua import TEXT_LIMIT, events_of, parse, read_of
from drivers.camera.plates import BODY_LIMIT, Pushed
from drivers.camera.replaced import PART_LIMIT, PartReader, StreamPart
from drivers.errors import FrameError
from drivers.reports import PlateRead
from tests.drivers.camera_bodies import CUT_OUT, DAHUA, JPEG, LINES, TOLLGATE, coded, dahua

READ = PlateRead(
    camera="cam",
    plate="沪A12345",
    plate_id="4711-1795000199",
    confidence=0.86,
    colour="blue",
    seen_at=1_795_000_199_250,
)


def read(event: dict[str, Any]) -> PlateRead | None:
    return read_of("cam", event)


@pytest.mark.parametrize(
    "text",
    [coded(DAHUA), coded(DAHUA, "Start"), LINES.encode(), LINES.replace("\r\n", "\n").encode(), b"\r\n" + coded(DAHUA)],
    ids=["coded", "begins", "lines", "lines with LF", "blank line first"],
)
def test_the_same_read_in_every_form(text: bytes) -> None:
    [event] = events_of(text)
    assert read(event) == READ


def test_it_pushes_the_same_read() -> None:
    body = json.dumps({"Events": [dahua(NormalPic={"Content": base64.b64encode(JPEG).decode()})]}).encode()
    [said] = parse("cam", body).reads
    assert said == replace(READ, picture=JPEG)


def test_the_form_with_one_picture() -> None:
    [said] = parse("cam", json.dumps(TOLLGATE).encode()).reads
    assert (said.plate, said.confidence, said.colour) == ("沪A12345", 0.86, "blue")
    assert (said.seen_at, said.local) == (1_795_027_799_250, True)  # 18:49:59.250 at the camera
    assert said.plate_id == "cam-7-2026-11-18 18:49:59.250-沪A12345"
    pictured = {"Picture": TOLLGATE["Picture"] | {"CutoutPic": {"Content": base64.b64encode(CUT_OUT).decode()}}}
    assert parse("cam", json.dumps(pictured).encode()).reads[0].picture == CUT_OUT


# what the camera says otherwise → what changes of the read (None: there is no read)
OTHERWISE: list[tuple[dict[str, Any], dict[str, Any] | None]] = [
    # UTC counts local seconds.
    ({"RealUTC": ...}, {"seen_at": 1_795_028_999_250, "local": True, "plate_id": "4711-1795028999"}),
    ({"RealUTC": ..., "UTC": ...}, {"seen_at": None, "plate_id": "4711"}),
    ({"RealUTC": 1795000199000}, {"plate_id": "4711-1795000199000"}),
    ({"RealUTC": 0}, {"seen_at": 1_795_028_999_250, "local": True, "plate_id": "4711-0"}),
    ({"RealUTC": 1e14, "UTC": -5}, {"plate_id": "4711-100000000000000", "seen_at": 100_000_000_000_250}),
    ({"Object": ...}, {"confidence": 0.0}),  # TrafficCar has none, and the vehicle's is another thing
    ({"Object": {"Confidence": 400}, "EventID": 5}, {"confidence": 1.0, "plate_id": "5-1795000199"}),
    ({"TrafficCar": ...}, {"colour": ""}),
    ({"TrafficCar": {"PlateNumber": "unlicensed"}}, {"plate": "", "colour": ""}),
    ({"TrafficCar": {"PlateNumber": "Unknown"}}, {"plate": "", "colour": ""}),
    ({"TrafficCar": {"PlateNumber": " 沪a12345 "}}, {"colour": ""}),
    ({"EventID": ...}, {"plate_id": "45103734-1795000199"}),
    ({"OffLine": 1}, {"replayed": True}),
    ({"RealUTC": "1795000199"}, {}),
    ({"RealUTC": True}, {"seen_at": 1_795_028_999_250, "local": True, "plate_id": "4711-1795028999"}),
    ({"Action": "Stop"}, None),
    ({"Code": "VideoMotion"}, None),
]


@pytest.mark.parametrize(("changes", "change"), OTHERWISE)
def test_traps(changes: dict[str, Any], change: dict[str, Any] | None) -> None:
    said = read(dahua(**changes))
    if change is None:
        assert said is None
        return
    for name in PlateRead.__slots__:
        assert getattr(said, name) == change.get(name, getattr(READ, name)), name


def test_a_heartbeat_and_an_end_are_no_cars() -> None:
    assert events_of(b"Heartbeat\r\n") == []
    assert events_of(b"") == []
    [event] = events_of(coded(DAHUA, "Stop"))
    assert read(event) is None


def test_signs_of_life_by_push() -> None:
    for body in (b'{"Active": "keepAlive"}', b'{"DeviceID": "7"}', b'{"Events": []}'):
        assert parse("cam", body) == Pushed(heartbeat=True)


WRONG_TEXTS: list[tuple[bytes, str]] = [
    (b"\xff\xfe\x00", "neither"),
    (coded(DAHUA)[:200], "not JSON"),
    (b"Code=TrafficJunction;action=Pulse;index=0;data=[1]", "no object"),
    (b"Code=TrafficJunction;action=Pulse;index=0;data=" + b"[" * 9999, "not JSON"),
    (b"x" * (TEXT_LIMIT + 1), "at most"),
    (b"Events[0].Code=TrafficJunction\n" * 5000, "more than"),
]


@pytest.mark.parametrize(("text", "why"), WRONG_TEXTS, ids=[why for _, why in WRONG_TEXTS])
def test_texts_that_are_refused(text: bytes, why: str) -> None:
    with pytest.raises(FrameError, match=why):
        events_of(text)


def test_an_event_without_a_plate_is_refused() -> None:
    with pytest.raises(FrameError, match=r"without TrafficCar\.PlateNumber"):
        read(dahua(TrafficCar=..., Object=...))


WRONG_BODIES: list[tuple[bytes, str]] = [
    (b"", "not JSON"),
    (b"[]", "object"),
    (b"{}", "neither"),
    (b'{"Events": 7}', "no list"),
    (b'{"Events": [7]}', "no list"),
    (b'{"Picture": {}}', "PlateNumber"),
    (b"[" * 99999, "not JSON"),
    (b" " * (BODY_LIMIT + 1), "at most"),
]


@pytest.mark.parametrize(("body", "why"), WRONG_BODIES, ids=[str(n) for n in range(len(WRONG_BODIES))])
def test_pushes_that_are_refused(body: bytes, why: str) -> None:
    with pytest.raises(FrameError, match=why):
        parse("cam", body)


@given(st.binary(max_size=400))
def test_any_text_is_read_or_refused(body: bytes) -> None:
    for attempt in (lambda: parse("cam", body), lambda: [read(event) for event in events_of(body)]):
        try:
            attempt()
        except FrameError:
            continue


# --- The stream

TYPE = "multipart/x-mixed-replace; boundary=myboundary"
PARTS = [
    ("text/plain", b"Heartbeat"),
    ("text/plain", coded(DAHUA)),
    ("image/jpeg", JPEG),
    ("text/plain", LINES.encode()),
]


def stream(eol: bytes = b"\r\n", *, lengths: bool = True) -> bytes:
    data = b""
    for kind, content in PARTS:
        head = b"--myboundary" + eol + b"Content-Type: " + kind.encode() + eol
        if lengths:
            head += b"Content-Length: " + str(len(content)).encode() + eol
        data += head + eol + content + eol
    return data + b"--myboundary" + eol


@pytest.mark.parametrize("eol", [b"\r\n", b"\n"])
@pytest.mark.parametrize("step", [1, 7, 100_000])
def test_a_stream_in_pieces_of_any_size(eol: bytes, step: int) -> None:
    data, reader = stream(eol), PartReader(TYPE)
    found = [part for at in range(0, len(data), step) for part in reader.feed(data[at : at + step])]
    assert found == [StreamPart(kind, content) for kind, content in PARTS]


def test_a_stream_without_lengths_goes_by_its_boundary() -> None:
    reader = PartReader('Multipart/X-Mixed-Replace; boundary="--myboundary"')
    texts = [part.content.strip() for part in reader.feed(stream(lengths=False)) if part.kind == "text/plain"]
    assert texts == [content.strip() for kind, content in PARTS if kind == "text/plain"]


@pytest.mark.parametrize(
    ("kind", "data", "why"),
    [
        ("text/html", b"", "stream of parts"),
        ("multipart/x-mixed-replace", b"", "without a boundary"),
        (TYPE, b"x" * 9000, "no boundary"),
        (TYPE, b"--myboundary\r\nContent-Length: 99999999\r\n\r\n", "at most"),
        (TYPE, b"--myboundary\r\nContent-Length: -1\r\n\r\n", "Content-Length"),
        (TYPE, b"--myboundary\r\nX: " + b"y" * 9000, "do not end"),
        (TYPE, b"--myboundary\r\n\r\n" + b"y" * (PART_LIMIT + 1), "more than"),
    ],
)
def test_streams_that_are_given_up(kind: str, data: bytes, why: str) -> None:
    with pytest.raises(FrameError, match=why):
        PartReader(kind).feed(data)
