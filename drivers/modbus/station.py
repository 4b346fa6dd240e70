"""One device on a Modbus wire: what is read of it, what it means, what it still owes an answer to. Pure."""

from __future__ import annotations

from typing import Protocol

from drivers.changes import Changes
from drivers.modbus.decode import Decoder
from drivers.modbus.plan import Block, Limits, plan, spans_of
from drivers.modbus.resync import Unanswered
from drivers.profiles.profile import Profile
from drivers.profiles.schema import Group


class Installed(Protocol):
    """What a site file says of a device on a Modbus wire (`config.site.Device` fits)."""

    @property
    def unit(self) -> int: ...

    @property
    def poll_s(self) -> float | None: ...

    @property
    def scale_by(self) -> dict[str, float]: ...


class Station:
    """A device and its memory. `periods`: seconds between reads of each group."""

    def __init__(self, device: str, installed: Installed, profile: Profile) -> None:
        self.device = device
        self.unit = installed.unit
        self.profile = profile
        self.decoder = Decoder(profile, installed.scale_by)
        self.changes = Changes(device, profile.points)
        self.unanswered = Unanswered(profile.limits.latency_s)
        self.periods = periods(profile, installed.poll_s)

    def blocks(self) -> list[Block]:
        """What is read of it."""
        limits = self.profile.limits
        return plan(spans_of(self.profile), Limits(limits.registers, limits.bits, limits.gap))

    def forget(self) -> None:
        """It was lost: what it said before says nothing about what comes back."""
        self.decoder.forget()
        self.changes.forget()


def periods(profile: Profile, poll_s: float | None) -> dict[Group, float]:
    """Seconds between reads. A site's `poll_s` replaces the normal pace; alarms are no slower, meters no faster."""
    poll = profile.poll
    if poll_s is None:
        return {"alarm": poll.alarm, "normal": poll.normal, "meter": poll.meter}
    return {"alarm": min(poll.alarm, poll_s), "normal": poll_s, "meter": max(poll.meter, poll_s)}
