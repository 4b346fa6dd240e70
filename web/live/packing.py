"""Answers packed for whoever takes them so: what a screen begins with crosses a slow radio in a fifth of the time.

Lists of JSON are packed whole. A live stream is one gzip file that never ends (RFC 1951, RFC 1952): a large frame is
packed by itself, a small one stands in it as it is, so that an open screen costs neither memory nor time for it.
"""

from __future__ import annotations

import asyncio
import zlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.live.pieces import LEAST, LEVEL, PackedPiece

MOST = 256_000
"""Bytes of an answer that is packed. Larger ones are copies for gateways, which sit on wires."""

_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_STORED = 0xFFFF


def takes_packed(headers: Headers) -> bool:
    """Whether gzip is named among the encodings that are taken."""
    encodings = (one.partition(";") for one in headers.get("accept-encoding", "").lower().split(","))
    return any(name.strip() == "gzip" and _weight(parameters) > 0 for name, _, parameters in encodings)


def _weight(parameters: str) -> float:
    """`q` of RFC 9110; one that is no number wants nothing."""
    for each in parameters.split(";"):
        name, _, value = each.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


class PackedStream:
    """Bytes to bytes of one gzip file, each piece readable as soon as it is there. Pure."""

    def __init__(self) -> None:
        self._begun = False
        self._sum = 0
        self._size = 0

    def add(self, data: bytes, piece: PackedPiece | None = None) -> bytes:
        """The next piece, packed. `piece`: the same, where somebody has packed it already."""
        head = b"" if self._begun else _HEAD
        self._begun = True
        self._size += len(data)
        if len(data) < LEAST:
            self._sum = zlib.crc32(data, self._sum)
            return head + _stored(data)
        piece = piece or PackedPiece.of(data)
        self._sum = piece.sum_after(self._sum)
        return head + piece.packed

    def end(self) -> bytes:
        """An empty last block, and what a reader compares with."""
        return b"\x03\x00" + self._sum.to_bytes(4, "little") + (self._size & 0xFFFFFFFF).to_bytes(4, "little")


def _stored(data: bytes) -> bytes:
    pieces = (data[at : at + _STORED] for at in range(0, len(data), _STORED))
    return b"".join(
        b"\x00" + len(piece).to_bytes(2, "little") + (len(piece) ^ _STORED).to_bytes(2, "little") + piece
        for piece in pieces
    )


class PackedAnswers:
    """Packs JSON under `/api` that comes in one piece. One with a version (`ETag`) goes as it is: it is small."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = scope["type"] == "http" and scope["path"].startswith("/api/") and scope["method"] == "GET"
        if not asked or not takes_packed(Headers(scope=scope)):
            await self.app(scope, receive, send)
            return
        held: Message | None = None

        async def packed(message: Message) -> None:
            nonlocal held
            if message["type"] == "http.response.start" and _may_be_packed(Headers(raw=message["headers"])):
                held = message
                return
            if held is not None:
                start, held = held, None
                body = message.get("body", b"")
                if not message.get("more_body") and LEAST <= len(body) <= MOST:
                    body = await asyncio.to_thread(zlib.compress, body, LEVEL, zlib.MAX_WBITS | 16)
                    message = {**message, "body": body}
                    headers = MutableHeaders(scope=start)
                    headers["Content-Encoding"] = "gzip"
                    headers["Content-Length"] = str(len(body))
                    headers.add_vary_header("Accept-Encoding")
                await send(start)
            await send(message)

        await self.app(scope, receive, packed)


def _may_be_packed(headers: Headers) -> bool:
    plain = "content-encoding" not in headers and "etag" not in headers
    return plain and headers.get("content-type", "").startswith("application/json")
