"""One meter whose values are items of its standard: what is read of it, and what was found out about it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from contract.readings import Value
from drivers.bus import CommandFailed
from drivers.changes import Changes, Worth
from drivers.factors import Factors
from drivers.meters.items import Item, absent, plan, worths
from drivers.meters.product import FieldSource, MeterCommand, meter_of
from drivers.pace import periods
from drivers.profiles.profile import Profile
from drivers.profiles.words import Group
from drivers.schedule import Readable
from drivers.wiring import Installed


class RawCommand(NamedTuple):
    """What a command asks for: `raw` in the command's own numbers."""

    command: MeterCommand
    raw: int


class ItemStation:
    """What DL/T 645 and CJ/T 188 meters have in common (see `drivers.meters.dialect.Station`).

    `address`: as printed; None until the only meter of the line was asked for it. `wildcard`: it was not in the site
    file, so it is asked for again after the meter was lost: another one may have come.
    """

    def __init__(self, device: str, installed: Installed, profile: Profile, digits: int) -> None:
        form = meter_of(profile)
        assert form is not None
        self.device = device
        self.profile = profile
        self.form = form
        self.wildcard = installed.address is None
        self.address = None if installed.address is None else installed.address.zfill(digits)
        self.periods: Mapping[Group, float] = periods(profile, installed.poll_s)
        self.latency_s = profile.limits.latency_s
        self.guard_s = profile.limits.guard_s
        self.changes = Changes(device, profile.points)
        self.factors = Factors(profile.multipliers, installed.scale_by)
        self._of_address = [
            name
            for name, point in profile.points.items()
            if isinstance(point.source, FieldSource) and point.source.item is None
        ]

    def blocks(self) -> Sequence[Readable]:
        """What is read of it."""
        return plan(self.profile)

    def parts(self, block: Readable) -> Sequence[Readable]:
        """What to read instead of a block that the meter does not have."""
        assert isinstance(block, Item)
        return block.parts

    def denied(self, block: Readable) -> Sequence[Worth]:
        """What a block's points are worth when the meter denies it."""
        assert isinstance(block, Item)
        return self.factors.multiplied(self.profile.points, absent(block, self.address))

    def forget(self) -> None:
        """It was lost."""
        self.changes.forget()
        self.factors.forget()
        if self.wildcard:
            self.address = None

    def understood(self, item: Item, data: bytes, time: bytes = b"") -> list[Worth]:
        """Every point of an answer, and those that tell whose answer it is. Raises `FrameError`."""
        assert self.address is not None
        found = self.factors.multiplied(self.profile.points, worths(item, data, time))
        return [*found, *(Worth(name, self.address, "good") for name in self._of_address)]

    def raw_command(self, name: str, value: Value) -> RawCommand:
        """The command `name` of the profile, and what `value` is in its numbers. Raises `CommandFailed`."""
        command = self.profile.commands.get(name)
        if not isinstance(command, MeterCommand):
            raise CommandFailed(f"{self.device} takes no command {name}", f"{self.device} 没有指令 {name}")
        if not command.enum:
            if value is False:
                raise CommandFailed(f"{name} is given or not given, never undone", f"{name} 只能下达，不能撤销")
            return RawCommand(command, 0)
        if not isinstance(value, str) or value not in command.enum:
            raise CommandFailed(
                f"{name} takes one of {', '.join(command.enum)}, not {value!r:.40}",
                f"{name} 只接受 {'、'.join(command.enum)}",
            )
        return RawCommand(command, command.enum[value])

    def known_address(self) -> str:
        """Its address. `CommandFailed` while nobody has asked it."""
        if self.address is None:
            raise CommandFailed(f"{self.device} was not found yet", f"尚未找到 {self.device}")
        return self.address
