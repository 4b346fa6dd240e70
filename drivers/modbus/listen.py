"""Modbus frames in words: what is asked, what the answer says by the device's profile. Pure."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import NamedTuple

from contract.readings import Quality, Value
from contract.speech import Speech
from contract.texts import Text
from drivers.listening import Dissector, Listen, OnWire, Seen
from drivers.modbus.decode import Decoder, bit_at
from drivers.modbus.ear import Ear, Heard
from drivers.modbus.plan import MULTIPLIER, Block, spans_of
from drivers.modbus.refusals import reason
from drivers.profiles.profile import Profile
from drivers.profiles.wording import value_of
from drivers.tallies import Tallies

SHOWN = 8
"""So many values of an answer are written out."""


def refusal(code: int, say: Speech) -> str:
    """An exception code in words."""
    en, zh = reason(code)
    return say(f"异常码 {code}：{zh}", f"exception {code}: {en}")


class Device(NamedTuple):
    """What a site file says of a unit."""

    id: str
    profile: Profile
    decoder: Decoder


def device(id: str, profile: Profile, factors: Mapping[str, float]) -> Device:
    """A device with its memory of multipliers."""
    return Device(id, profile, Decoder(profile, factors))


class ModbusDissector:
    """Understands a line by listening. `devices`: by unit, those that a site file names."""

    def __init__(self, devices: Mapping[int, Device], say: Speech) -> None:
        self.tallies = Tallies()
        self._devices = devices
        self._say = say
        self._ear = Ear()

    def feed(self, data: bytes, at: float) -> list[Seen]:
        """What these bytes complete. `at`: when they came, in seconds."""
        self.tallies.bytes += len(data)
        return [self.seen(heard) for heard in self._ear.feed(data, at)]

    def quiet(self) -> list[Seen]:
        """The wire has been silent for longer than a frame allows."""
        return [self.seen(heard) for heard in self._ear.quiet()]

    def seen(self, heard: Heard) -> Seen:
        """One frame, counted and in words."""
        self._count(heard)
        way = "ask" if heard.kind == "request" else "answer" if heard.kind in {"answer", "exception"} else "odd"
        device = self._devices.get(heard.unit)
        unit = "" if heard.unit < 0 else str(heard.unit)
        words, values = self._words(heard, device)
        fields: dict[str, object] = {"kind": heard.kind, "fc": heard.fc if heard.fc >= 0 else None}
        if device is not None:
            fields["device"] = device.id
        if values:
            fields["values"] = values
        return Seen(heard.at, way, unit, words, heard.latency_s, heard.raw, fields)  # type: ignore[arg-type]

    def no_frame(self, raw: bytes) -> str:
        """Words for bytes that are no frame."""
        return self._say("无法识别的数据", "bytes that are no frame") + f" [{raw[:16].hex(' ')}]"

    def not_reached(self, name: str) -> str:
        """Words for an end that cannot be dialled."""
        return self._say(f"连不上 {name}", f"{name} cannot be reached")

    def odd(self, words: str, raw: bytes, at: float) -> Seen:
        """Something that is no frame, counted."""
        self.tallies.bytes += len(raw)
        self.tallies.noise += 1
        return Seen(at, "odd", "", words, None, raw, {"kind": "noise"})

    def _count(self, heard: Heard) -> None:
        tallies = self.tallies
        if heard.kind == "noise":
            tallies.damaged(str(heard.unit) if heard.unit >= 0 else None)
            return
        tallies.frames += 1
        if heard.kind == "request":
            tallies.request(str(heard.unit), answered=heard.unit != 0)
        elif heard.kind != "custom":
            tallies.answer(str(heard.unit), heard.latency_s, refused=heard.kind == "exception")

    def _words(self, heard: Heard, device: Device | None) -> tuple[str, dict[str, Value]]:
        say = self._say
        name = f"{device.id} " if device is not None else ""
        if heard.kind == "noise":
            if heard.unit >= 0:
                return say("校验错或残缺的应答", "a damaged answer") + f" [{heard.raw[:16].hex(' ')}]", {}
            return self.no_frame(heard.raw), {}
        if heard.kind == "exception":
            return f"{name}{say('拒绝', 'refuses')}: {refusal(heard.raw[2], say)}", {}
        if heard.kind == "custom":
            return f"{name}{say('自定义功能', 'custom function')} {heard.fc} [{heard.pdu[1:17].hex(' ')}]", {}
        if heard.kind == "request":
            return name + _asks(heard.pdu, say), {}
        if heard.fc in {5, 6, 15, 16}:
            return name + say("已确认", "confirmed"), {}
        if heard.fc > 4 or heard.asked is None:
            return name + f"[{heard.pdu[1:17].hex(' ')}]", {}
        return self._values(heard, device, name)

    def _values(self, heard: Heard, device: Device | None, name: str) -> tuple[str, dict[str, Value]]:
        assert heard.asked is not None
        start, size = struct.unpack(">HH", heard.asked.raw[2:6])
        data = heard.raw[3:-2]
        said = {} if device is None else readings(device, heard.fc, start, size, data)
        if not said or device is None:
            return name + plain(heard.fc, start, size, data), {}
        # Of a status word's many flags those say something that are set.
        told = {point: each for point, each in said.items() if each[0] is not False} or said
        parts = [
            f"{point} {value_of(device.profile.points[point], value, self._say) if quality == 'good' else '—'}"
            for point, (value, quality) in list(told.items())[:SHOWN]
        ]
        more = f" … +{len(said) - len(parts)}" if len(said) > len(parts) else ""
        return name + ", ".join(parts) + more, {point: value for point, (value, _) in said.items()}


def readings(device: Device, fc: int, start: int, size: int, data: bytes) -> dict[str, tuple[Value, Quality]]:
    """What an answer says about the device's points."""
    spans = tuple(
        span
        for span in spans_of(device.profile)
        if span.fc == fc and start <= span.address and span.end <= start + size
    )
    if not any(not span.key.startswith(MULTIPLIER) for span in spans):
        return {}
    block = Block(fc, start, size, "normal", spans)
    return {worth.point: (worth.value, worth.quality) for worth in device.decoder.read(block, data)}


