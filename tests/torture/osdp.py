"""OSDP frames: whatever the line does, a frame that comes out is one that stood on it whole, with its check right."""

from __future__ import annotations

from random import Random

from drivers.errors import FrameError
from drivers.osdp.codec import COMMANDS, REPLIES, Frame, Frames, check, read, write
from drivers.osdp.keypad import Keypad
from tests.torture.frames import mutated, noise, pieces

_BLOCKS = (b"", b"", b"", b"\x11\x01", b"\x12\x00", b"\x13\x01", b"\x14\x01", b"\x15", b"\x16", b"\x17", b"\x18")


def one(rng: Random) -> None:
    """Frames, spoilt frames, echoes and noise in one stream; a keypad that is hit with anything."""
    stream, sound, clean = b"", [], True
    for _ in range(rng.randint(1, 3)):
        frame = _frame(rng)
        raw = write(frame)
        assert read(raw) == frame_as_read(frame, raw)
        match rng.randrange(4):
            case 0:
                stream, clean = stream + mutated(rng, raw), False
            case 1:
                stream, clean = stream + noise(rng, 30), False
            case 2:
                stream += b"\xff" + raw + raw  # its own echo
                sound += [raw, raw]
            case _:
                stream += raw
                sound.append(raw)
    frames = Frames()
    found: list[Frame | FrameError] = []
    for piece in pieces(rng, stream):
        found += frames.feed(piece, 0.0)
    for each in found:
        if isinstance(each, Frame):
            width = 2 if each.crc else 1
            assert each.raw[-width:] == check(each.raw[:-width], crc=each.crc)
            assert each.raw in stream
            assert each.raw[4] & 0xF0 or write(each) == each.raw  # the reserved bits are passed over
            each.words()
        else:
            assert isinstance(each, FrameError)
    if clean:
        assert [isinstance(each, Frame) and each.raw for each in found] == sound
    for pin in Keypad(longest=8, forget_s=5.0).press(noise(rng, 12), 0.0):
        assert isinstance(pin, FrameError) or len(pin) <= 8


def frame_as_read(frame: Frame, raw: bytes) -> Frame:
    """The same frame with the bytes that it came in."""
    return Frame(
        address=frame.address,
        reply=frame.reply,
        sequence=frame.sequence,
        code=frame.code,
        data=frame.data,
        crc=frame.crc,
        block=frame.block,
        mac=frame.mac,
        raw=raw,
    )


def _frame(rng: Random) -> Frame:
    reply = rng.random() < 0.6
    block = rng.choice(_BLOCKS)
    return Frame(
        address=rng.randrange(128),
        reply=reply,
        sequence=rng.randrange(4),
        code=rng.choice(tuple(REPLIES if reply else COMMANDS)) if rng.random() < 0.9 else rng.randrange(256),
        data=noise(rng, 40),
        crc=rng.random() < 0.8,
        block=block,
        mac=rng.randbytes(4) if block and block[0] >= 0x15 else b"",
    )
