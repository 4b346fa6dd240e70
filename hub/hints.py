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
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any, TypeAlias

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
from hub.events.service import WantedEvents, events
from web.live.stream import Live

log = structlog.get_logger(__name__)

CHANNEL = "gatehouse_told"
BEAT_S = 30.0
FORGOTTEN_S = 3 * BEAT_S
"""Who was not heard for so long is not there."""

MEET_S = 5.0
"""So long after the first word to others one is not sure to be alone."""

PART_BYTES = 7_000
"""Of states in one notification: PostgreSQL takes 8,000 bytes, and the rest is said beside them."""

MOST_PARTS = 64
"""Of one transaction; what is more is not told, but that there is something to look at."""

MOST_WAITING = 1_000
MOST_UNHEARD = 10_000
"""Transactions that were told and have not come back: a connection that died in silence is found out in a minute."""

EVENT_BYTES = 16_000_000

PROCESSES = Gauge("gatehouse_hub_processes", "Hub processes on this database, as far as this one knows")
MISSED = Counter("gatehouse_hub_hints_missed", "Times that screens had to begin anew for what other processes did")

_NOTIFY = text(f"SELECT pg_notify('{CHANNEL}', word) FROM unnest(:words) AS said (word)").bindparams(
    bindparam("words", type_=ARRAY(Text))
)

Key: TypeAlias = tuple[Any, Any, Any]


class Part(msgspec.Struct, frozen=True, tag="part", omit_defaults=True):
    """What transaction `n` of a process did, or a part of it. `events`: first and last ids of runs without gaps.

    `look`: there is more than is told.
    """

    by: str
    n: int
    events: list[tuple[int, int]] = []
    states: list[dict[str, Any]] = []
    look: bool = False


class Here(msgspec.Struct, frozen=True, tag="here"):
    """A process hears. `knows`: to whom it tells what it does."""

    by: str
    knows: list[str]


class Gone(msgspec.Struct, frozen=True, tag="gone"):
    """A process ends."""

    by: str


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """A session has ended (the hash of its token), and with it every screen that was opened with it."""

    by: str
    session: str


_word = msgspec.json.Decoder(Part | Here | Gone | Ended)


@dataclass
class _Unheard:
    """States that were told, until they have come back and are shown here as well.

    `passed`: an older one of another process was passed over. `overtaken`: another process's later one was shown.
    """

    keys: set[Key]
    passed: bool = False
    back: bool = False
    shown: bool = False
    overtaken: set[Key] = field(default_factory=set)


class Hints:
    """One process's part in it; `database.telling`. `tell`: what to do with what others did, as with one's own."""

    def __init__(self, database: Database, hearing: Hearing, live: Live, tell: Callable[[Outcome], None]) -> None:
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
        self._unheard: dict[int, _Unheard] = {}
        self._up_since = self._last_back = 0
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
        parts = _parts(self._name, n, told)
        await conn.execute(_NOTIFY, {"words": [msgspec.json.encode(part).decode() for part in parts]})
        if not self._hearing.up:
            # Nothing of others is shown before it looks anew.
            return None
        self._unheard[n] = _Unheard({_key(state) for state in told.states})
        if len(self._unheard) > MOST_UNHEARD:
            del self._unheard[next(iter(self._unheard))]
        return n

    def committed(self, number: int, told: Outcome) -> None:
        """It was, and is shown next: without those states of which another process's later ones were shown already."""
        unheard = self._unheard.get(number)
        if unheard is None:
            return
        unheard.shown = True
        if unheard.overtaken:
            told.states = [state for state in told.states if _key(state) not in unheard.overtaken]
        self._settled(number)

    def undone(self, number: int) -> None:
        """It was not committed, as far as is known: what was passed over for it holds."""
        unheard = self._unheard.pop(number, None)
        # What has come back, or will, was committed, whatever became of the answer.
        if unheard is not None and (unheard.passed or unheard.back):
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
        self._unheard.clear()
        self._up_since = next(self._numbers)
        if up:
            self._met_at = float("inf")
            if self._told_by:
                # Whoever comes to know of this process only now looks anyway.
                self._look()
            self._to_say.set()

    def _heard(self, _: int, words: str) -> None:
        try:
            word = _word.decode(words)
        except msgspec.DecodeError:
            # A process of another version: what it does is to be looked at.
            self._look()
            return
        if isinstance(word, Part):
            self._part(word)
        elif isinstance(word, Ended):
            self._live.end_session(word.session)
        elif word.by != self._name:
            self._meet(word)

    def _part(self, part: Part) -> None:
        if part.by == self._name:
            self._came_back(part.n)
            return
        if not self._live.watched:
            return
        if part.look or len(self._waiting) > MOST_WAITING:
            self._look()
        self._waiting.extend(part.events)
        if part.events:
            self._arrived.set()
        states = [state for state in part.states if not self._later(_key(state))]
        if states:
            self._tell(Outcome(states=states))

    def _came_back(self, number: int) -> None:
        unheard = self._unheard.get(number)
        if unheard is not None:
            unheard.back = True
            self._settled(number)
        elif number != self._last_back and number > self._up_since:
            # It was given up as not committed, or forgotten: what came before it was shown as if it were newer.
            self._look()
        self._last_back = number

    def _settled(self, number: int) -> None:
        unheard = self._unheard[number]
        if unheard.back and unheard.shown:
            del self._unheard[number]

    def _later(self, key: Key) -> bool:
        """Whether a state of this process's own, committed later, was shown or will be."""
        found = False
        for unheard in self._unheard.values():
            if key not in unheard.keys:
                continue
            if unheard.back:
                # Committed earlier, and not shown yet: it must not come on top.
                unheard.overtaken.add(key)
            else:
                unheard.passed = found = True
        return found

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

    def _look(self) -> None:
        self._waiting.clear()
        if self._live.watched:
            MISSED.inc()
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
            runs = _joined(self._waiting)
            self._waiting.clear()
            try:
                found = await self._stored(runs)
            except Exception as error:  # whatever it was, the next hints must go
                if not passes(error):
                    log.exception("hints.not_read")
                found = None
            if found is None:
                self._look()
            elif found:
                self._tell(Outcome(events=found))

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


def _key(state: dict[str, Any]) -> Key:
    return state["site"], state["kind"], state["id"]


def _parts(by: str, n: int, told: Outcome) -> list[Part]:
    parts: list[list[dict[str, Any]]] = [[]]
    room, look = PART_BYTES, False
    for state in told.states:
        size = len(msgspec.json.encode(state)) + 1
        if size > PART_BYTES or (size > room and len(parts) == MOST_PARTS):
            look = True
            break
        if size > room:
            parts.append([])
            room = PART_BYTES
        parts[-1].append(state)
        room -= size
    runs = _joined((event.id, event.id) for event in told.events)
    # In one transaction ids follow each other: there are few runs.
    first = Part(by, n, runs[:20], parts[0], look or len(runs) > 20)
    return [first, *(Part(by, n, states=states) for states in parts[1:])]


def _joined(runs: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same ids in as few runs as possible."""
    found: list[tuple[int, int]] = []
    for first, last in sorted(runs):
        if found and first <= found[-1][1] + 1:
            found[-1] = found[-1][0], max(found[-1][1], last)
        else:
            found.append((first, last))
    return found
