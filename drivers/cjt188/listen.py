"""Understanding a line of CJ/T 188 meters by listening. Pure."""

from __future__ import annotations

from contract.speech import Speech
from contract.texts import Text
from drivers.cjt188 import codec as cjt188
from drivers.cjt188.wires import DIGITS
from drivers.listening import Dissector, Listen, OnWire
from drivers.meters.listening import Message, MeterDissector, numbered, products


def cjt188_message(raw: bytes) -> Message:
    """A CJ/T 188 frame."""
    frame = cjt188.parse(raw)
    function, answer = frame.control & 0x3F, bool(frame.control & cjt188.ANSWER)
    low = frame.data[:2] in {b"\x1f\x90", b"\x0a\x81", b"\x17\xa0"}
    item = int.from_bytes(frame.data[:2], "little" if low else "big") if len(frame.data) >= 2 else None
    refuses = cjt188.REFUSED if frame.control & cjt188.ERROR else None
    words = _CJT188.get(function, Text(f"功能 {function:02X}", f"function {function:02X}"))
    traits = {"type_code": frame.kind, "di_order": "low-first" if low else "high-first"}
    return Message(frame.address, answer, refuses, words, item, frame.data[3:], traits)


_CJT188 = {
    0x01: Text("读数据", "read"),
    0x03: Text("读地址", "read address"),
    0x04: Text("写数据", "write"),
    0x15: Text("写地址", "set address"),
}


def _dissector(wire: OnWire, say: Speech) -> Dissector:
    known = numbered(wire, "cjt188", DIGITS)
    return MeterDissector(cjt188.frames(), cjt188_message, known, products(wire, "cjt188"), say, eyes=wire.eyes)


LISTEN = Listen(_dissector)
