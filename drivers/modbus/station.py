"""One device on a Modbus wire: what is read of it, what it means, what it still owes an answer to. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from contract.readings import Reading
from drivers.changes import Changes
from drivers.modbus.decode import Decoder, Reader, refused
from drivers.modbus.plan import Block, Limits, plan, spans_of
from drivers.modbus.resync import Unanswered
from drivers.pace import periods
from drivers.profiles.profile import Profile
from drivers.wiring import Installed

UNDERSTOOD_S = 1.0
"""For this long only registers that changed are looked at: most stand still most of the time."""


@dataclass(slots=True)
class _Seen:
    """The last answer to a block, and when all of it was looked at."""

    data: bytes
    whole_at: float


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
        self._seen: dict[Reader, _Seen] = {}

    def blocks(self) -> list[Block]:
        """What is read of it."""
        limits = self.profile.limits
        return plan(spans_of(self.profile), Limits(limits.registers, limits.bits, limits.gap))

    def news(self, block: Block, data: bytes, now: float, at_ms: int) -> tuple[Reading, ...]:
        """What an answer says that is worth a report. `now`: monotonic seconds; `at_ms`: Unix milliseconds."""
        reader = self.decoder.reader(block)
        seen = self._seen.get(reader)
        if seen is None or now - seen.whole_at >= UNDERSTOOD_S:
            return self._all_news(block, data, now, at_ms)
        if seen.data == data:
            return ()
        changed = reader.changed(seen.data, data)
        if reader.multipliers and not reader.multipliers_stand(changed):
            # Another factor makes other values of the same registers, in other blocks too.
            self._seen.clear()
            return self._all_news(block, data, now, at_ms)
        seen.data = data
        return self.changes.news(self.decoder.worth(changed, data), now, at_ms)

    def _all_news(self, block: Block, data: bytes, now: float, at_ms: int) -> tuple[Reading, ...]:
        self._seen[self.decoder.reader(block)] = _Seen(data, now)
        return self.changes.news(self.decoder.read(block, data), now, at_ms)

    def refused(self, block: Block, now: float, at_ms: int) -> tuple[Reading, ...]:
        """What a refusal of a block says that is worth a report."""
        self._seen.pop(self.decoder.reader(block), None)
        return self.changes.news(refused(block), now, at_ms)

    def forget(self) -> None:
        """It was lost: what it said before says nothing about what comes back."""
        self._seen.clear()
        self.decoder.forget()
        self.changes.forget()
