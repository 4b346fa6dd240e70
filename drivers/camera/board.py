"""Frames for the text-and-voice boards that hang on a plate camera's RS-485 port. Pure.

Address, version 0x64, packet 0xFFFF, command, length, data, CRC-16 (Modbus' polynomial, low byte first); texts are
GB 18030. Sources: frames of three independent programs that drive such boards through 臻识 cameras (their checks were
recomputed); command 0x30 plays words of the board's own vocabulary, 0x62 shows a text in one line for a while.
"""

from __future__ import annotations

LINES = 4
TEXT_LIMIT = 32
"""Bytes of one line that a board of two to four lines shows without moving it."""

VOICE_LIMIT = 64

_HEAD = bytes((0x00, 0x64, 0xFF, 0xFF))
_VOICE, _TEXT = 0x30, 0x62
_PLAY_NOW = 0x01
_LOOK = bytes((0x15, 0x01, 0x00, 0x02, 0x15, 0x01, 0x03, 0x00))
"""How a line comes, how long it stays and how it goes, the font, and that it comes once."""

_INK, _GROUND = bytes((0xFF, 0x00, 0x00, 0x00)), bytes(4)


def voice(text: str) -> bytes:
    """The frame that says `text`, as far as the board knows its words."""
    return _frame(_VOICE, bytes((_PLAY_NOW,)) + _encoded(text, VOICE_LIMIT))


def line(number: int, text: str) -> bytes:
    """The frame that shows `text` in a line (from 0)."""
    if number not in range(LINES):
        raise ValueError(f"line {number}: a board has 0 to {LINES - 1}")
    encoded = _encoded(text, TEXT_LIMIT)
    return _frame(_TEXT, bytes((number,)) + _LOOK + _INK + _GROUND + len(encoded).to_bytes(2, "little") + encoded)


def checked(frame: bytes) -> bool:
    """Whether a frame's length and check are right."""
    return len(frame) >= 8 and frame[5] == len(frame) - 8 and _crc(frame[:-2]) == frame[-2:]


def _frame(command: int, data: bytes) -> bytes:
    body = _HEAD + bytes((command, len(data))) + data
    return body + _crc(body)


def _encoded(text: str, limit: int) -> bytes:
    encoded = b""
    for sign in text:
        more = sign.encode("gb18030", "replace")
        if len(encoded) + len(more) > limit:
            break
        encoded += more
    return encoded


def _crc(data: bytes) -> bytes:
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return crc.to_bytes(2, "little")
