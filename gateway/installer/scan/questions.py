"""What a search says on a line, and how it knows an answer: what all protocols share, and Modbus RTU. Pure.

A request is harmless on a line of another protocol: there it is noise with a wrong check.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from contract.texts import Text
from drivers.modbus.frames import frame_size, read_pdu, rtu, sound
from gateway.installer.scan.sweeps import Setting

MODBUS_UNITS = range(1, 248)
"""Addresses of units on a serial line (Modbus over serial line V1.02, section 2.2)."""


class Hit(NamedTuple):
    """Somebody who answered. `address`: as the protocol writes it; `says`: what its answer told.

    `traits`: what tells its products apart (`version`, `type_code`, `di_order`), empty for Modbus.
    """

    protocol: str
    address: str
    says: Text
    frame: bytes
    traits: Mapping[str, Any] = {}


class Ask(NamedTuple):
    """One request of a search. `address`: whom it asks; "" where whoever is there answers.

    `find`: everybody who answers in what came. `at_least_s`: how long the protocol lets a device think. `narrower`:
    what to ask instead if several answer at once; `named`: how much of the address it names already. `before`: said
    first; only if somebody says anything to it, `frame` is asked.
    """

    protocol: str
    address: str
    frame: bytes
    find: Callable[[bytes], list[Hit]]
    at_least_s: float = 0.0
    narrower: Callable[[], list[Ask]] | None = None
    named: str = ""
    before: bytes = b""


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


def without_echo(data: bytes, sent: bytes) -> bytes:
    """Some two-wire adapters hear themselves: what was sent is no answer."""
    return data[len(sent) :] if data.startswith(sent) else data


class Protocol(NamedTuple):
    """How a protocol is searched for. `asks`: what to ask in one setting; `fits`: settings in which it is usual.

    `bus_kind`, `tcp_kind`: the site file's buses for it, on a serial port and behind a converter.
    """

    name: str
    title: Text
    asks: Callable[[list[int]], list[Ask]]
    fits: Callable[[Setting], bool]
    bus_kind: str
    tcp_kind: str
