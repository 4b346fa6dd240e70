"""Understanding a line of DL/T 645 meters by listening. Pure."""

from __future__ import annotations

from contract.speech import Speech
from contract.texts import Text
from drivers.dlt645 import codec as dlt645
from drivers.dlt645.wires import DIGITS
from drivers.listening import Dissector, Listen, OnWire
from drivers.meters.listening import Message, MeterDissector, numbered, products


def dlt645_message(raw: bytes) -> Message:
    """A DL/T 645 frame of either version."""
    frame = dlt645.parse(raw)
    function, answer = frame.control & 0x1F, bool(frame.control & dlt645.ANSWER)
    version: dlt645.Version = 1997 if function in {dlt645.READ[1997], dlt645.FOLLOW[1997], dlt645.WRITE[1997]} else 2007
    size = dlt645.ITEM_SIZE[version]
    carries = function in {dlt645.READ[version], dlt645.FOLLOW[version], dlt645.WRITE[version]}
    refuses = dlt645.error_text(frame.data, version) if frame.control & dlt645.ERROR else None
    item = (
        int.from_bytes(frame.data[:size], "little") if carries and refuses is None and len(frame.data) >= size else None
    )
    words = _DLT645.get(function, Text(f"功能 {function:02X}", f"function {function:02X}"))
    traits = {"version": version}
    # Whatever changes something carries the password.
    secret = not answer and function not in _OPEN
    return Message(frame.address, answer, refuses, words, item, frame.data[size:], traits, secret=secret)


_DLT645 = {
    0x01: Text("读数据", "read"),
    0x02: Text("读后续", "read on"),
    0x04: Text("写数据", "write"),
    0x08: Text("广播校时", "time for all"),
    0x11: Text("读数据", "read"),
    0x12: Text("读后续", "read on"),
    0x13: Text("读地址", "read address"),
    0x14: Text("写数据", "write"),
    0x1C: Text("跳合闸", "trip or close"),
}

_OPEN = frozenset({0x01, 0x02, 0x08, 0x11, 0x12, 0x13})
"""Functions of requests that read, or tell all meters the time."""


def _dissector(wire: OnWire, say: Speech) -> Dissector:
    known = numbered(wire, "dlt645", DIGITS)
    return MeterDissector(dlt645.frames(), dlt645_message, known, products(wire, "dlt645"), say, eyes=wire.eyes)


LISTEN = Listen(_dissector)
