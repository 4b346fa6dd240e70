"""Searching for Modbus RTU units: a read that every unit answers somehow. Pure."""

from __future__ import annotations

from contract.texts import Text
from drivers.modbus.frames import frame_size, read_pdu, rtu, sound
from drivers.searching import Ask, Hit, Search, by_unit


def modbus_ask(unit: int, fc: int = 3, start: int = 0, count: int = 1) -> Ask:
    """A read that every unit answers somehow: with a value, or with a refusal."""
    return Ask("modbus", str(unit), rtu(unit, read_pdu(fc, start, count)), modbus_hits)


def modbus_hits(data: bytes) -> list[Hit]:
    """Units whose sound answers are in the bytes, whoever was asked."""
    return [Hit("modbus", str(frame[0]), _said(frame), frame) for frame in modbus_answers(data)]


def modbus_answers(data: bytes) -> list[bytes]:
    """The sound RTU answers in the bytes, whoever they are from."""
    found = []
    at = 0
    while at <= len(data) - 5:
        size = frame_size(data, at)
        if size >= 5 and at + size <= len(data) and sound(data[at : at + size]):
            found.append(data[at : at + size])
            at += size
        else:
            at += 1
    return found


def _said(frame: bytes) -> Text:
    if frame[1] & 0x80:
        return Text(
            f"拒绝了读取（异常码 {frame[2]}），但地址有效", f"refuses that read (exception {frame[2]}), but is there"
        )
    return Text("应答读取", "answers reads")


SEARCH = Search(
    title=Text("Modbus RTU", "Modbus RTU"),
    asks=lambda units: [modbus_ask(unit) for unit in units],
    usual=lambda _: True,
    serial="modbus-rtu",
    tcp="modbus-rtu-tcp",
    addressed=by_unit,
)
