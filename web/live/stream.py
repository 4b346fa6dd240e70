"""The live stream: what was committed, to every screen that may see it, coalesced per tick.

`publish` collects; a tick (200 ms after the first thing published) encodes each state once a role (the last wins; a
ticket once more for who may do other things with it), and one frame per group of screens that may see the same
(`contract.rights`) of the same sites. Events are never coalesced away; states are. What cannot be shown is said, and
the screens that would see it end and come back.
A screen that cannot keep up, or missed more than 10,000 events, is told to `reset` and gets a snapshot.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

import msgspec
import structlog
from prometheus_client import Counter, Gauge

from contract.texts import Text
from web.errors import TooMany
from web.live.pieces import PackedPieces
from web.live.screens import EventsFrame, LiveEvent, Screen, StateKey, View
from web.live.sse import frame
from web.live.states import State, TickStates

log = structlog.get_logger("web.live")

SCREENS = Gauge("gatehouse_live_screens", "Open live streams")
OVERFLOWS = Counter("gatehouse_live_overflows", "Screens that could not keep up and were reset")
LATE = Counter("gatehouse_live_late_events", "Events published after one with a higher id was sent")

_FULL = Text("打开的页面过多", "Too many live screens are open")


class Snapshot(NamedTuple):
    """Everything a screen starts from. `last_id`: the newest event that it takes into account.

    `concerned`: accounts that may do other things with what is in it than others of their role; `own`: its body for
    whom these names belong to.
    """

    last_id: int
    body: bytes
    concerned: frozenset[str] = frozenset()
    own: Callable[[frozenset[str]], bytes] | None = None


class Beginning:
    """A snapshot as it goes to screens: written once for all that share it."""

    def __init__(self, last_id: int, body: bytes) -> None:
        self.last_id = last_id
        self.body = body

    @cached_property
    def fresh(self) -> bytes:
        """For who begins: the browser goes on from `last_id`."""
        return frame("snapshot", self.body, self.last_id)

    @cached_property
    def resumed(self) -> bytes:
        """For who was told what was missed: the browser's place stays."""
        return frame("snapshot", self.body)


class LiveSource(Protocol):
    """Where a server reads what a screen missed. Both answers see everything that was published before the call."""

    async def missed(self, view: View, after: int, limit: int) -> list[LiveEvent] | None:
        """Events with an id above `after`, oldest first; None if they are more than `limit` or `after` is not ours."""

    async def snapshot(self, view: View) -> Snapshot:
        """`{as_of, doors, lanes, alarms, tickets, gateways, events}` as of one moment."""


@dataclass(frozen=True, slots=True)
class LiveLimits:
    """Seconds, and how much is held for one screen before it is reset.

    `heartbeat_s`: the longest silence on the wire; the console takes two and a half of them for a dead stream.
    `look_s`: how often a session is looked at again.
    """

    tick_s: float = 0.2
    heartbeat_s: float = 3.0
    look_s: float = 15.0
    write_s: float = 60.0
    screens: int = 1000
    screens_of_one: int = 32
    most_events: int = 10_000
    most_states: int = 20_000
    frame_events: int = 500
    snapshots_at_once: int = 2


