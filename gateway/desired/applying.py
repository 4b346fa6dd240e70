"""What the hub wants here becomes what the gateway decides by: in force in memory first, on disk meanwhile.

A step is prepared on a thread and takes force between two decisions: access index, accounts, holders' names at once.
A delta fits if its base is not newer than what is in force: items carry whole values. A gap is answered by saying what
is in force; the hub brings what lies between.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import msgspec
import structlog

from contract.desired import ITEM_TYPES, NOTHING, Account, Desired, Holder, Item
from contract.limits import ITEM_BYTES
from gateway.desired.held import Held
from gateway.desired.tables import Row
from gateway.engine.desk.timers import Alarmclock, Timers
from gateway.resting import in_bits
from gateway.web.served import People
from rules.access.index import AccessIndex, Changed
from rules.alarms.causes import BuiltInCause
from web.session.sessions import normal_username

log = structlog.get_logger(__name__)

BEHIND_S = 60.0
"""How long something newer may be known of before an alarm says that it is not in force."""

TOLD_PARTS = 8
"""The hub is told of the progress of a step in parts each time that so many more have come."""

AT_ONCE = 50
"""So many items of a whole are made ready at once."""

FROZEN_PARTS = 4
"""So many parts of a whole are looked through for garbage at the most, before they count as things that stay."""

_GONE = bytes(NOTHING)
_decoders = {kind: msgspec.json.Decoder(kind_type) for kind, kind_type in ITEM_TYPES.items()}


class Decides(Protocol):
    """The engine, as far as rights go."""

    @property
    def index(self) -> AccessIndex:
        """What it decides by now."""

    def decide_by(self, index: AccessIndex) -> None:
        """Decides by another index from now on."""

    def desired_applied(self, items: int) -> None:
        """Records that a step of `items` items is in force."""

    def turn(self, cause: BuiltInCause, *, there: bool) -> None:
        """Raises or clears an alarm about the gateway itself."""


@dataclass(slots=True)
class _Prepared:
    """Items made ready: the index with them, the accounts among them (None: gone), and their rows for the disk."""

    index: AccessIndex
    accounts: dict[str, Account | None]
    rows: list[Row]


@dataclass(slots=True)
class _Arriving:
    """A step in parts. A whole grows beside what is in force; a delta is gathered and takes force as one."""

    step: Desired
    index: AccessIndex
    accounts: dict[str, Account | None] = field(default_factory=dict)
    gathered: list[Item] = field(default_factory=list)
    received: set[int] = field(default_factory=set)
    row: int = 0
    items: int = 0

    def same(self, step: Desired) -> bool:
        mine = self.step
        return (mine.form, mine.revision, mine.base, mine.parts) == (step.form, step.revision, step.base, step.parts)

    def note(self, step: Desired) -> None:
        self.received.add(step.part)
        self.items += len(step.items)
        while self.row + 1 in self.received:
            self.row += 1


class Desire:
    """The desired state in force. All methods belong to one event loop."""

    def __init__(self, held: Held, engine: Decides, people: People, timers: Timers) -> None:
        self._held = held
        self._engine = engine
        self._people = people
        self._accounts: dict[str, Account] = {}
        self._arriving: _Arriving | None = None
        self._wanted = 0
        self._one_by_one = asyncio.Lock()
        self._behind_over = Alarmclock(timers, self._behind)
        self._lags = False
        self._late: asyncio.Task[None] | None = None
        self._loaded_late: Callable[[], None] = lambda: None
        held.watch(self._disk_turned)
        held.watch_found(self._found)

    def load(self) -> None:
        """Decides by what is on disk. Before the engine starts."""
        self._take_held(*_loaded(self._held, self._engine.index))

    def watch(self, asks: Callable[[], None]) -> None:
        """`asks` is called when the hub should be asked for everything, as the disk lost what it should have kept, and
        told of what is in force, as a disk that hung at the start has given it after all."""
        self._loaded_late = asks
        self._held.watch(lambda: asks() if self._held.wants_all else None)

    def start(self) -> None:
        """The engine has started: its alarms say how rights stand now."""
        self._engine.turn("rights.behind", there=False)
        self._disk_turned()

    @property
    def announced(self) -> int:
        """The revision to tell the hub: what is in force. 0 asks for everything."""
        return 0 if self._held.wants_all else self._engine.index.revision

    @property
    def receiving(self) -> tuple[int, int]:
        """(revision, parts): the step that comes in parts, and how many of its first ones are here; (0, 0): none."""
        coming = self._arriving
        return (0, 0) if coming is None else (coming.step.revision, coming.row)

    @property
    def holders(self) -> Mapping[str, Holder]:
        """Every holder in force, by id."""
        return self._engine.index.holders

    async def take(self, step: Desired) -> bool:
        """Puts a step in force, or notes a part of one; whether the hub should be told how things stand now."""
        async with self._one_by_one:
            self._wanted = max(self._wanted, step.revision)
            try:
                if step.form == "delta" and not self._fits(step):
                    return True
                if step.form == "delta" and step.parts == 1:
                    await self._take_delta(step, step.items)
                    return True
                return await self._take_part(step)
            finally:
                self._watch_lag()

    def _found(self) -> None:
        """A disk that hung at the start gives what it holds; what the hub has sent meanwhile is newer."""
        self._late = asyncio.create_task(self._load_late(), name="held items")

    async def _load_late(self) -> None:
        async with self._one_by_one:
            if self._engine.index.revision == 0:
                # Also while a whole arrives beside it: the line may be cut before its last part.
                self._take_held(*await asyncio.to_thread(_loaded, self._held, self._engine.index))
                self._watch_lag()
                self._loaded_late()

    def _take_held(self, index: AccessIndex, accounts: dict[str, Account | None]) -> None:
        self._note_accounts(accounts)
        self._in_force(index)
        self._wanted = max(self._wanted, index.revision)

    # --- Steps

    def _fits(self, step: Desired) -> bool:
        revision = self._engine.index.revision
        if step.revision <= revision:
            return False
        if step.base > revision:
            log.warning("desired.gap", held=revision, base=step.base, revision=step.revision)
            return False
        return True

    async def _take_delta(self, step: Desired, items: list[Item]) -> None:
        ready = await asyncio.to_thread(_prepared, self._engine.index, items, step.revision)
        self._note_accounts(ready.accounts)
        self._in_force(ready.index)
        self._held.keep(step.revision, ready.rows)
        self._engine.desired_applied(len(items))

    async def _take_part(self, step: Desired) -> bool:
        coming = self._arriving
        if step.form == "snapshot" and self._is_past(step):
            if coming is not None and coming.same(step):
                self._arriving = None
                await asyncio.to_thread(coming.index.let_go)
            return True
        if coming is None or not coming.same(step):
            coming = await self._begin(step)
        if step.part > step.parts or step.part in coming.received:
            return True
        if step.form == "delta":
            coming.gathered += step.items
        else:
            ready = await asyncio.to_thread(_prepared_part, coming.index, step.items, step.revision)
            coming.index = ready.index
            coming.accounts |= ready.accounts
            self._held.keep_part(step.revision, ready.rows, first=not coming.received)
            if coming.row % FROZEN_PARTS == 0:
                await asyncio.to_thread(_settle)
            await self._held.room()
        coming.note(step)
        if coming.row < step.parts:
            return coming.row % TOLD_PARTS == 0
        self._arriving = None
        if step.form == "delta":
            await self._take_delta(step, coming.gathered)
        else:
            await self._take_whole(coming)
        return True

    def _is_past(self, whole: Desired) -> bool:
        """Whether a whole says nothing new: one that comes late would undo what was revoked since."""
        return whole.revision <= self._engine.index.revision and not self._held.wants_all

    async def _begin(self, step: Desired) -> _Arriving:
        given_up = self._arriving
        self._arriving = _Arriving(step, self._engine.index.emptied())
        if given_up is not None:
            await asyncio.to_thread(given_up.index.let_go)
        return self._arriving

    async def _take_whole(self, coming: _Arriving) -> None:
        before = self._engine.index
        self._accounts = {}
        self._note_accounts(coming.accounts)
        self._in_force(coming.index)
        self._wanted = coming.step.revision
        self._held.keep_whole(coming.step.revision)
        self._engine.desired_applied(coming.items)
        await asyncio.to_thread(before.let_go)
        await asyncio.to_thread(_settle)

    def _note_accounts(self, changed: dict[str, Account | None]) -> None:
        for name, account in changed.items():
            if account is None:
                self._accounts.pop(name, None)
            else:
                self._accounts[name] = account

    def _in_force(self, index: AccessIndex) -> None:
        """From here on every decision, sign-in and name goes by it."""
        self._engine.decide_by(index)
        accounts = {normal_username(each.username): each for each in self._accounts.values()}
        self._people.put(accounts, index.holders)

    # --- What is not as it should be

    def _watch_lag(self) -> None:
        if self._engine.index.revision >= self._wanted:
            self._behind_over.arm(None)
            self._lags = False
            self._engine.turn("rights.behind", there=False)
        elif not self._lags:
            self._lags = True
            self._behind_over.arm(BEHIND_S)

    def _behind(self) -> None:
        log.error("desired.behind", held=self._engine.index.revision, wanted=self._wanted)
        self._engine.turn("rights.behind", there=True)

    def _disk_turned(self) -> None:
        self._engine.turn("rights.not_stored", there=self._held.why is not None)


def _settle() -> None:
    """What is there stays: a search for garbage among a million things stops every door for a tenth of a second."""
    gc.collect(1)
    gc.freeze()


def _loaded(held: Held, before: AccessIndex) -> tuple[AccessIndex, dict[str, Account | None]]:
    """What is on disk, made ready. It takes seconds for very many items."""
    index, accounts = before.emptied(), dict[str, Account | None]()
    for slice in held.stored():
        changed, unusable = _typed(slice)
        _complain(held.revision, unusable)
        index = index.after(changed, revision=held.revision, spent=True)
        accounts |= _accounts(changed)
        _settle()
    return index.after((), revision=held.revision), accounts


def _prepared(index: AccessIndex, items: list[Item], revision: int, *, spent: bool = False) -> _Prepared:
    rows: list[Row] = []
    for item in items:
        value = bytes(item.value)
        rows.append((item.kind, item.id, None if value == _GONE else value))
    changed, unusable = _typed(rows)
    _complain(revision, unusable)
    after = index.after(changed, revision=revision, spent=spent)
    if after.any_mistake and not index.any_mistake:
        log.error("desired item is never valid", mistakes=after.mistakes[:20])
    return _Prepared(after, _accounts(changed), rows)


def _prepared_part(index: AccessIndex, items: list[Item], revision: int) -> _Prepared:
    """A part of a whole, a few items at a time with rests between: doors decide meanwhile. `index` is used up."""
    accounts, rows = dict[str, Account | None](), list[Row]()
    few = [items[first : first + AT_ONCE] for first in range(0, max(1, len(items)), AT_ONCE)]
    for some in in_bits(few):
        ready = _prepared(index, some, revision, spent=True)
        index = ready.index
        accounts |= ready.accounts
        rows += ready.rows
    return _Prepared(index, accounts, rows)


def _typed(rows: Iterable[Row]) -> tuple[list[Changed], list[str]]:
    """Items of known kinds, and those (`kind/id`) that do not fit: they are held and open nothing."""
    changed: list[Changed] = []
    unusable: list[str] = []
    for kind, name, value in rows:
        decoder = _decoders.get(kind)
        if decoder is None:
            continue
        typed = None
        if value is not None and len(value) > ITEM_BYTES:
            unusable.append(f"{kind}/{name}: {len(value)} bytes, at most {ITEM_BYTES} are used")
        elif value is not None:
            try:
                typed = decoder.decode(value)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                unusable.append(f"{kind}/{name}: {error}")
        changed.append((kind, name, typed))
    return changed, unusable


def _accounts(changed: list[Changed]) -> dict[str, Account | None]:
    return {name: value if isinstance(value, Account) else None for kind, name, value in changed if kind == "account"}


def _complain(revision: int, unusable: list[str]) -> None:
    if unusable:
        log.warning("held.unusable", revision=revision, items=unusable[:20], count=len(unusable))
