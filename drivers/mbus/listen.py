"""Understanding a line of M-Bus meters by listening. Pure.

An acknowledgement names nobody, and whoever was selected answers to 253: whose they are, what came before tells.
"""

from __future__ import annotations

from contract.readings import Value
from contract.speech import Speech
from contract.texts import Text
from drivers.errors import FrameError
from drivers.listening import Dissector, Listen, OnWire
from drivers.mbus import codec as mbus
from drivers.mbus.records import Telegram, refused, telegram
from drivers.mbus.station import worths
from drivers.meters.listening import SHOWN, Message, MeterDissector
from drivers.profiles.profile import Profile

NOBODY_ANSWERS = 255

_REQUESTS = {
    mbus.SND_NKE: Text("复位链路", "reset the link"),
    mbus.SND_UD: Text("下发数据", "send data"),
    mbus.REQ_UD2: Text("读数据", "read"),
    0x5A: Text("读报警", "read alarms"),
}
"""By C without FCB (EN 13757-2:2018, table 1)."""


class MbusTalk:
    """Tells what each frame is. The address is the primary one, or the 16 digits by which a meter was selected."""

    def __init__(self) -> None:
        self._selected = ""
        self._asked = ""

    def __call__(self, raw: bytes) -> Message:
        """A sound frame's message."""
        if raw == mbus.ACKNOWLEDGED:
            return Message(self._asked, True, None, Text("确认", "acknowledged"), None, b"")
        frame = mbus.parse(raw)
        return self._request(frame) if frame.control & mbus.SND_NKE else self._answer(frame)

    def _request(self, frame: mbus.Frame) -> Message:
        function = frame.control & ~mbus.FCB
        words = _REQUESTS.get(function, Text(f"功能 {function:02X}", f"function {function:02X}"))
        due = frame.address != NOBODY_ANSWERS
        if frame.address == mbus.SELECTED:
            if frame.data[:1] == bytes((mbus.SELECT,)) and len(frame.data) >= 9:
                self._selected = (frame.data[4:0:-1] + frame.data[5:9]).hex().upper()
                words = Text("选定", "select")
            elif function == mbus.SND_NKE:
                # Only a meter that is selected answers, and then it is so no more.
                self._selected, due = "", False
        self._asked = self._name(frame.address)
        return Message(self._asked, False, None, words, None, frame.data, due=due)

    def _name(self, address: int) -> str:
        return self._selected if address == mbus.SELECTED and self._selected else str(address)

    def _answer(self, frame: mbus.Frame) -> Message:
        # Selected meters answer with their primary address, which others may have, too.
        selected = bool(self._selected) and self._asked == self._selected
        address = self._selected if selected else self._name(frame.address)
        words, why = Text("应答", "answer"), refused(frame)
        if why is not None:
            return Message(address, True, why, words, None, frame.data)
        try:
            said = telegram(frame)
        except FrameError:
            return Message(address, True, None, words, None, frame.data, plain=f"[{frame.data[:16].hex(' ')}]")
        return Message(
            address, True, None, words, None, frame.data, told=lambda profile: _told(profile, said), plain=_plain(said)
        )


def _told(profile: Profile, said: Telegram) -> dict[str, Value]:
    return {worth.point: worth.value for worth in worths(profile, [said]) if worth.value is not None}


def _plain(said: Telegram) -> str:
    shown = [
        f"{' '.join(record.quantities)} {'—' if record.value is None else record.value} {record.unit}".rstrip()
        for record in said.records[:SHOWN]
    ]
    return ", ".join([*([said.identity] if said.identity else []), *shown])


def _dissector(wire: OnWire, say: Speech) -> Dissector:
    known = {
        str(installed.unit) if installed.address is None else mbus.secondary(installed.address): (id, profile)
        for id, (installed, profile) in wire.of("mbus").items()
    }
    # Only a site file says which product a meter is: most records fit most products.
    return MeterDissector(mbus.frames(), MbusTalk(), known, [], say, eyes=wire.eyes)


LISTEN = Listen(_dissector)
