"""Understanding a line of DL/T 698.45 meters by listening. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from contract.readings import Value
from contract.speech import Speech
from contract.texts import Text
from drivers.dlt698 import codec as dlt698
from drivers.dlt698.station import source_of, value_in
from drivers.dlt698.wires import DIGITS
from drivers.errors import FrameError
from drivers.listening import Dissector, Listen, OnWire
from drivers.meters.listening import SHOWN, Message, MeterDissector, numbered, products
from drivers.profiles.profile import Profile

READ, ANSWER = Text("读数据", "read"), Text("应答", "answer")
OTHER = Text("其他服务", "another service")


def dlt698_message(raw: bytes) -> Message:
    """A sound frame's message; what is no plain reading is told as its bytes."""
    frame = dlt698.parse(raw)
    answer = bool(frame.control & dlt698.FROM_METER)
    try:
        return _answer(frame) if answer else _request(frame)
    except FrameError:
        return Message(frame.address, answer, None, OTHER, None, frame.apdu, plain=f"[{frame.apdu[:16].hex(' ')}]")


def _request(frame: dlt698.Frame) -> Message:
    asked = dlt698.asked(frame.apdu)
    if asked is None:
        raise FrameError("no plain reading", frame.apdu)
    return Message(frame.address, False, None, READ, None, frame.apdu, plain=_listed(asked[1]))


def _answer(frame: dlt698.Frame) -> Message:
    said = dlt698.understood(frame)
    why = said.refusal
    if why is None and len(said.results) == 1:
        # Of several attributes, those that are told count.
        why = next((each for each in said.results.values() if isinstance(each, Text)), None)
    return Message(
        frame.address, True, why, ANSWER, None, frame.apdu,
        told=lambda profile: _told(profile, said), plain=_listed(said.results),
    )  # fmt: skip


def _told(profile: Profile, said: dlt698.Answer) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for point in profile.points.values():
        result = said.results.get(source_of(point).oad)
        value = None if isinstance(result, Text) else value_in(point, source_of(point), result)
        if value is not None:
            values[point.id] = value
    return values


def _listed(oads: Iterable[int]) -> str:
    return " ".join(f"{oad:08X}" for oad in list(oads)[:SHOWN])


def _dissector(wire: OnWire, say: Speech) -> Dissector:
    known = numbered(wire, "dlt698", DIGITS)
    return MeterDissector(dlt698.frames(), dlt698_message, known, products(wire, "dlt698"), say, eyes=wire.eyes)


LISTEN = Listen(_dissector)
