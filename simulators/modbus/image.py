"""The registers of one product, laid out as its profile says: values in, words and bits out, writes are actions.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from contract.readings import Value
from drivers.factors import worth_of
from drivers.modbus.product import Command, Output, RegisterSource, told_factors
from drivers.profiles.profile import Multiplier, Profile
from drivers.profiles.words import WIDTHS
from simulators.actions import Act, CommandGiven, OutputPulsed, OutputSet, OutputToggled, ValueOf
from simulators.modbus.numbers import number_of, raw_of, words_of
from simulators.modbus.slave import ILLEGAL_ADDRESS, ILLEGAL_VALUE, ModbusException


@dataclass(slots=True)
class Image:
    """A bank (see `slave.Bank`) over the values of one device.

    `value` tells the present value of a point or output; `act` is called for every write that means something.
    `raws`: raw values of the product's own factors; `factors`: those that the site file gives instead.
    """

    profile: Profile
    value: ValueOf
    act: Act
    raws: Mapping[str, int] = field(default_factory=dict)
    factors: Mapping[str, float] = field(default_factory=dict)
    _written: dict[int, int] = field(default_factory=dict)

    def bits(self, fc: int, address: int, count: int) -> list[bool]:
        """Coils (fc 1) or discrete inputs (fc 2); `ModbusException` where the product has none."""
        return [bool(bit) for bit in self._slice(self._bit_table(fc), address, count)]

    def words(self, fc: int, address: int, count: int) -> list[int]:
        """Holding (fc 3) or input registers (fc 4); `ModbusException` where the product has none."""
        return self._slice(self._word_table(fc), address, count)

    def set_coil(self, address: int, raw: int) -> None:
        """An output, its timed pulse, or a command; `ModbusException` where the product takes none."""
        if not self._switched(5, address, raw) and not self._commanded(address, [raw], coil=True):
            raise ModbusException(ILLEGAL_ADDRESS)

    def set_words(self, address: int, words: list[int]) -> None:
        """Outputs and commands in holding registers; `ModbusException` where the product takes none."""
        if len(words) == 1 and self._switched(6, address, words[0]):
            return  # a relay reads back as what it is, not as the word that switched it
        if not self._commanded(address, words, coil=False):
            raise ModbusException(ILLEGAL_ADDRESS)
        self._written.update({address + place: word for place, word in enumerate(words)})

    @property
    def _commands(self) -> dict[str, Command]:
        return {name: part for name, part in self.profile.commands.items() if isinstance(part, Command)}

    @property
    def _outputs(self) -> dict[str, Output]:
        return {name: part for name, part in self.profile.outputs.items() if isinstance(part, Output)}

    # --- What a write means

    def _switched(self, fc: int, address: int, raw: int) -> bool:
        for name, output in self._outputs.items():
            pulse = output.pulse
            if pulse and (pulse.fc, pulse.address) == (fc, address) and pulse.plus < raw <= pulse.plus + pulse.max:
                self.act(OutputPulsed(name, (raw - pulse.plus) * pulse.step_s))
                return True
            if (output.fc, output.address) == (fc, address) and raw == output.toggle:
                self.act(OutputToggled(name))
                return True
            if (output.fc, output.address) == (fc, address):
                if raw not in (output.on, output.off):
                    raise ModbusException(ILLEGAL_VALUE)
                self.act(OutputSet(name, raw == output.on))
                return True
        return False

    def _commanded(self, address: int, words: list[int], *, coil: bool) -> bool:
        held = [
            (name, command)
            for name, command in self._commands.items()
            if command.address == address and (command.fc == 5) == coil and _width(command) == len(words)
        ]
        for name, command in held:
            known, value = _meaning(command, words)
            if known:
                self.act(CommandGiven(name, value))
                return True
        # A coil that is let go again means nothing; anything else that is not known is an error.
        if held and not (coil and words == [0]):
            raise ModbusException(ILLEGAL_VALUE)
        return bool(held)

    # --- What a read finds

    def _bit_table(self, fc: int) -> dict[int, int]:
        table: dict[int, int] = {}
        if fc == 1:
            table.update({c.address: 0 for c in self._commands.values() if c.fc == 5})
            table.update({o.address: 0 for o in self._outputs.values() if o.fc == 5})
        for name, point in self.profile.points.items():
            source = point.source
            if isinstance(source, RegisterSource) and source.fc == fc:
                table[source.address] = int(bool(self.value(name)) == bool(source.on))
        return table

    def _word_table(self, fc: int) -> dict[int, int]:
        table: dict[int, int] = {}
        if fc == 3:
            for command in self._commands.values():
                if command.fc != 5:
                    table.update({command.address + place: 0 for place in range(_width(command))})
            table.update(self._written)
        for name, point in self.profile.points.items():
            source = point.source
            if isinstance(source, RegisterSource) and source.fc == fc:
                self._place_point(table, name, source)
        # A factor is often a point as well; the values beside it are told with the factor as it is.
        for name, told in told_factors(self.profile).items():
            if told.fc == fc:
                self._place(table, told, float(self._raw_factor(name, self.profile.multipliers[name])))
        return table

    def _place(self, table: dict[int, int], at: RegisterSource, raw: float) -> None:
        for place, word in enumerate(words_of(raw, at.type, at.order)):
            table[at.address + place] = word

    def _place_point(self, table: dict[int, int], name: str, source: RegisterSource) -> None:
        mask = 1 << source.bit if source.bit is not None else source.mask
        if mask is None:
            self._place(table, source, self._raw(name, source))
            return
        held = [table.get(source.address + place, 0) for place in range(source.width)]
        before = int(number_of(held, source.type, source.order))
        if source.bit is not None:
            own = mask if bool(self.value(name)) == bool(source.on) else 0
        else:
            shift = (mask & -mask).bit_length() - 1
            own = int(self._raw(name, source)) << shift & mask
        self._place(table, source, before & ~mask | own)

    def _raw(self, name: str, source: RegisterSource) -> float:
        value = self.value(name)
        if source.enum:
            return _code_of(value, source)
        if value is None:
            return min(source.invalid, default=0)
        if isinstance(value, str):
            return 0
        return raw_of(float(value), source.scale, source.offset, self._factor(source))

    def _factor(self, source: RegisterSource) -> float:
        product = 1.0
        for name in source.times:
            factor = self.profile.multipliers.get(name)
            if name in self.factors or factor is None or factor.source is None:
                product *= self.factors.get(name, 1.0)
            else:
                raw = self._raw_factor(name, factor)
                product *= worth_of(factor, raw) or 1.0
        return product

    def _raw_factor(self, name: str, factor: Multiplier) -> int:
        if name in self.raws:
            return self.raws[name]
        point = self.profile.points.get(name)
        if point is not None and isinstance(point.source, RegisterSource) and self.value(name) is not None:
            return int(self._raw(name, point.source))
        for raw, worth in factor.values.items():
            if worth == 1.0:
                return raw
        return next(iter(factor.values), 1 if factor.source is None else round(1 / factor.scale))

    def _slice(self, table: Mapping[int, int], address: int, count: int) -> list[int]:
        """`count` places from `address`; holes answer 0 if the product lets its holes be read, and refuse otherwise."""
        wanted = range(address, address + count)
        if not table or wanted[0] < min(table) or wanted[-1] > max(table):
            raise ModbusException(ILLEGAL_ADDRESS)
        if self.profile.limits.gap == 0 and any(place not in table for place in wanted):
            raise ModbusException(ILLEGAL_ADDRESS)
        return [table.get(place, 0) for place in wanted]


def _width(command: Command) -> int:
    return 1 if command.fc == 5 else WIDTHS[command.type]


def _meaning(command: Command, words: list[int]) -> tuple[bool, str | float | None]:
    """Whether these words are this command, and what they ask for."""
    raw = words[0] if command.fc == 5 else number_of(words, command.type, command.order)
    if command.value is not None:
        return raw == command.value, None
    if command.enum:
        label = next((label for label, code in command.enum.items() if code == raw), None)
        return label is not None, label
    return True, raw * command.scale + command.offset


def _code_of(value: Value, source: RegisterSource) -> int:
    for code, label in source.enum.items():
        if label == value:
            return code
    if isinstance(value, (int, float)):
        return int(value)
    return next(iter(source.enum), 0)
