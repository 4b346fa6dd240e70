"""M-Bus frames, addresses, records and units: published bytes, and everything that must not be believed."""

from __future__ import annotations

from datetime import date, datetime

import pymbusparser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import FrameError
from drivers.mbus import codec as mbus
from drivers.mbus.records import Record, Telegram, moment, refused, telegram
from drivers.mbus.units import turned
from simulators.mbus.records import date_bytes, time_bytes

PUBLISHED = bytes.fromhex(
    "68 3D 3D 68 08 01 72 00 51 20 02 82 4D 02 04 00 88 00 00 04 07 00 00 00 00 0C 15 03 00 00 00 0B 2E 00 00 00"
    "0B 3B 00 00 00 0A 5A 88 12 0A 5E 16 05 0B 61 23 77 00 02 6C 8C 11 02 27 37 0D 0F 60 00 67 16"
)
HEAD = "72 00512002 824D 02 04 00 88 0000"


def told(records: str, head: str = HEAD) -> Telegram:
    return telegram(mbus.Frame(mbus.RSP_UD, 1, bytes.fromhex(head + records)))


def plain(quantity: str, value: str | float | None, unit: str, storage: int = 0) -> Record:
    return Record("instantaneous", storage, 0, 0, (quantity,), unit, value)


def test_requests_as_the_standard_writes_them() -> None:
    assert mbus.reset(8) == bytes.fromhex("10 40 08 48 16")
    assert mbus.request(8, fcb=False) == bytes.fromhex("10 5B 08 63 16")
    assert mbus.request(8, fcb=True) == bytes.fromhex("10 7B 08 83 16")
    assert mbus.select("02205100824D0204") == bytes.fromhex("68 0B 0B 68 73 FD 52 00 51 20 02 82 4D 02 04 0A 16")


def test_the_published_telegram() -> None:
    found = telegram(mbus.parse(PUBLISHED))
    assert found == Telegram(
        "02205100824D0204",
        0x88,
        (
            plain("Energy", "0", "W.h"),
            plain("Volume", "0.3", "m3"),
            plain("Power", "0", "W"),
            plain("Volume flow", "0", "m3.h-1"),
            plain("Flow temperature", "128.8", "Cel"),
            plain("Return temperature", "51.6", "Cel"),
            plain("Temperature difference", "77.23", "K"),
            plain("Time point (date)", "2012-01-12", ""),
            plain("Operating time", "3383", "d"),
        ),
        more=False,
        whole=True,
    )


SOUND = {"long": PUBLISHED, "short": mbus.reset(1), "acknowledged": b"\xe5", "control": mbus.long(0x53, 1, b"\x50")}


@pytest.mark.parametrize("frame", SOUND.values(), ids=SOUND.keys())
def test_a_frame_is_found_however_it_comes(frame: bytes) -> None:
    for piece in (1, 3, len(frame)):
        finder = mbus.frames()
        stream = frame + frame
        found = [each for at in range(0, len(stream), piece) for each in finder.feed(stream[at : at + piece])]
        assert found + finder.quiet() == [frame, frame]


@given(at=st.integers(4, len(PUBLISHED) - 1), flip=st.integers(1, 255))
def test_a_damaged_telegram_is_never_found(at: int, flip: int) -> None:
    spoilt = bytearray(PUBLISHED)
    spoilt[at] ^= flip
    finder = mbus.frames()
    found = finder.feed(bytes(spoilt)) + finder.quiet()
    assert all(len(frame) <= 5 for frame in found), found
    assert finder.wrong is not None


def test_noise_that_begins_a_frame_hides_no_frame() -> None:
    finder = mbus.frames()
    assert finder.feed(b"\x68\xff\xff\x68\x10\x40" + PUBLISHED) == []
    assert PUBLISHED in finder.quiet()
    assert mbus.frames().feed(b"\x68\x03\x04\x10\x00" + PUBLISHED) == [PUBLISHED]


@pytest.mark.parametrize("raw", [b"", b"\xe5", PUBLISHED[:-1], PUBLISHED + b"\x00", b"\x10\x40\x08\x49\x16"])
def test_what_is_no_frame_is_not_parsed(raw: bytes) -> None:
    with pytest.raises(FrameError):
        mbus.parse(raw)


ADDRESSES = {
    "02205100": "02205100FFFFFFFF",
    "0220FFFF": "0220FFFFFFFFFFFF",
    "02205100824d0204": "02205100824D0204",
}


@pytest.mark.parametrize(("said", "meant"), ADDRESSES.items())
def test_secondary_addresses(said: str, meant: str) -> None:
    assert mbus.secondary(said) == meant
    assert mbus.fits(meant, "02205100824D0204")


@pytest.mark.parametrize("said", ["", "1234567", "0220510A", "02205100824D02", "0220510G", "A2205100824D0204"])
def test_what_is_no_secondary_address(said: str) -> None:
    with pytest.raises(ValueError, match="no secondary address"):
        mbus.secondary(said)


def test_an_address_fits_only_itself() -> None:
    assert not mbus.fits("02205101FFFFFFFF", "02205100824D0204")
    assert not mbus.fits("02205100824D0204", "02205100824D0304")


def test_every_record_says_of_what_it_is() -> None:
    found = told("8C11 13 78563412  34 06 01000000  84 8F 06 06 01000000  84 40 06 01000000  04 86 3C 01000000").records
    assert found == (
        Record("instantaneous", 2, 1, 0, ("Volume",), "m3", "12345.678"),
        Record("error", 0, 0, 0, ("Energy",), "W.h", "1000"),
        Record("instantaneous", 222, 0, 0, ("Energy",), "W.h", "1000"),
        Record("instantaneous", 0, 0, 1, ("Energy",), "W.h", "1000"),
        Record("instantaneous", 0, 0, 0, ("Energy", "Accumulation only if value is negative"), "W.h", "1000"),
    )


