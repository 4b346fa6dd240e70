"""What to read next. Pure: `now` is monotonic seconds and always given.

Every block has its next moment. Among those that are due, the one with the earliest deadline is read, where less
urgent groups have a later deadline: alarms first, and nothing starves. A device that does not answer is left alone for
1, 2, 5, 10, then 30 s between probes; after `LOST_AFTER` silences in a row it is lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeVar

from drivers.profiles.profile import Profile
from drivers.profiles.words import Group

PROBES_S = (1.0, 2.0, 5.0, 10.0, 30.0)
LOST_AFTER = 2

SLACK_S: dict[Group, float] = {"alarm": 0.0, "normal": 1.0, "meter": 5.0}
"""How long a due block of each group may wait for more urgent ones."""

REFUSED_S = 30.0
"""A point that the device refuses to give is asked for no more often than this."""


def probe_delay(silences: int) -> float:
    """Seconds until a device is asked again, after so many silences in a row (1, 2, …)."""
    return PROBES_S[min(max(silences, 1), len(PROBES_S)) - 1]


def periods(profile: Profile, poll_s: float | None) -> dict[Group, float]:
    """Seconds between reads. A site's `poll_s` replaces the normal pace; alarms are no slower, meters no faster."""
    poll = profile.poll
    if poll_s is None:
        return {"alarm": poll.alarm, "normal": poll.normal, "meter": poll.meter}
    return {"alarm": min(poll.alarm, poll_s), "normal": poll_s, "meter": max(poll.meter, poll_s)}


class Readable(Protocol):
    """Something that is read in one exchange. `first`: nothing else of its device can be understood without it."""

    @property
    def group(self) -> Group: ...

    @property
    def first(self) -> bool: ...


Block = TypeVar("Block", bound=Readable)


class Turn(NamedTuple, Generic[Block]):
    """What to do now: read `block` of `device`. `probe`: the device did not answer last time."""

    device: str
    block: Block
    probe: bool


@dataclass(slots=True)
class _Slot(Generic[Block]):
    block: Block
    period: float
    due: float
    owed: bool = False
    """Others cannot be understood without it: it is read before them once the device is there."""


@dataclass(slots=True)
class _Device(Generic[Block]):
    slots: list[_Slot[Block]]
    silences: int = 0
    retry_at: float = 0.0
    online: bool | None = None


class Timetable(Generic[Block]):
    """The moments of every block of one wire. Bounded by the blocks; no wall clock, no I/O."""

    def __init__(self) -> None:
        self._devices: dict[str, _Device[Block]] = {}
        self.overruns = 0

    def add(self, device: str, blocks: Sequence[Block], periods: Mapping[Group, float], now: float) -> None:
        """A device and what is to be read of it; all of it is due at once."""
        slots = [_Slot(block, periods[block.group], now, block.first) for block in blocks]
        slots.sort(key=lambda slot: not slot.owed)
        self._devices[device] = _Device(slots, retry_at=now)

    def next(self, now: float) -> Turn[Block] | None:
        """What is due now, or None."""
        best: tuple[float, str, _Slot[Block], bool] | None = None
        for name, device in self._devices.items():
            if device.silences:
                if device.retry_at > now or not device.slots:
                    continue
                slot, deadline = device.slots[0], device.retry_at + SLACK_S["normal"]
            else:
                due = [slot for slot in device.slots if slot.due <= now]
                if not due:
                    continue
                slot = min(due, key=_deadline)
                deadline = _deadline(slot)
            if best is None or deadline < best[0]:
                best = deadline, name, slot, device.silences > 0
        if best is None:
            return None
        return Turn(best[1], best[2].block, best[3])

    def wake_at(self) -> float | None:
        """The earliest moment at which something is due; None if there is nothing to read."""
        moments = [
            device.retry_at if device.silences else min(slot.due for slot in device.slots)
            for device in self._devices.values()
            if device.slots
        ]
        return min(moments, default=None)

    def answered(self, device: str, now: float) -> bool:
        """The device answered. True: it was not there before, everything of it is due again."""
        state = self._devices[device]
        found = state.online is not True
        if state.silences or found:
            for slot in state.slots:
                slot.due = min(slot.due, now)
                slot.owed = slot.owed or (found and slot.block.first)
        state.silences, state.online = 0, True
        return found

    def read(self, turn: Turn[Block], now: float) -> None:
        """The block was read (or refused for this time): its next moment keeps the pace, missed ones are left out."""
        for slot in self._devices[turn.device].slots:
            if slot.block is turn.block:
                slot.owed = False
                following = slot.due + slot.period
                if following <= now:
                    self.overruns += following + slot.period <= now
                    following = now + slot.period - (now - slot.due) % slot.period
                slot.due = following

    def refused(self, turn: Turn[Block], parts: Sequence[Block], now: float) -> None:
        """The device refused the block: `parts` replace it, or, where it cannot be smaller, it is asked rarely."""
        device = self._devices[turn.device]
        for index, slot in enumerate(device.slots):
            if slot.block is turn.block:
                if parts:
                    device.slots[index : index + 1] = [_Slot(part, slot.period, now, part.first) for part in parts]
                else:
                    slot.owed = False
                    slot.due = now + max(slot.period, REFUSED_S)
                return

    def silent(self, device: str, now: float, at_least_s: float = 0.0) -> bool:
        """The device did not answer, and must not be asked for `at_least_s`. True: it is lost from now on."""
        state = self._devices[device]
        state.silences += 1
        state.retry_at = now + max(probe_delay(state.silences), at_least_s)
        lost = state.silences >= LOST_AFTER and state.online is not False
        if lost:
            state.online = False
        return lost

    def postpone(self, device: str, until: float) -> None:
        """The device cannot be asked before `until`."""
        state = self._devices[device]
        state.retry_at = max(state.retry_at, until)
        for slot in state.slots:
            slot.due = max(slot.due, until)

    def wire_back(self, now: float) -> None:
        """The wire itself is there again: nobody on it has to wait out its back-off."""
        for state in self._devices.values():
            state.retry_at = min(state.retry_at, now)

    def silences(self, device: str) -> int:
        """How often in a row the device has not answered."""
        return self._devices[device].silences

    def soon(self, device: str, now: float) -> None:
        """Something was written to the device: read its urgent and normal values again at once."""
        state = self._devices[device]
        state.retry_at = min(state.retry_at, now)
        for slot in state.slots:
            if slot.block.group != "meter":
                slot.due = min(slot.due, now)

    def online(self, device: str) -> bool:
        """Whether the device answered lately."""
        state = self._devices.get(device)
        return state is not None and state.online is True and state.silences == 0

    def blocks(self, device: str) -> list[Block]:
        """What is read of a device, as it stands now."""
        return [slot.block for slot in self._devices[device].slots]


def _deadline(slot: _Slot[Block]) -> float:
    return 0.0 if slot.owed else slot.due + SLACK_S[slot.block.group]
