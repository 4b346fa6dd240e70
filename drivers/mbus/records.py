"""What an M-Bus telegram says: the records of EN 13757-3, decoded by pymbusparser behind this one door. Pure.

The decoder's own errors (and panics of its native code) leave here as `FrameError`. A record whose value is no number
makes it stop: such a record is cut out and the rest decoded anew, so that one broken sensor does not hide its
neighbours. What a record says to be invalid (the lowest number of its size, a time that the meter does not trust)
has no value.
Source: EN 13757-3:2013, sections 6 (records), 6.3.5 (DIF 0F, 1F), annex A (types of data).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import pymbusparser

from contract.texts import Text
from drivers.errors import FrameError
from drivers.mbus import codec as mbus

Parsed = Mapping[str, Any]
"""What the decoder says: its own dictionaries."""

RECORDS_LIMIT = 253
"""Records of one telegram: each has two bytes at least."""

IDLE = 0x2F
"""A filler byte where a record may begin."""

FUNCTIONS = {
    "Instantaneous value": "instantaneous",
    "Maximum value": "maximum",
    "Minimum value": "minimum",
    "Value during error state": "error",
}
LAST_YEAR = 80
"""Years up to here without a century are of this one (annex A, types F and G)."""

_DISTRUSTED = 0x80
"""The bit of the minutes of a clock that is not set (annex A, types F and I)."""

_MORE = "More records follow"
_MODE = 0x1F
"""Bits of the header's last byte that name the mode of encryption; 0: none."""

ERRORS: dict[int, Text] = {
    0: Text("未指明的错误", "an unspecified error"),
    1: Text("不支持此控制信息", "this control information is not implemented"),
    2: Text("缓冲区太长，已截断", "the buffer is too long, cut off"),
    3: Text("记录太多", "too many records"),
    4: Text("记录提前结束", "premature end of a record"),
    5: Text("DIFE 过多", "more than 10 DIFE"),
    6: Text("VIFE 过多", "more than 10 VIFE"),
    7: Text("保留", "reserved"),
    8: Text("应用层忙", "its application is too busy"),
    9: Text("请求太频繁，额度已用完", "too many readouts, its credit is used up"),
}
"""Reports of errors (EN 13757-3, section 10), by their code."""


class Record(NamedTuple):
    """One record. `quantities`: what it is a value of, and everything that qualifies it, in the decoder's words.

    `value`: a number's digits stay as they were sent; None: the meter says that it has none.
    """

    function: str
    storage: int
    tariff: int
    subunit: int
    quantities: tuple[str, ...]
    unit: str
    value: str | float | None


class Telegram(NamedTuple):
    """One answer. `identity`: 16 digits of secondary address; `status`: the header's byte, None without one.

    `more`: the meter has more to say. `whole`: every record was understood.
    """

    identity: str | None
    status: int | None
    records: tuple[Record, ...]
    more: bool
    whole: bool


def refused(frame: mbus.Frame) -> Text | None:
    """What an answer says that only reports an error; None if it is none."""
    if frame.data[:1] != bytes((mbus.ERROR,)):
        return None
    return ERRORS.get(frame.data[1] if len(frame.data) > 1 else 0, ERRORS[0])


def telegram(frame: mbus.Frame) -> Telegram:
    """The records of an answer. Raises `FrameError` where it cannot be read at all, or not without a key."""
    header = mbus.HEADERS.get(frame.data[0]) if frame.data else None
    if header is None or len(frame.data) < 1 + header:
        raise FrameError("an M-Bus answer of a kind that is not read (only 72, 7A and 78 are)", frame.data)
    if header and frame.data[header] & _MODE:
        raise FrameError("the meter's data are encrypted", frame.data[: 1 + header])
    found, whole = _decoded(frame, 1 + header)
    records = [record for raw in found if (record := _record(raw)) is not None]
    status = frame.data[header - 2] if header else None
    more = bool(found) and found[-1].get("function") == _MORE
    return Telegram(mbus.identity(frame), status, tuple(records), more, whole)


def _decoded(frame: mbus.Frame, first: int) -> tuple[Sequence[Parsed], bool]:
    """Every record that is one, and whether all are. `first`: where in the data the records begin."""
    data, whole = frame.data, True
    for _ in range(RECORDS_LIMIT):
        document = _parsed(mbus.long(frame.control, frame.address, data))
        found = document.get("records") or ()
        if not _stumbled(document):
            return found, whole and document.get("decode_state") == "complete"
        whole = False
        at = _after(found, data, first)
        size = None if at is None else record_size(data, at)
        if at is None or size is None:
            return found, False
        data = data[:at] + data[at + size :]
    return (), False


