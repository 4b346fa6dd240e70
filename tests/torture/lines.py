"""Lines of text: however a stream is cut, the same lines come out; only whole lines say something."""

from __future__ import annotations

from random import Random

from drivers.errors import FrameError
from drivers.lines.codec import Credential, Lines, credential
from drivers.lines.product import LineFormat
from drivers.profiles.words import CardFormat, QrFormat
from tests.torture.frames import mutated, noise, pieces

_FORMS = [
    LineFormat(ends="terminator", gap_s=0.05, max_length=64, card=CardFormat(), qr=QrFormat()),
    LineFormat(ends="terminator", gap_s=0.05, max_length=64, card=CardFormat(format="10d"), qr=QrFormat(prefix="")),
    LineFormat(ends="terminator", gap_s=0.05, max_length=64, card=CardFormat(format="3+5", prefix="#"), qr=None),
    LineFormat(ends="gap", gap_s=0.05, max_length=64, card=CardFormat(format="8h"), qr=QrFormat()),
]
_SAID = (b"04A1B2C3D4E5F6", b"00D507D0", b"0013961168", b"#213,02000", "QR:访客-42".encode(), "QR:访客".encode("gbk"))
_ENDS = (b"\r\n", b"\r", b"\n")


def one(rng: Random) -> None:
    """A stream of a few lines, spoilt."""
    form = rng.choice(_FORMS)
    stream = b"".join(rng.choice(_SAID) + rng.choice(_ENDS) for _ in range(rng.randint(1, 3)))
    stream = noise(rng, 100) if rng.random() < 0.1 else mutated(rng, stream)
    whole = [_read(line, form) for line in _cut(form, [stream])]
    parts = [_read(line, form) for line in _cut(form, pieces(rng, stream))]
    assert whole == parts, stream
    for read in whole:
        if read is not None and read.kind == "card":
            assert bytes.fromhex(read.value).hex().upper() == read.value
        elif read is not None:
            assert read.value, stream
            assert read.value.isprintable(), stream


def _cut(form: LineFormat, stream: list[bytes]) -> list[bytes | FrameError]:
    """All lines of a stream whose bytes come without a gap, and the silence after it."""
    cutter = Lines(form)
    found = [line for part in stream for line in cutter.feed(part, 0.0)]
    left = list(cutter.idle(10.0))
    if form.ends == "terminator":
        assert all(isinstance(line, FrameError) for line in left), "a line without an end"
    return found + left


def _read(line: bytes | FrameError, form: LineFormat) -> Credential | None:
    if isinstance(line, FrameError):
        return None
    assert len(line) <= form.max_length
    try:
        return credential(line, form)
    except FrameError:
        return None