def test_more_telegrams_are_announced() -> None:
    assert told("04 06 01000000 1F").more
    assert not told("04 06 01000000 0F AA").more
    assert not told("04 06 01000000 0F 1F").more


NOT_VALID = {
    "lowest 8": "01 59 80",
    "lowest 16": "02 59 0080",
    "lowest 24": "03 59 000080",
    "lowest 32": "04 06 00000080",
    "lowest 48": "06 06 000000000080",
    "lowest 64": "07 06 0000000000000080",
    "not a number": "05 2B 0000C07F",
    "endless": "05 2B 0000807F",
    "no data": "00 06",
    "a clock that is not set": "04 6D 9E2F9A2C",
    "a day of no month": "42 6C 1F26",
    "every day": "42 6C 8026",
    "void": "04 6D FFFFFFFF",
}


@pytest.mark.parametrize("record", NOT_VALID.values(), ids=NOT_VALID.keys())
def test_a_value_that_the_meter_calls_invalid_is_none(record: str) -> None:
    found = told(record + " 04 13 05000000").records
    assert found[0].value is None
    assert found[1] == plain("Volume", "0.005", "m3")


BROKEN = ["0A 5A EEEE", "0C 14 FFFFFFFF", "8A 40 5A EEEE", "0A DA 3C EEEE", "0A FD 47 AAAA"]


@pytest.mark.parametrize("record", BROKEN)
def test_a_decimal_that_is_none_hides_no_other_record(record: str) -> None:
    found = told(f"2F 04 06 01000000 2F2F 0D FD0C 03 434241 {record} 0C 13 78563412 2F {record} 02 5D 1027")
    assert found.records == (
        plain("Energy", "1000", "W.h"),
        plain("Model or version", "ABC", ""),
        plain("Volume", "12345.678", "m3"),
        plain("Return temperature", "100", "Cel"),
    )
    assert not found.whole


def test_what_ends_too_early_has_no_value() -> None:
    assert told("04 06 01000000 04 13 0500") == Telegram(
        "02205100824D0204", 0x88, (plain("Energy", "1000", "W.h"),), more=False, whole=False
    )


def test_headers() -> None:
    assert told("04 06 01000000", "7A 05 04 0000") == Telegram(
        None, 0x04, (plain("Energy", "1000", "W.h"),), more=False, whole=True
    )
    assert told("04 06 01000000", "78").status is None
    for head in ("76 00512002 824D 02 04 00 88 0000", "73 00512002", "72 0051", ""):
        with pytest.raises(FrameError, match="of a kind that is not read"):
            told("", head)
    for head in ("72 00512002 824D 02 04 00 88 1005", "7A 05 04 0005"):
        with pytest.raises(FrameError, match="encrypted"):
            told("04 06 01000000", head)


def test_a_report_of_an_error_is_no_reading() -> None:
    why = refused(mbus.Frame(8, 1, b"\x70\x08"))
    assert why is not None
    assert why.en == "its application is too busy"
    assert refused(mbus.Frame(8, 1, b"\x70")) is not None
    assert refused(mbus.parse(PUBLISHED)) is None


class Panic(BaseException):
    """What a panic of native code is in Python: no Exception."""


@pytest.mark.parametrize("fault", [Panic("boom"), ValueError("odd"), RecursionError()])
def test_the_decoders_own_faults_are_frame_errors(fault: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr(pymbusparser, "parse", broken)
    with pytest.raises(FrameError, match="cannot be decoded"):
        telegram(mbus.parse(PUBLISHED))


def test_a_person_can_still_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pymbusparser, "parse", interrupted)
    with pytest.raises(KeyboardInterrupt):
        telegram(mbus.parse(PUBLISHED))


@given(at=st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2099, 12, 31)))
def test_moments_come_back(at: datetime) -> None:
    assert moment(time_bytes(at)) == at.replace(second=0, microsecond=0).isoformat()
    assert moment(bytes((at.second,)) + time_bytes(at) + b"\0") == at.replace(microsecond=0).isoformat()
    if at.year <= 2080:
        assert moment(date_bytes(date(at.year, at.month, at.day))) == at.date().isoformat()


TURNED = [
    ("1000", "W.h", "kWh", 1),
    ("1234567", "W.h", "MWh", 1.234567),
    ("3600000", "J", "kWh", 1),
    ("100000000", "J", "GJ", 0.1),
    ("0.3", "m3", "L", 300),
    ("3600", "J.h-1", "W", 1),
    ("0.5", "m3.min-1", "m3/h", 30),
    ("3383", "d", "h", 81192),
    ("21.5", "Cel", "°C", 21.5),
    (0.5, "W", "kW", 0.0005),
    ("1", "m3", "kWh", None),
    ("21.5", "Cel", "K", None),
    ("70", "[degF]", "°C", None),
    ("1", "W (reactive)h", "kWh", None),
    ("1e999", "W.h", "kWh", None),
    ("", "W.h", "kWh", None),
]


@pytest.mark.parametrize(("value", "sent", "unit", "read"), TURNED)
def test_units_are_turned_or_the_value_is_none(value: str | float, sent: str, unit: str, read: float | None) -> None:
    assert turned(value, sent, unit) == read