def _parsed(raw: bytes) -> Parsed:
    try:
        return pymbusparser.parse(raw, include_enrichment=False)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as wrong:  # a panic of the native code is no Exception
        raise FrameError(f"an M-Bus answer that cannot be decoded: {wrong!s:.100}", raw) from wrong


def _stumbled(document: Parsed) -> bool:
    """Whether the decoder stopped at a record."""
    return any(note.get("code") == "application.record_partial" for note in document.get("diagnostics") or ())


def _after(found: Sequence[Parsed], data: bytes, at: int) -> int | None:
    """The place after these records and the fillers between them; None if they are not what is there."""
    for raw in found:
        at = _after_fillers(data, at)
        head, value = _bytes(raw.get("header_hex")), _bytes(raw.get("data_hex"))
        if data[at : at + len(head)] != head:
            return None
        at += len(head)
        at += data[at : at + len(value)] != value  # a value of variable length begins with its length
        if data[at : at + len(value)] != value:
            return None
        at += len(value)
    return _after_fillers(data, at)


def _after_fillers(data: bytes, at: int) -> int:
    while data[at : at + 1] == bytes((IDLE,)):
        at += 1
    return at


_BCD_SIZES = {0x9: 1, 0xA: 2, 0xB: 3, 0xC: 4, 0xE: 6}
"""Bytes of a decimal number by the low half of its DIF (section 6.3.3)."""

_PLAIN_TEXT = 0x7C
"""A VIF that is followed by the name of a unit, which moves what comes after it."""


def record_size(data: bytes, at: int) -> int | None:
    """Bytes of the decimal record at a place; None if it is another one or does not end within the data."""
    size = _BCD_SIZES.get(data[at] & 0x0F) if at < len(data) else None
    vif = _after_chain(data, at)
    first = _after_chain(data, vif)
    if size is None or first + size > len(data) or data[vif] & 0x7F == _PLAIN_TEXT:
        return None
    return first + size - at


def _after_chain(data: bytes, at: int) -> int:
    """The place after bytes of which all but the last have their highest bit set."""
    while at < len(data) and data[at] & 0x80:
        at += 1
    return at + 1


def _record(raw: Parsed) -> Record | None:
    function = FUNCTIONS.get(str(raw.get("function")))
    if function is None:
        return None
    quantities = tuple(str(word) for word in raw.get("quantities") or ())
    numbers = (raw.get("storage_number"), raw.get("tariff"), raw.get("subunit"))
    storage, tariff, subunit = (number if isinstance(number, int) else -1 for number in numbers)
    return Record(function, storage, tariff, subunit, quantities, str(raw.get("unit") or ""), _value(raw))


def _value(raw: Parsed) -> str | float | None:
    said = raw.get("value") or {}
    value, data = said.get("value"), _bytes(raw.get("data_hex"))
    match said.get("kind"):
        case "decimal" if isinstance(value, str):
            integer = str(raw.get("data_coding")).endswith("-bit integer")
            return None if integer and _lowest(data) else value
        case "float" if isinstance(value, int | float):
            return float(value) if math.isfinite(value) else None
        case "datetime" | "date":
            return moment(data)
        case "text" if isinstance(value, str):
            return value
        case _:
            return None


def _bytes(text: object) -> bytes:
    return bytes.fromhex(text) if isinstance(text, str) else b""


def _lowest(data: bytes) -> bool:
    """80 00 … 00, highest byte first: "invalid" (annex A, type B)."""
    return bool(data) and data[-1] == 0x80 and not any(data[:-1])


def moment(data: bytes) -> str | None:
    """A date (two bytes, type G) or a local time (four, type F; six, type I); None where it is void or distrusted.

    The decoder takes the 31st for "every day", hence this one.
    """
    match len(data):
        case 2:
            second, minute, hour, day = 0, 0, 0, data
        case 4:
            second, minute, hour, day = 0, data[0], data[1], data[2:]
        case 6:
            second, minute, hour, day = data[0], data[1], data[2], data[3:5]
        case _:
            return None
    if minute & _DISTRUSTED:
        return None
    year = (day[1] >> 1 & 0x78) | day[0] >> 5
    century = hour >> 5 & 0x03
    year += 2000 if not century and year <= LAST_YEAR else 1900 + 100 * century
    try:
        at = datetime(year, day[1] & 0x0F, day[0] & 0x1F, hour & 0x1F, minute & 0x3F, second & 0x3F)
    except ValueError:
        return None
    return at.date().isoformat() if len(data) == 2 else at.isoformat()
