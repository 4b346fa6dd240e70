"""OSDP frames: cutting them out of a line's bytes, checking them, reading them for a person's eyes. Pure.

A frame is handed over whole, with a check that is right, or not at all. What is said inside a secure channel is not
read here (the library does that); which command or reply it is stands outside of what is encrypted.
Sources: SIA OSDP 2.2 (IEC 60839-11-5), sections 5.9 (packet format), 6 and 7 (commands, replies), annex D (security
blocks). CRC: polynomial 0x1021, initial value 0x1D0F, low byte first; checksum: two's complement of the sum.
"""

from __future__ import annotations

from binascii import crc_hqx
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from drivers.errors import FrameError

SOM: Final = 0x53
MARK: Final = 0xFF
"""Drivers may send it before a frame; it belongs to none."""

REPLY: Final = 0x80
"""Bit of the address byte that a reader sets."""

EVERYBODY: Final = 0x7F
"""The address to which every reader listens."""

_SEQUENCE, _CRC, _BLOCK = 0x03, 0x04, 0x08
_HEAD = 5
_MAC = 4
_MACKED = 0x15
"""Security blocks from this type on are followed by a MAC at the frame's end."""

LONGEST: Final = 255
"""What the library can hold; OSDP allows 1440 for readers that say so."""

GAP_S: Final = 0.1
"""Characters of one frame follow each other faster than this (section 5.7: 20 ms)."""

POLL, ID, CAP, LSTAT, ISTAT, OSTAT = 0x60, 0x61, 0x62, 0x64, 0x65, 0x66
OUT, LED, BUZ, TEXT = 0x68, 0x69, 0x6A, 0x6B
KEYSET, CHLNG, SCRYPT = 0x75, 0x76, 0x77
ACK, NAK, PDID, PDCAP, LSTATR, ISTATR, OSTATR = 0x40, 0x41, 0x45, 0x46, 0x48, 0x49, 0x4A
RAW, KEYPAD, CCRYPT, RMAC_I, BUSY = 0x50, 0x53, 0x76, 0x78, 0x79

COMMANDS: Mapping[int, str] = {
    POLL: "POLL", ID: "ID", CAP: "CAP", LSTAT: "LSTAT", ISTAT: "ISTAT", OSTAT: "OSTAT", 0x67: "RSTAT", OUT: "OUT",
    LED: "LED", BUZ: "BUZ", TEXT: "TEXT", 0x6E: "COMSET", 0x73: "BIOREAD", 0x74: "BIOMATCH", KEYSET: "KEYSET",
    CHLNG: "CHLNG", SCRYPT: "SCRYPT", 0x7B: "ACURXSIZE", 0x7C: "FILETRANSFER", 0x80: "MFG", 0xA1: "XWR",
    0xA2: "ABORT", 0xA3: "PIVDATA", 0xA4: "GENAUTH", 0xA5: "CRAUTH", 0xA7: "KEEPACTIVE",
}  # fmt: skip
"""Section 6: what the gateway says."""

REPLIES: Mapping[int, str] = {
    ACK: "ACK", NAK: "NAK", PDID: "PDID", PDCAP: "PDCAP", LSTATR: "LSTATR", ISTATR: "ISTATR", OSTATR: "OSTATR",
    0x4B: "RSTATR", RAW: "RAW", 0x51: "FMT", KEYPAD: "KEYPAD", 0x54: "COM", 0x57: "BIOREADR", 0x58: "BIOMATCHR",
    CCRYPT: "CCRYPT", RMAC_I: "RMAC_I", BUSY: "BUSY", 0x7A: "FTSTAT", 0x80: "PIVDATAR", 0x81: "GENAUTHR",
    0x82: "CRAUTHR", 0x83: "MFGSTATR", 0x84: "MFGERRR", 0x90: "MFGREP", 0xB1: "XRD",
}  # fmt: skip
"""Section 7: what a reader says."""

BLOCKS: Mapping[int, str] = {
    0x11: "begins a secure channel", 0x12: "begins a secure channel", 0x13: "proves the key", 0x14: "proves the key",
    0x15: "secure", 0x16: "secure", 0x17: "secure, encrypted", 0x18: "secure, encrypted",
}  # fmt: skip
"""Annex D: types of security blocks."""

NAKS: Mapping[int, str] = {
    1: "bad check", 2: "wrong length", 3: "unknown command", 4: "wrong sequence", 5: "no such security block",
    6: "a secure channel is wanted", 7: "biometric type", 8: "biometric format", 9: "cannot do that now",
}  # fmt: skip
"""Section 7.3: why a reader refuses."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame, checked. `address` 0..127; `block`: the security block's type and data; `data`: after the code.

    `raw`: the whole frame from its SOM, without the mark.
    """

    address: int
    reply: bool
    sequence: int
    code: int
    data: bytes = b""
    crc: bool = True
    block: bytes = b""
    mac: bytes = b""
    raw: bytes = b""

    @property
    def name(self) -> str:
        """What the command or reply is called."""
        return (REPLIES if self.reply else COMMANDS).get(self.code, f"0x{self.code:02X}")

    @property
    def encrypted(self) -> bool:
        """Whether `data` cannot be read without the session's key."""
        return bool(self.block) and self.block[0] in {0x17, 0x18}

    def words(self) -> str:
        """One line for the installer: who says what, in which sequence, how protected."""
        way = "←" if self.reply else "→"
        parts = [f"{way} {self.address} {self.name}", f"seq {self.sequence}"]
        if self.block:
            parts.append(BLOCKS.get(self.block[0], f"block 0x{self.block[0]:02X}"))
        if self.code in {CHLNG, SCRYPT, CCRYPT} and len(self.block) > 1 and self.block[1] == 0:
            parts.append("with the default key")
        if self.reply and self.code == NAK and self.data and not self.encrypted:
            parts.append(NAKS.get(self.data[0], f"reason {self.data[0]}"))
        elif self.data and not self.encrypted and self.code != KEYSET:
            parts.append(self.data.hex(" "))
        return " · ".join(parts)


