"""Values as records of an M-Bus telegram: the way back from what the driver chooses. Pure.

Source: EN 13757-3:2013, sections 6.3 (DIB, VIB), tables 10 to 14, annex A (types of data).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from fractions import Fraction
from typing import NamedTuple

from contract.readings import Value
from drivers.mbus.product import RecordSource
from drivers.mbus.units import READ, SENT
from drivers.profiles.profile import Point

INTEGER_16, INTEGER_32, INTEGER_48, DECIMAL_8, NOTHING = 0x02, 0x04, 0x06, 0x0C, 0x00
MORE = 0x1F
_SIZES = {INTEGER_16: 2, INTEGER_32: 4, INTEGER_48: 6, DECIMAL_8: 4}
_FUNCTIONS = {"instantaneous": 0, "maximum": 1, "minimum": 2, "error": 3}


class Form(NamedTuple):
    """How a quantity is sent: its VIB, what one step is worth, in which unit, in which data field."""

    vib: bytes
    step: Fraction
    unit: str
    field: int


def _form(vib: str, exponent: int, unit: str, field: int = INTEGER_32) -> Form:
    return Form(bytes.fromhex(vib), Fraction(10) ** exponent, unit, field)


FORMS: Mapping[str, Sequence[Form]] = {
    "energy": (_form("03", 0, "W.h", INTEGER_48), _form("08", 0, "J", INTEGER_48)),
    "volume": (_form("13", -3, "m3", DECIMAL_8),),
    "mass": (_form("18", -3, "kg", INTEGER_48),),
    "power": (_form("28", -3, "W", INTEGER_48), _form("30", 0, "J.h-1", INTEGER_48)),
    "volume_flow": (_form("39", -5, "m3.h-1"), _form("40", -7, "m3.min-1"), _form("48", -9, "m3.s-1")),
    "mass_flow": (_form("50", -3, "kg.h-1"),),
    "flow_temperature": (_form("59", -2, "Cel", INTEGER_16),),
    "return_temperature": (_form("5D", -2, "Cel", INTEGER_16),),
    "temperature_difference": (_form("61", -2, "K", INTEGER_16),),
    "external_temperature": (_form("65", -2, "Cel", INTEGER_16),),
    "pressure": (_form("68", -3, "bar"),),
    "on_time": (_form("20", 0, "s"),),
    "operating_time": (_form("24", 0, "s"),),
    "voltage": (_form("FD46", -3, "V"),),
    "current": (_form("FD59", -3, "A"),),
    "frequency": (_form("FB2C", -3, "Hz"),),
    "fabrication_number": (_form("78", 0, "", DECIMAL_8),),
    "error_flags": (_form("FD17", 0, ""),),
    "allocation": (_form("6E", 0, ""),),
}
"""How each quantity that is a number is sent, first what is usual."""

_DATE, _DATE_TIME = bytes.fromhex("6C"), bytes.fromhex("6D")


def records(points: Iterable[Point], value: Callable[[str], Value], clock: datetime) -> list[bytes]:
    """A record for every point; bits of one record stand in it together."""
    found: dict[bytes, bytes] = {}
    for point in points:
        source = point.source
        if isinstance(source, RecordSource) and source.of == "record":
            head, data = _record(point, source, value(point.id), clock)
            before = found.get(head, bytes(len(data)))
            found[head] = bytes(a | b for a, b in zip(before, data, strict=True)) if source.bit is not None else data
    return [head + data for head, data in found.items()]


def _record(point: Point, source: RecordSource, value: Value, clock: datetime) -> tuple[bytes, bytes]:
    if source.quantity == "date":
        return _head(source, INTEGER_16) + _DATE, date_bytes(_moment(value) or date(clock.year - 1, 12, 31))
    if source.quantity == "date_time":
        return _head(source, INTEGER_32) + _DATE_TIME, time_bytes(_moment(value) or clock)
    form = next(form for form in FORMS[source.quantity] if source.sent_in in (None, form.unit))
    head = _head(source, form.field) + form.vib
    if source.bit is not None:
        return head, ((bool(value) == bool(source.on)) << source.bit).to_bytes(_SIZES[form.field], "little")
    number = _number(value)
    if number is None:
        return _head(source, NOTHING) + form.vib, b""
    sent, read = SENT[form.unit], READ[point.unit]
    return head, number_bytes(round(number * read.factor / sent.factor / form.step), form.field)


def _number(value: Value) -> Fraction | None:
    if isinstance(value, str):
        return Fraction(int(value)) if value.isdecimal() else None
    return Fraction(value) if value is not None and math.isfinite(value) else None


def number_bytes(raw: int, field: int) -> bytes:
    """A number in a data field. Decimal registers roll over, integers stop at their ends."""
    size = _SIZES[field]
    if field == DECIMAL_8:
        return bytes.fromhex(str(max(0, raw) % 10 ** (2 * size)).zfill(2 * size))[::-1]
    most = (1 << 8 * size - 1) - 1
    return max(-most, min(most, raw)).to_bytes(size, "little", signed=True)


def date_bytes(day: date) -> bytes:
    """Type G."""
    year = day.year % 100
    return bytes((day.day | (year & 0x07) << 5, day.month | (year & 0x78) << 1))


def time_bytes(at: datetime) -> bytes:
    """Type F: to the minute; a century's bits say 2000."""
    return bytes((at.minute, at.hour | 1 << 5)) + date_bytes(at)


def _head(source: RecordSource, field: int) -> bytes:
    """The DIB: data field, function, and the numbers of storage, tariff and subunit in as many DIFE as they need."""
    storage, tariff, subunit = source.storage, source.tariff, source.subunit
    dib = [field | _FUNCTIONS[source.function] << 4 | (storage & 1) << 6]
    storage >>= 1
    while storage or tariff or subunit:
        dib[-1] |= 0x80
        dib.append(storage & 0x0F | (tariff & 3) << 4 | (subunit & 1) << 6)
        storage, tariff, subunit = storage >> 4, tariff >> 2, subunit >> 1
    return bytes(dib)


def _moment(value: Value) -> datetime | None:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def telegrams(found: Sequence[bytes], room: int) -> list[bytes]:
    """The records in as many telegrams as they need; each but the last says that there is more."""
    told: list[bytes] = [b""]
    for record in found:
        if told[-1] and len(told[-1]) + len(record) + 1 > room:
            told[-1] += bytes((MORE,))
            told.append(b"")
        told[-1] += record
    return told
