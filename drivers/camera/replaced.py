"""The stream of an attached camera: `multipart/x-mixed-replace`, taken as it comes, in pieces of any size. Pure.

Firmwares end lines with CR LF or LF, send a `Content-Length` or none, and some end parts without a boundary between.
"""

from __future__ import annotations

from typing import NamedTuple

from drivers.camera.multipart import boundary_of
from drivers.errors import FrameError

HEADERS_LIMIT = 8 * 1024
PART_LIMIT = 4 * 1024 * 1024


class StreamPart(NamedTuple):
    """One part of the stream: its type in lower case and its bytes."""

    kind: str
    content: bytes


class PartReader:
    """`feed` with bytes gives the parts that are whole by now. After a `FrameError` the stream cannot be read on."""

    def __init__(self, content_type: str) -> None:
        if not content_type.strip().lower().startswith("multipart/"):
            raise FrameError(f"a stream of parts is expected, not {content_type[:60]!r}")
        name = boundary_of(content_type)
        # The name is often given with its two dashes already.
        self._mark = b"--" + name.removeprefix(b"--")
        self._buffer = bytearray()
        self._kind = ""
        self._length: int | None = None
        self._inside = False
        self._looked = 0

    def feed(self, data: bytes) -> list[StreamPart]:
        """The parts that these bytes complete, in their order."""
        self._buffer += data
        parts: list[StreamPart] = []
        while True:
            part = self._content() if self._inside else self._headers()
            if part is None:
                return parts
            if part.kind or part.content:
                parts.append(part)

    def _headers(self) -> StreamPart | None:
        """An empty part when the headers are whole, None when more bytes are needed."""
        at = self._buffer.find(self._mark)
        if at < 0:
            if len(self._buffer) > HEADERS_LIMIT:
                raise FrameError("no boundary where one is due", bytes(self._buffer[:64]))
            return None
        if at > HEADERS_LIMIT:
            raise FrameError("bytes between the parts", bytes(self._buffer[:64]))
        begin = at + len(self._mark)
        end, size = _blank(self._buffer, begin)
        if end < 0:
            if len(self._buffer) - begin > HEADERS_LIMIT:
                raise FrameError("headers of a part that do not end", bytes(self._buffer[begin : begin + 64]))
            return None
        self._take(bytes(self._buffer[begin:end]))
        del self._buffer[: end + size]
        self._inside = True
        return StreamPart("", b"")

    def _take(self, head: bytes) -> None:
        self._kind, self._length = "", None
        for line in head.decode("latin-1").splitlines():
            name, _, value = line.partition(":")
            if name.strip().lower() == "content-type":
                self._kind = value.partition(";")[0].strip().lower()
            elif name.strip().lower() == "content-length":
                digits = value.strip(" \t")
                if not digits.isdecimal() or len(digits) > 9:
                    raise FrameError(f"a Content-Length of {digits[:20]!r}")
                self._length = int(digits)
        if self._length is not None and self._length > PART_LIMIT:
            raise FrameError(f"a part of {self._length} bytes, at most {PART_LIMIT} are read")

    def _content(self) -> StreamPart | None:
        if self._length is not None:
            if len(self._buffer) < self._length:
                return None
            return self._part(self._length)
        # Bytes that were looked at once are not looked at again: a part may come byte by byte.
        at = self._buffer.find(self._mark, max(0, self._looked - len(self._mark)))
        self._looked = len(self._buffer)
        if at < 0:
            if len(self._buffer) > PART_LIMIT:
                raise FrameError(f"a part of more than {PART_LIMIT} bytes")
            return None
        return self._part(at)

    def _part(self, size: int) -> StreamPart:
        content = bytes(self._buffer[:size])
        del self._buffer[:size]
        self._inside, self._looked = False, 0
        if self._length is None:
            content = content.removesuffix(b"\n").removesuffix(b"\r")
        return StreamPart(self._kind or "text/plain", content)


def _blank(buffer: bytearray, begin: int) -> tuple[int, int]:
    """Where the headers end and how long the blank line is; (-1, 0) if it has not come yet."""
    crlf, lf = buffer.find(b"\r\n\r\n", begin), buffer.find(b"\n\n", begin)
    if crlf >= 0 and (lf < 0 or crlf < lf):
        return crlf, 4
    return (lf, 2) if lf >= 0 else (-1, 0)