def plain(fc: int, start: int, size: int, data: bytes) -> str:
    """Registers or bits as they are."""
    if fc <= 2:
        bits = "".join(str(bit_at(data, at)) for at in range(min(size, 64)))
        return f"{start}: {bits}" + (" …" if size > 64 else "")
    words = struct.unpack(f">{len(data) // 2}H", data)
    shown = " ".join(f"{word:04X}" for word in words[:16])
    return f"{start}: {shown}" + (f" … +{len(words) - 16}" if len(words) > 16 else "")


def _asks(pdu: bytes, say: Speech) -> str:
    fc = pdu[0]
    if fc <= 4:
        start, size = struct.unpack(">HH", pdu[1:5])
        span = str(start) if size == 1 else f"{start}–{start + size - 1}"
        return f"{say('读', 'read')} {area(fc, say)} {span}"
    if fc in {5, 6}:
        address, value = struct.unpack(">HH", pdu[1:5])
        what = say("线圈", "coil") if fc == 5 else say("寄存器", "register")
        return f"{say('写', 'write')} {what} {address} = {value} (0x{value:04X})"
    if fc in {15, 16}:
        address, count = struct.unpack(">HH", pdu[1:5])
        what = say("线圈", "coils") if fc == 15 else say("寄存器", "registers")
        return f"{say('写', 'write')} {what} {address}–{address + count - 1} = {pdu[6:22].hex(' ')}"
    return f"{say('功能', 'function')} {fc} [{pdu[1:17].hex(' ')}]"


_KINDS: dict[int, Text] = {
    1: Text("线圈", "coils"),
    2: Text("离散输入", "discrete inputs"),
    3: Text("保持寄存器", "holding registers"),
    4: Text("输入寄存器", "input registers"),
}


def area(fc: int, say: Speech) -> str:
    """What a function code reads."""
    return say.of(_KINDS[fc]) if fc in _KINDS else f"fc {fc}"


def units(wire: OnWire) -> dict[int, Device]:
    """The wire's devices by their units."""
    return {
        installed.unit: device(id, profile, installed.scale_by)
        for id, (installed, profile) in wire.of("modbus").items()
    }


def _dissector(wire: OnWire, say: Speech) -> Dissector:
    return ModbusDissector(units(wire), say)


LISTEN = Listen(_dissector)
