"""What is sent packed: whole answers, and a stream of which each piece is readable at once."""

from __future__ import annotations

import gzip
import random
import zlib

import pytest
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

from web.live.packing import MOST, PackedAnswers, PackedStream, takes_packed
from web.live.pieces import LEAST


@pytest.mark.parametrize(
    ("named", "taken"),
    [
        ("gzip, deflate, br", True),
        ("br;q=1.0, GZIP;q=0.8", True),
        ("", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip;q=0.5", True),
        ("gzip;q=0.0", False),
        ("br, gzip ; q=0.000", False),
        ("gzip;q=0.001", True),
        ("gzip;q=many", False),
        ("x-gzip-like", False),
    ],
)
def test_only_who_names_it_is_sent_it(named: str, taken: bool) -> None:
    assert takes_packed(Headers({"accept-encoding": named})) is taken


def test_each_piece_of_a_stream_is_readable_at_once_and_the_whole_is_one_file() -> None:
    chance = random.Random(7)
    pieces = [
        b": beat\n\n",
        b"data: " + b"abc" * 9000,
        b"",
        chance.randbytes(200_000),
        b"x" * (LEAST - 1),
        b"y" * LEAST,
        b"z" * 70_000,
    ]
    stream, reader = PackedStream(), zlib.decompressobj(zlib.MAX_WBITS | 16)
    sent = b""
    for piece in pieces:
        packed = stream.add(piece)
        assert reader.decompress(packed) == piece
        sent += packed
    sent += stream.end()
    assert gzip.decompress(sent) == b"".join(pieces)


def test_a_large_frame_shrinks_and_a_small_one_grows_by_a_few_bytes() -> None:
    stream = PackedStream()
    stream.add(b": beat\n\n")
    assert len(stream.add(b'{"door":"lobby","state":"closed"}' * 500)) < 1000
    assert len(stream.add(b": beat\n\n")) == len(b": beat\n\n") + 5


async def _answered(body: bytes, headers: dict[str, str], **asked: str) -> tuple[Headers, bytes]:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raw = Headers({"content-length": str(len(body)), **headers}).raw
        await send({"type": "http.response.start", "status": 200, "headers": raw})
        await send({"type": "http.response.body", "body": body})

    scope: Scope = {"type": "http", "path": "/api/points", "method": "GET", **asked}
    scope["headers"] = Headers({"accept-encoding": "gzip"}).raw
    said: list[Message] = []

    async def send(message: Message) -> None:
        said.append(message)

    async def receive() -> Message:
        raise AssertionError

    await PackedAnswers(app)(scope, receive, send)
    assert [message["type"] for message in said] == ["http.response.start", "http.response.body"]
    return Headers(raw=said[0]["headers"]), said[1]["body"]


_JSON = {"content-type": "application/json"}


async def test_a_list_is_packed() -> None:
    body = b'{"items":[]}' * 1000
    headers, sent = await _answered(body, _JSON)
    assert headers["content-encoding"] == "gzip"
    assert headers["vary"] == "Accept-Encoding"
    assert int(headers["content-length"]) == len(sent) < 1000
    assert gzip.decompress(sent) == body


@pytest.mark.parametrize(
    ("body", "headers", "asked"),
    [
        (b"{}", _JSON, {}),
        (b"x" * (MOST + 1), _JSON, {}),
        (b"x" * LEAST, _JSON | {"etag": '"4"'}, {}),
        (b"x" * LEAST, _JSON | {"content-encoding": "br"}, {}),
        (b"x" * LEAST, {"content-type": "image/jpeg"}, {}),
        (b"x" * LEAST, _JSON, {"path": "/health"}),
        (b"x" * LEAST, _JSON, {"method": "POST"}),
    ],
)
async def test_all_else_goes_as_it_is(body: bytes, headers: dict[str, str], asked: dict[str, str]) -> None:
    answered, sent = await _answered(body, headers, **asked)
    assert sent == body
    assert answered.get("content-encoding") == headers.get("content-encoding")
    assert int(answered["content-length"]) == len(body)