class Live:
    """The live stream of one server."""

    def __init__(self, source: LiveSource, limits: LiveLimits = LiveLimits()) -> None:
        self.limits = limits
        self.pieces = PackedPieces()
        self._source = source
        self._screens: dict[Screen, asyncio.Event] = {}
        self._events: list[LiveEvent] = []
        self._states: dict[StateKey, State] = {}
        self._last_id = 0
        self._tick: asyncio.TimerHandle | None = None
        self.closed = asyncio.Event()
        """Set when the server begins to end: whatever stream there is ends with this one."""
        self._reading = asyncio.Semaphore(limits.snapshots_at_once)
        self._snapshots: dict[View, asyncio.Task[tuple[Snapshot, Beginning]]] = {}

    @property
    def watched(self) -> bool:
        """Whether any screen is open: what nobody sees need not be said."""
        return bool(self._screens)

    def publish(self, events: Sequence[LiveEvent] = (), states: Sequence[State] = ()) -> None:
        """Show what was committed. Returns at once; call it on the event loop, after the commit."""
        if not self._screens:
            return
        self._events.extend(events)
        for state in states:
            self._states[state["site"], state["kind"], state["id"]] = state
        if self._tick is None and (self._events or self._states):
            self._tick = asyncio.get_running_loop().call_later(self.limits.tick_s, self._flush)

    def end(self, account: str) -> None:
        """End every screen of an account: it was removed, or its rights changed."""
        for screen, wake in self._screens.items():
            if screen.account == account:
                screen.ended = True
                wake.set()

    def end_all(self) -> None:
        """End every screen: something may have been missed. Each comes back, says who it is, and is told the rest."""
        for screen, wake in self._screens.items():
            screen.ended = True
            wake.set()

    def end_sites(self, sites: frozenset[str]) -> None:
        """End every screen that shows one of these: something may have been missed there."""
        for screen, wake in self._screens.items():
            if screen.view.sites is None or screen.view.sites & sites:
                screen.ended = True
                wake.set()

    def end_session(self, session: str) -> None:
        """End every screen that was opened with this session (the hash of its token): it has ended."""
        for screen, wake in self._screens.items():
            if screen.session == session:
                screen.ended = True
                wake.set()

    def close(self) -> None:
        """End all screens: the server stops."""
        self.closed.set()
        if self._tick is not None:
            self._tick.cancel()
            self._flush()
        self.end_all()

    def open(self, account: str, view: View, session: str = "") -> Screen:
        """Register a screen; from now on everything published waits for it. `TooMany` beyond the limits."""
        of_one = sum(1 for screen in self._screens if screen.account == account)
        if self.closed.is_set() or len(self._screens) >= self.limits.screens or of_one >= self.limits.screens_of_one:
            raise TooMany(10, _FULL)
        screen = Screen(
            account,
            view,
            session=session,
            most_events=self.limits.most_events,
            most_states=self.limits.most_states,
        )
        self._screens[screen] = asyncio.Event()
        SCREENS.inc()
        return screen

    def leave(self, screen: Screen) -> None:
        """The screen is gone."""
        if self._screens.pop(screen, None) is not None:
            SCREENS.dec()

    async def frames(self, screen: Screen, after: int | None) -> AsyncGenerator[bytes, None]:
        """What to write to the screen, until it ends. `after`: the last event that the browser has."""
        async for chunk in self._beginning(screen, after):
            yield chunk
        wake = self._screens[screen]
        while True:
            if screen.idle:
                await wake.wait()
            wake.clear()
            if screen.overflowed:
                OVERFLOWS.inc()
                async for chunk in self._again(screen, "overflow"):
                    yield chunk
                continue
            waiting = screen.take()
            if waiting:
                yield waiting
            if screen.ended:
                return

    async def _beginning(self, screen: Screen, after: int | None) -> AsyncGenerator[bytes, None]:
        if after is None:
            async for chunk in self._fresh(screen):
                yield chunk
            return
        missed = await self._source.missed(screen.view, after, self.limits.most_events)
        if missed is None:
            async for chunk in self._again(screen, "missed"):
                yield chunk
            return
        screen.floor = max(after, missed[-1].id) if missed else after
        for start in range(0, len(missed), self.limits.frame_events):
            yield EventsFrame.of(missed[start : start + self.limits.frame_events]).encoded
        # Events committed between the two reads are younger than the floor: they still come as events, so the
        # snapshot must not move the browser's cursor past them.
        yield (await self._snapshot(screen.view)).resumed

    async def _again(self, screen: Screen, why: str) -> AsyncGenerator[bytes, None]:
        yield frame("reset", msgspec.json.encode({"why": why}))
        async for chunk in self._fresh(screen):
            yield chunk

    async def _fresh(self, screen: Screen) -> AsyncGenerator[bytes, None]:
        screen.restart()
        snapshot = await self._snapshot(screen.view)
        screen.floor = snapshot.last_id
        yield snapshot.fresh

    async def _snapshot(self, view: View) -> Beginning:
        """Screens that wait for the same share one read, which begins after the last of them registered.

        So that a herd that comes back shares it, nobody's own sign-ins are in it: they are in the history. For who may
        do other things than the others, what was read is written once more.
        """
        shared = View(view.sites, view.viewer._replace(names=frozenset()))
        task = self._snapshots.get(shared)
        if task is None:
            task = self._snapshots[shared] = asyncio.create_task(self._read_snapshot(shared))
        found, of_all = await asyncio.shield(task)
        names = view.viewer.names & found.concerned
        return Beginning(found.last_id, found.own(names)) if names and found.own is not None else of_all

    async def _read_snapshot(self, view: View) -> tuple[Snapshot, Beginning]:
        async with self._reading:
            del self._snapshots[view]
            found = await self._source.snapshot(view)
            return found, Beginning(found.last_id, found.body)

    def _flush(self) -> None:
        """Show what was published. Whatever of it cannot be shown is said, and who would see it comes back for it."""
        with ExitStack() as unless_shown:
            unless_shown.callback(self.end_all)
            self._show()
            unless_shown.pop_all()

    def _show(self) -> None:
        self._tick = None
        events = sorted(self._events, key=lambda event: event.id)
        states = TickStates(self._states)
        self._events = []
        self._states = {}
        # An event that comes after one with a higher id must not move the browser's cursor back.
        least_id = self._last_id
        if events:
            LATE.inc(sum(1 for event in events if event.id <= least_id))
            self._last_id = max(least_id, events[-1].id)
        # Whom nothing in this tick is about sees it like all others of the same role.
        named = states.doing.union(*(event.about for event in events))
        groups: dict[View, tuple[EventsFrame | None, Mapping[StateKey, bytes]]] = {}
        for screen, wake in self._screens.items():
            viewer = screen.view.viewer
            view = View(screen.view.sites, viewer._replace(names=viewer.names & named))
            group = groups.get(view)
            if group is None:
                group = groups[view] = _seen_by(view, events, least_id), _states_of(view, states.frames(viewer))
            if group[0] is not None or group[1]:
                screen.offer(*group)
                wake.set()
        self._look_again(frozenset(site for site, _, _ in states.unshown))

    def _look_again(self, sites: frozenset[str]) -> None:
        """End the screens of these sites: each comes back and is told what it lacks."""
        for screen, wake in self._screens.items():
            if any(screen.view.shows_site(site) for site in sites):
                screen.ended = True
                wake.set()


def _seen_by(view: View, events: Sequence[LiveEvent], least_id: int) -> EventsFrame | None:
    seen = [found for event in events if (found := event.seen(view)) is not None]
    return EventsFrame.of(seen, least_id) if seen else None


def _states_of(view: View, states: Mapping[StateKey, bytes]) -> Mapping[StateKey, bytes]:
    if view.sites is None:
        return states
    return {key: state for key, state in states.items() if key[0] in view.sites}
