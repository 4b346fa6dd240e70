"""Parts of a `multipart/form-data` body (RFC 7578) as cameras send it. Pure.

Pictures are bytes that no line of text may touch, so the parts are cut at the boundary and nowhere else.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from drivers.errors import FrameError

PARTS_LIMIT = 32
HEADERS_LIMIT = 4096

_BOUNDARY = re.compile(r'boundary\s*=\s*(?:"([^"]{1,200})"|([^\s;"]{1,200}))', re.IGNORECASE)
_WORD = re.compile(r'\b(name|filename)\s*=\s*(?:"([^"]*)"|([^\s;"]+))', re.IGNORECASE)


class Part(NamedTuple):
    """One part: its names ("" where it has none), its type in lower case, its bytes."""

    name: str
    filename: str
    kind: str
    content: bytes


def boundary_of(content_type: str) -> bytes:
    """The boundary that a content type names; `FrameError` if it names none."""
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise FrameError("a multipart body without a boundary")
    return (found[1] or found[2]).encode("latin-1", "replace")


def parts_of(body: bytes, content_type: str) -> list[Part]:
    """Every part. `FrameError` if the body does not begin or end as it says, or has too many parts."""
    mark = b"--" + boundary_of(content_type)
    # Some cameras say in the header more dashes, or fewer, than they send.
    if mark not in body and (shorter := b"--" + boundary_of(content_type).lstrip(b"-")) in body:
        mark = shorter
    pieces = body.split(mark, PARTS_LIMIT + 1)
    if len(pieces) < 2:
        raise FrameError("a multipart body in which the boundary does not occur", body[:64])
    if len(pieces) > PARTS_LIMIT + 1:
        raise FrameError(f"a multipart body of more than {PARTS_LIMIT} parts", body[:64])
    parts: list[Part] = []
    for piece in pieces[1:]:
        if piece.startswith(b"--"):
            return parts
        parts.append(_part(piece))
    raise FrameError("a multipart body that breaks off", body[-64:])


def _part(piece: bytes) -> Part:
    piece = piece.removeprefix(b"\r\n") if piece.startswith(b"\r\n") else piece.removeprefix(b"\n")
    for blank in (b"\r\n\r\n", b"\n\n"):
        head, found, content = piece.partition(blank)
        if found and len(head) <= HEADERS_LIMIT:
            break
    else:
        raise FrameError("a part without the blank line after its headers", piece[:64])
    ending = b"\r\n" if content.endswith(b"\r\n") else b"\n"
    content = content.removesuffix(ending)
    lines = head.decode("utf-8", "replace").splitlines()
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    words = {
        word.lower(): quoted or bare for word, quoted, bare in _WORD.findall(headers.get("content-disposition", ""))
    }
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return Part(words.get("name", ""), words.get("filename", ""), kind, content)