class Frames:
    """Cuts a line's bytes into frames. Holds at most one unfinished frame of `LONGEST` bytes."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._last_at = 0.0

    def feed(self, data: bytes, at: float) -> Iterator[Frame | FrameError]:
        """The frames that `data` ends, in order; each stretch of bytes that is none comes as its error.

        `at`: monotonic seconds. What was unfinished for `GAP_S` is broken off.
        """
        if self._buffer and at - self._last_at > GAP_S:
            yield self._broken_off()
        self._last_at = at
        self._buffer += data
        spoilt = bytearray()
        while self._buffer:
            skipped, found = self._next()
            spoilt += skipped
            if found is None:
                break
            if spoilt:
                yield FrameError("bytes that are no frame", bytes(spoilt))
                spoilt.clear()
            yield found
        if spoilt:
            yield FrameError("bytes that are no frame", bytes(spoilt))

    def clear(self) -> None:
        """Forgets what is unfinished: something else begins now."""
        self._buffer.clear()

    def _broken_off(self) -> FrameError:
        rest = bytes(self._buffer)
        self._buffer.clear()
        return FrameError("a frame that was broken off", rest)

    def _next(self) -> tuple[bytes, Frame | None]:
        """Bytes before the next frame that belong to none, and that frame; None if it is not there yet."""
        at = 0
        buffer = self._buffer
        while (at := buffer.find(SOM, at)) >= 0:
            size = _size(buffer, at)
            if size is None:
                break
            if size and len(buffer) - at < size:
                break
            if size and _sound(raw := bytes(buffer[at : at + size])):
                frame = _parsed(raw)
                if frame is not None:
                    skipped = self._take(at)
                    del buffer[:size]
                    return skipped, frame
            at += 1
        return self._take(len(buffer) if at < 0 else at), None

    def _take(self, count: int) -> bytes:
        """Removes so many bytes; those of them that are not marks before a frame."""
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken.strip(b"\xff")


def read(raw: bytes) -> Frame:
    """One whole frame, with or without its mark. Raises `FrameError` if it is not exactly that."""
    body = raw[1:] if raw[:1] == bytes([MARK]) else raw
    if len(body) < _HEAD + 2 or body[0] != SOM or _size(body, 0) != len(body):
        raise FrameError("not one whole frame", raw)
    if not _sound(body):
        raise FrameError("a frame with a wrong check", raw)
    frame = _parsed(body)
    if frame is None:
        raise FrameError("a frame that contradicts itself", raw)
    return frame


def write(frame: Frame) -> bytes:
    """The bytes of a frame, without a mark; `raw` of it is not looked at."""
    block = bytes([len(frame.block) + 1]) + frame.block if frame.block else b""
    body = block + bytes([frame.code]) + frame.data + frame.mac
    control = frame.sequence | (_CRC if frame.crc else 0) | (_BLOCK if block else 0)
    size = _HEAD + len(body) + (2 if frame.crc else 1)
    head = bytes([SOM, frame.address | (REPLY if frame.reply else 0), size & 0xFF, size >> 8, control])
    return head + body + check(head + body, crc=frame.crc)


def head(spoilt: bytes) -> bytes:
    """What may be told of bytes that are no frame: up to the code, if they begin as one. The rest may be a PIN."""
    return spoilt[: _HEAD + 1] if spoilt[:1] == bytes([SOM]) else b""


def check(body: bytes, *, crc: bool) -> bytes:
    """What stands at the end of a frame."""
    if crc:
        return crc_hqx(body, 0x1D0F).to_bytes(2, "little")
    return bytes([-sum(body) & 0xFF])


def _size(buffer: bytes | bytearray, at: int) -> int | None:
    """How long the frame at `at` says it is; 0 if that cannot be, None if it is not said yet."""
    head = buffer[at + 1 : at + 4]
    if len(head) < 3:
        return None
    size = head[1] | head[2] << 8
    return size if _HEAD + 2 <= size <= LONGEST else 0


def _sound(raw: bytes) -> bool:
    width = 2 if raw[4] & _CRC else 1
    return check(raw[:-width], crc=width == 2) == raw[-width:]


def _parsed(raw: bytes) -> Frame | None:
    """The parts of a frame whose check is right; None if they do not fit into it."""
    control = raw[4]
    crc = bool(control & _CRC)
    body = raw[_HEAD : -2 if crc else -1]
    block = mac = b""
    if control & _BLOCK:
        if not body or not 2 <= body[0] <= len(body):
            return None
        block, body = body[1 : body[0]], body[body[0] :]
        if block[0] >= _MACKED and len(body) > _MAC:  # some panels announce a channel before there is one
            body, mac = body[:-_MAC], body[-_MAC:]
    if not body:
        return None
    return Frame(
        address=raw[1] & ~REPLY,
        reply=bool(raw[1] & REPLY),
        sequence=control & _SEQUENCE,
        code=body[0],
        data=body[1:],
        crc=crc,
        block=block,
        mac=mac,
        raw=raw,
    )
