"""What screens show, told to the other hub processes on the same database: NOTIFY in the transaction that did it.

A process that is alone says nothing: whoever hears says from time to time that it is there, and whom it knows of. What
others commit arrives in the order of commits, and one's own word comes back in it; so of two states of one thing it is
known which was committed later, whichever is shown first here: the older one is passed over. Where a word may have been
missed, the screens of the process end and come back: they are told what they lack, and asked again who they are.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from types import MappingProxyType
from typing import Any

import msgspec
import structlog
from prometheus_client import Counter, Gauge
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Text

from hub.database.event import StoredEvent
from hub.database.failures import passes
from hub.database.hearing import Hearing
from hub.database.transactions import Database, Outcome
from hub.domain import StatesOf
from hub.events.service import WantedEvents, events
from hub.hint_words import Ended, Gone, Here, Named, Part, joined, key_of, parts_of, word_of
from hub.own_states import Key, OwnStates
from web.live.stream import Live

log = structlog.get_logger(__name__)

CHANNEL = "gatehouse_told"
BEAT_S = 30.0
FORGOTTEN_S = 3 * BEAT_S
"""Who was not heard for so long is not there."""

MEET_S = 5.0
"""So long after the first word to others one is not sure to be alone."""

MOST_WAITING = 1_000
STRANGE_S = 10.0
"""Between two looks for words that are not understood."""

EVENT_BYTES = 16_000_000

PROCESSES = Gauge("gatehouse_hub_processes", "Hub processes on this database, as far as this one knows")
MISSED = Counter("gatehouse_hub_hints_missed", "Times that screens had to begin anew for what other processes did")

_NOTIFY = text(f"SELECT pg_notify('{CHANNEL}', word) FROM unnest(:words) AS said (word)").bindparams(
    bindparam("words", type_=ARRAY(Text))
)


class Hints:
    """One process's part in it; `database.telling`. `tell`: what to do with what others did, as with one's own.

    `states`: reads things of a kind that are too large to be told.
    """

    def __init__(
        self,
        database: Database,
        hearing: Hearing,
        live: Live,
        tell: Callable[[Outcome], None],
        states: Mapping[str, StatesOf] = MappingProxyType({}),
    ) -> None:
        self._database = database
        self._hearing = hearing
        self._live = live
        self._tell = tell
        self._name = secrets.token_hex(6)
        self._numbers = count(1)
        self._peers: dict[str, float] = {}
        self._told_by: set[str] = set()
        self._met_at = float("inf")
        self._parted_at: datetime | None = None
        self._states = states
        self._own = OwnStates()
        self._named: set[Key] = set()
        self._reading: set[Key] = set()
        self._strange: asyncio.TimerHandle | None = None
        self._strange_since = False
        self._waiting: deque[tuple[int, int]] = deque()
        self._arrived = asyncio.Event()
        self._to_say = asyncio.Event()
        self._ended: list[str] = []
        hearing.subscribe(CHANNEL, self._heard)
        hearing.on_change(self._hears)

    @property
    def alone(self) -> bool:
        """Whether nobody else is there who would hear."""
        return self._hearing.up and not self._peers and asyncio.get_running_loop().time() > self._met_at

    def together(self) -> datetime | None:
        """Until when another process was there, as far as is known; None: none ever was."""
        return self._parted_at if self.alone else datetime.now(UTC)

    async def sends(self, conn: AsyncConnection, told: Outcome) -> int | None:
        """Tell the others, if there are any, when this transaction is committed."""
        if self.alone:
            return None
        n = next(self._numbers)
        parts = parts_of(self._name, n, told)
        await conn.execute(_NOTIFY, {"words": [msgspec.json.encode(part).decode() for part in parts]})
        if not self._hearing.up:
            # Nothing of others is shown before it looks anew.
            return None
        self._own.told(n, {key_of(state) for state in told.states})
        return n

    def committed(self, number: int, told: Outcome) -> None:
        """It was, and is shown next: without those states of which another process's later ones were shown already."""
        overtaken, read = self._own.committed(number)
        if overtaken:
            told.states = [state for state in told.states if key_of(state) not in overtaken]
        # What is being read may be older than this.
        self._name_again(read | (self._reading & {key_of(state) for state in told.states}))

    def undone(self, number: int) -> None:
        """It was not committed, as far as is known: what was passed over for it holds."""
        if self._own.undone(number):
            self._look()

    def end_session(self, session: str) -> None:
        """A session has ended here: its screens end everywhere."""
        if not self.alone:
            self._ended.append(session)
            self._to_say.set()

    async def run(self) -> None:
        """Say that this process is there, and show what the events of others are, until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._say())
                tasks.create_task(self._read())
        finally:
            with suppress(Exception):
                async with asyncio.timeout(2):
                    await self._notify([Gone(self._name)])

    def _hears(self, up: bool) -> None:
        self._own.begin(next(self._numbers))
        if up:
            self._met_at = float("inf")
            if self._told_by:
                # Whoever comes to know of this process only now looks anyway.
                self._look()
            self._to_say.set()

    def _heard(self, _: int, words: str) -> None:
        try:
            word = word_of(words)
        except msgspec.DecodeError:
            self._not_understood()
            return
        if isinstance(word, Part):
            self._part(word)
        elif isinstance(word, Named):
            self._part(Part(word.by, word.n), word.things)
        elif isinstance(word, Ended):
            self._live.end_session(word.session)
        elif word.by != self._name:
            self._meet(word)

    def _part(self, part: Part, named: Sequence[Key] = ()) -> None:
        if part.by == self._name:
            if self._own.came_back(part.n):
                self._look()
            return
        if not self._live.watched:
            return
        if len(self._waiting) + len(self._named) > MOST_WAITING:
            self._look()
        elif part.look:
            self._look(part.at)
        self._waiting.extend(part.events)
        if part.events:
            self._arrived.set()
        # What is to be read is shown when it was: by then nothing older may come.
        to_read = self._named | self._reading
        self._name_again([*named, *(key for state in part.states if (key := key_of(state)) in to_read)])
        states = [state for state in part.states if (key := key_of(state)) not in to_read and not self._own.later(key)]
        if states:
            self._tell(Outcome(states=states))

    def _name_again(self, keys: Iterable[Key]) -> None:
        self._named.update(keys)
        if self._named:
            self._arrived.set()

    def _not_understood(self) -> None:
        """Of a process of another version: what it does is to be looked at, not again for every word."""
        self._strange_since = self._strange is not None
        if self._strange is None:
            self._strange = asyncio.get_running_loop().call_later(STRANGE_S, self._understood)
            self._look()

    def _understood(self) -> None:
        self._strange = None
        if self._strange_since:
            self._not_understood()

    def _meet(self, word: Here | Gone) -> None:
        if isinstance(word, Gone):
            self._parted_at = datetime.now(UTC)
            self._peers.pop(word.by, None)
            self._told_by.discard(word.by)
        else:
            if word.by not in self._peers:
                self._to_say.set()
            self._peers[word.by] = asyncio.get_running_loop().time()
            if self._name in word.knows and word.by not in self._told_by:
                # What it did until now, it told nobody.
                self._told_by.add(word.by)
                self._look()
        PROCESSES.set(1 + len(self._peers))

    def _look(self, sites: Sequence[str] = ()) -> None:
        """Have the screens begin anew: of these sites, or all of them."""
        if not self._live.watched:
            return
        MISSED.inc()
        if sites:
            self._live.end_sites(frozenset(sites))
        else:
            self._waiting.clear()
            self._named.clear()
            self._live.end_all()

    async def _say(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            for name in [name for name, at in self._peers.items() if loop.time() - at > FORGOTTEN_S]:
                self._meet(Gone(name))
            self._to_say.clear()
            ended = list(self._ended)
            words: list[Here | Gone | Ended] = [Ended(self._name, session) for session in ended]
            if self._hearing.up:
                words.append(Here(self._name, sorted(self._peers)))
            try:
                await self._notify(words)
            except Exception as error:  # whatever it was, the next hints must go
                if not passes(error):
                    log.exception("hints.not_said")
            else:
                del self._ended[: len(ended)]
                if self._hearing.up:
                    self._met_at = min(self._met_at, loop.time() + MEET_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(BEAT_S):
                    await self._to_say.wait()

    async def _notify(self, words: Sequence[Here | Gone | Ended]) -> None:
        if words:
            async with self._database.transaction() as conn:
                await conn.execute(_NOTIFY, {"words": [msgspec.json.encode(word).decode() for word in words]})

    async def _read(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            runs = joined(self._waiting)
            self._waiting.clear()
            self._reading, self._named = self._named, set()
            try:
                found = await self._stored(runs)
                states = await self._read_anew(self._reading)
            except Exception as error:  # whatever it was, the next hints must go
                if not passes(error):
                    log.exception("hints.not_read")
                found, states = None, []
            read, self._reading = self._reading, set()
            if found is None:
                self._look()
                continue
            if strange := {site for site, kind, _ in read if kind not in self._states}:
                self._look(sorted(strange))
            states = [
                state for state in states if (key := key_of(state)) not in self._named and not self._own.awaited(key)
            ]
            if found or states:
                self._tell(Outcome(events=found, states=states))

    async def _read_anew(self, keys: Iterable[Key]) -> list[dict[str, Any]]:
        """Things that were named, as they are now."""
        by_kind: dict[str, list[str]] = {}
        for _, kind, thing in keys:
            by_kind.setdefault(kind, []).append(thing)
        found: list[dict[str, Any]] = []
        for kind, things in by_kind.items():
            if kind in self._states:
                async with self._database.transaction() as conn:
                    found += [dict(state) for state in await self._states[kind](conn, sorted(things))]
        return found

    async def _stored(self, runs: Sequence[tuple[int, int]]) -> list[StoredEvent] | None:
        """The events; None if they are too much to be told one by one."""
        most, found = self._live.limits.most_events, list[StoredEvent]()
        async with self._database.transaction() as conn:
            for first, last in runs:
                page = await events(conn, WantedEvents(after=first - 1, before=last + 1), most, most_bytes=EVENT_BYTES)
                found += page.events
                if page.full or len(found) >= most:
                    return None
        return found
