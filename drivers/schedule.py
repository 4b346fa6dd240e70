"""What to read next. Pure: `now` is monotonic seconds and always given.

Every block has its next moment. Among those that are due, the one with the earliest deadline is read, where less
urgent groups have a later deadline: alarms first, and nothing starves. Every moment that passes is accounted for: the
block was read, or the wire was too slow for it (`overruns`), or its device was silent (`missed`).

A device that does not answer is left alone for 1, 2, 5, then 8 s between probes; after `LOST_AFTER` silences in a row
it is lost. While others on the wire are well, all the lost ones together get at most `PROBES_SHARE` of its time: a
probe that cost 0.1 s on TCP or 0.3 s on a serial line comes again after 8 s (so that one device that is back is found
within 10 s), one that held up a converter for 1 s after 20 s.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, Protocol, TypeVar

from drivers.bus import LeftOut
from drivers.profiles.words import Group

PROBES_S = (1.0, 2.0, 5.0, 8.0)
PROBES_SHARE = 0.05
PROBE_LIMIT_S = 60.0
"""However many are silent and whatever it costs, each is asked at least this often."""

LOST_AFTER = 2
SWEEP_EVERY = 4096

SLACK_S: dict[Group, float] = {"alarm": 0.0, "normal": 1.0, "meter": 5.0}
"""How long a due block of each group may wait for more urgent ones."""

REFUSED_S = 30.0
"""A point that the device refuses to give is asked for no more often than this."""


def probe_delay(silences: int, cost_s: float = 0.0) -> float:
    """Seconds until a device is asked again, after so many silences in a row (1, 2, …).

    `cost_s`: what a probe takes of the wire's time, times the number of silent devices; 0 where nobody else needs it.
    """
    step = PROBES_S[min(max(silences, 1), len(PROBES_S)) - 1]
    return step if silences < LOST_AFTER else max(step, min(cost_s / PROBES_SHARE, PROBE_LIMIT_S))


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


@dataclass(slots=True, eq=False)
class _Slot(Generic[Block]):
    """`owed`: others cannot be understood without it: it is read before them once the device is there."""

    device: _Device[Block]
    block: Block
    period: float
    due: float
    owed: bool = False
    entry: int = -1

    @property
    def at(self) -> float:
        return self.due

    @property
    def deadline(self) -> float:
        return 0.0 if self.owed else self.due + SLACK_S[self.block.group]


@dataclass(slots=True, eq=False)
class _Device(Generic[Block]):
    """While it is silent it stands in the queues itself, in place of its slots. `cost_s`: of its last probe."""

    name: str
    retry_at: float
    slots: list[_Slot[Block]] = field(default_factory=list)
    silences: int = 0
    silent_at: float = 0.0
    at_least_s: float = 0.0
    cost_s: float = 0.0
    online: bool | None = None
    overruns: int = 0
    missed: int = 0
    entry: int = -1

    @property
    def at(self) -> float:
        return self.retry_at

    @property
    def deadline(self) -> float:
        return self.retry_at + SLACK_S["normal"]


class Timetable(Generic[Block]):
    """The moments of every block of one wire. Bounded by the blocks; no wall clock, no I/O.

    Two heaps: what waits for its moment, and what is due by deadline. An entry whose number is no longer its thing's
    own is stale and passed over.
    """

    def __init__(self) -> None:
        self.overruns = 0
        """Moments that were left out because the wire was too slow for them."""
        self.missed = 0
        """Moments that were left out because the device was silent."""
        self._devices: dict[str, _Device[Block]] = {}
        self._silent: set[str] = set()
        self._waiting: list[tuple[float, int, _Slot[Block] | _Device[Block]]] = []
        self._due: list[tuple[float, int, _Slot[Block] | _Device[Block]]] = []
        self._entries = 0

    def add(self, device: str, blocks: Sequence[Block], periods: Mapping[Group, float], now: float) -> None:
        """A device and what is to be read of it; all of it is due at once."""
        state = self._devices[device] = _Device(device, now)
        state.slots = [_Slot(state, block, periods[block.group], now, block.first) for block in blocks]
        state.slots.sort(key=lambda slot: not slot.owed)
        self._queue_slots(state)

    # --- What is next

    def next(self, now: float) -> Turn[Block] | None:
        """What is due now, or None."""
        waiting, due = self._waiting, self._due
        while waiting and waiting[0][0] <= now:
            _, entry, thing = heapq.heappop(waiting)
            if entry == thing.entry:
                heapq.heappush(due, (thing.deadline, entry, thing))
        while due:
            _, entry, thing = due[0]
            if entry != thing.entry:
                heapq.heappop(due)
            elif isinstance(thing, _Slot):
                return Turn(thing.device.name, thing.block, False)
            else:
                return Turn(thing.name, thing.slots[0].block, True)
        return None

    def wake_at(self) -> float | None:
        """The earliest moment at which something is due; None if there is nothing to read."""
        for heap in (self._waiting, self._due):
            while heap and heap[0][1] != heap[0][2].entry:
                heapq.heappop(heap)
        moments = [self._waiting[0][0]] if self._waiting else []
        moments += [thing.at for _, entry, thing in self._due if entry == thing.entry]
        return min(moments, default=None)

    # --- What became of it

    def answered(self, device: str, now: float) -> bool:
        """The device answered. True: it was not there before, everything of it is due again."""
        state = self._devices[device]
        if state.online and not state.silences:
            return False
        found = state.online is not True
        self._pass_over(state, now)
        for slot in state.slots:
            slot.due = min(slot.due, now)
            slot.owed = slot.owed or (found and slot.block.first)
        state.silences, state.online = 0, True
        self._silent.discard(device)
        self._queue_slots(state)
        return found

    def read(self, turn: Turn[Block], now: float) -> None:
        """The block was read (or refused for this time): its next moment keeps the pace, missed ones are left out."""
        state = self._devices[turn.device]
        for slot in state.slots:
            if slot.block is turn.block:
                slot.owed = False
                left_out = max(0, int((now - slot.due) // slot.period))
                if left_out:
                    self.overruns += left_out
                    state.overruns += left_out
                slot.due += (left_out + 1) * slot.period
                self._queue(slot)
                return

    def refused(self, turn: Turn[Block], parts: Sequence[Block], now: float) -> None:
        """The device refused the block: `parts` replace it, or, where it cannot be smaller, it is asked rarely."""
        state = self._devices[turn.device]
        for index, slot in enumerate(state.slots):
            if slot.block is turn.block:
                if parts:
                    slot.entry = -1
                    state.slots[index : index + 1] = [
                        _Slot(state, part, slot.period, now, part.first) for part in parts
                    ]
                else:
                    slot.owed = False
                    slot.due = now + max(slot.period, REFUSED_S)
                self._requeue(state)
                return

    def silent(self, device: str, now: float, at_least_s: float = 0.0, cost_s: float = 0.0) -> bool:
        """The device did not answer, and must not be asked for `at_least_s`. True: it is lost from now on.

        `cost_s`: the time that the vain question took of the wire.
        """
        state = self._devices[device]
        state.silences += 1
        self._pass_over(state, now)
        state.silent_at, state.at_least_s, state.cost_s = now, at_least_s, cost_s
        others = [state]
        if device not in self._silent:
            self._silent.add(device)
            if len(self._silent) == len(self._devices):
                others = list(self._devices.values())  # nobody is left that they could slow down
        for other in others:
            self._put_off(other)
        lost = state.silences >= LOST_AFTER and state.online is not False
        if lost:
            state.online = False
        return lost

    def dearer(self, device: str, cost_s: float) -> None:
        """The vain question held up the wire for longer than it seemed."""
        state = self._devices[device]
        if state.silences:
            state.cost_s += cost_s
            self._put_off(state)

    def _put_off(self, state: _Device[Block]) -> None:
        shared = len(self._silent) < len(self._devices)
        delay = probe_delay(state.silences, state.cost_s * len(self._silent) if shared else 0.0)
        state.retry_at = state.silent_at + max(delay, state.at_least_s)
        self._queue_device(state)

    def postpone(self, device: str, until: float) -> None:
        """The device cannot be asked before `until`."""
        state = self._devices[device]
        state.retry_at = max(state.retry_at, until)
        for slot in state.slots:
            if slot.due < until:
                self._count_missed(state, int((until - slot.due) // slot.period))
                slot.due = until
        self._requeue(state)

    def wire_back(self, now: float) -> None:
        """The wire itself is there again: nobody on it has to wait out its back-off."""
        for device in self._devices:
            self.stirs(device, now)

    def stirs(self, device: str, now: float) -> None:
        """A silent device has shown a sign of life: it is asked at once."""
        state = self._devices[device]
        if state.silences and state.retry_at > now:
            state.retry_at = now
            self._queue_device(state)

    def soon(self, device: str, now: float) -> None:
        """Something was written to the device: read its urgent and normal values again at once."""
        state = self._devices[device]
        state.retry_at = min(state.retry_at, now)
        for slot in state.slots:
            if slot.block.group != "meter":
                slot.due = min(slot.due, now)
        self._requeue(state)

    # --- What is known

    def silences(self, device: str) -> int:
        """How often in a row the device has not answered."""
        return self._devices[device].silences

    def online(self, device: str) -> bool:
        """Whether the device answered lately."""
        state = self._devices.get(device)
        return state is not None and state.online is True and state.silences == 0

    def blocks(self, device: str) -> list[Block]:
        """What is read of a device, as it stands now."""
        return [slot.block for slot in self._devices[device].slots]

    def left_out(self) -> dict[str, LeftOut]:
        """The moments that were left out, by device."""
        return {name: LeftOut(state.overruns, state.missed) for name, state in self._devices.items()}

    # --- Inside

    def _pass_over(self, state: _Device[Block], now: float) -> None:
        """The moments that passed in silence, except the last of each block: that one is still to be read."""
        for slot in state.slots:
            if slot.due < now:
                left_out = int((now - slot.due) // slot.period)
                self._count_missed(state, left_out)
                slot.due += left_out * slot.period

    def _count_missed(self, state: _Device[Block], moments: int) -> None:
        self.missed += moments
        state.missed += moments

    def _requeue(self, state: _Device[Block]) -> None:
        if state.silences:
            self._queue_device(state)
        else:
            self._queue_slots(state)

    def _queue_slots(self, state: _Device[Block]) -> None:
        state.entry = -1
        for slot in state.slots:
            self._queue(slot)

    def _queue_device(self, state: _Device[Block]) -> None:
        for slot in state.slots:
            slot.entry = -1
        if state.slots:
            self._queue(state)

    def _queue(self, thing: _Slot[Block] | _Device[Block]) -> None:
        """Stale entries fall out when they come up; once in a while all that stand in the way are thrown out."""
        if self._entries % SWEEP_EVERY == SWEEP_EVERY - 1:
            for heap in (self._waiting, self._due):
                heap[:] = [entry for entry in heap if entry[1] == entry[2].entry]
                heapq.heapify(heap)
        self._entries += 1
        thing.entry = self._entries
        heapq.heappush(self._waiting, (thing.at, thing.entry, thing))
