"""Everything that access decisions need, by value and by holder. Its successor costs what changed, not what is held.

It is kept lean: a right (places, hours, term) that many grants share is held once, and so is a holder's id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from sys import intern
from typing import Any, Generic, Protocol, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from contract.desired import ITEM_TYPES, Block, Credential, CredentialKind, Grant, Holder, Schedule
from contract.instants import milliseconds
from rules.access.schedules import Hours
from rules.access.shards import ShardEdits, Shards
from rules.access.values import normal_value

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FOREVER = 1 << 62
_SHARED_LIMIT = 20_000
_KIND_OF = {kind_type: kind for kind, kind_type in ITEM_TYPES.items()}

Changed = tuple[str, str, msgspec.Struct | None]
"""(kind, id, value): an item of the desired state (`contract.desired.ITEM_TYPES`) as it is from now on; None: gone."""


class Term(msgspec.Struct, frozen=True, gc=False):
    """A validity window in Unix milliseconds, end exclusive."""

    start: int
    end: int

    @property
    def limited(self) -> bool:
        """Whether time limits it at all."""
        return self.start > -FOREVER or self.end < FOREVER


UNLIMITED = Term(-FOREVER, FOREVER)
NEVER = Term(-FOREVER, -FOREVER)


class Right(msgspec.Struct, frozen=True, gc=False):
    """Where and when; many grants share one."""

    places: tuple[str, ...]
    schedule: str
    term: Term


class HeldGrant(msgspec.Struct, frozen=True, gc=False):
    """A grant prepared for asking."""

    id: str
    holder: str
    right: Right


class HeldCredential(msgspec.Struct, frozen=True, gc=False):
    """A credential prepared for asking. `key`: its kind and value as they are compared (`key_of`)."""

    id: str
    key: str
    holder: str
    state: str
    term: Term


_NO_MISTAKES: Shards[str] = Shards()


class _Named(Protocol):
    @property
    def id(self) -> str: ...


T = TypeVar("T", bound=_Named)


@dataclass(frozen=True, slots=True)
class AccessIndex:
    """Immutable; `of` makes the first one, `after` every other.

    `credentials`, `blocks`: by `key_of`; a value that was issued again has several, those in force first. `grants`: by
    holder.
    """

    revision: int
    zone: ZoneInfo
    zones: Mapping[str, tuple[str, ...]]
    credentials: Shards[tuple[HeldCredential, ...]] = field(default_factory=Shards)
    blocks: Shards[tuple[Block, ...]] = field(default_factory=Shards)
    grants: Shards[tuple[HeldGrant, ...]] = field(default_factory=Shards)
    holders: Shards[Holder] = field(default_factory=Shards)
    hours: Shards[Hours] = field(default_factory=Shards)
    _mistakes: Shards[str] = field(default_factory=lambda: _NO_MISTAKES)
    _credential_ids: Shards[HeldCredential] = field(default_factory=Shards)
    _block_ids: Shards[Block] = field(default_factory=Shards)
    _grant_ids: Shards[HeldGrant] = field(default_factory=Shards)
    _shared: dict[Right, Right] = field(default_factory=dict, compare=False)

    @classmethod
    def of(
        cls,
        items: Iterable[msgspec.Struct],
        *,
        zones: Mapping[str, Sequence[str]],
        timezone: str,
        revision: int = 0,
    ) -> AccessIndex:
        """The index of `items` (kinds without a say here are passed over). `zones`: place id → its zones."""
        empty = cls(revision, ZoneInfo(timezone), {place: tuple(names) for place, names in zones.items()})
        found = ((_KIND_OF.get(type(item), ""), getattr(item, "id", ""), item) for item in items)
        return empty.after(found, revision=revision, spent=True)

    def after(self, changed: Iterable[Changed], *, revision: int, spent: bool = False) -> AccessIndex:
        """The index of `revision`: this one with what changed. One call at a time; decisions go on meanwhile.

        `spent`: nobody decides by this one, it may be used up. So a whole that comes in parts is not copied each time.
        """
        step = _Step(self)
        for kind, name, value in changed:
            step.take(kind, name, value)
        return step.done(revision, spent=spent)

    def emptied(self) -> AccessIndex:
        """The index of the same place with nothing in it: what a whole that comes in parts begins with."""
        return AccessIndex(0, self.zone, self.zones)

    def let_go(self) -> None:
        """Frees an index that nobody decides by any more, without stopping those who decide by another."""
        for shards in (self._grant_ids, self.grants, self._credential_ids, self.credentials, self.holders):
            shards.let_go()

    @property
    def any_mistake(self) -> bool:
        """Whether there are `mistakes`."""
        return self._mistakes is not _NO_MISTAKES

    @property
    def mistakes(self) -> tuple[str, ...]:
        """Items whose instants cannot be read, and why; such an item is never valid."""
        return tuple(f"{item}: {why}" for item, why in self._mistakes.items())

    def holder_term(self, holder: str) -> Term | None:
        """When this holder may enter at all; None if nobody knows the holder."""
        found = self.holders.get(holder)
        if found is None:
            return None
        return NEVER if f"holder {holder}" in self._mistakes else term_of(found)

    def local(self, now_ms: int) -> datetime:
        """The site's wall time at `now_ms`."""
        return (_EPOCH + timedelta(milliseconds=now_ms)).astimezone(self.zone)


def key_of(kind: CredentialKind, value: str) -> str:
    """Kind and value as they are compared."""
    return f"{kind}:{normal_value(kind, value)}"


def term_of(item: Credential | Holder | Grant) -> Term:
    """When `item` holds; `ValueError` if its instants cannot be read."""
    if item.valid_from is None and item.valid_to is None:
        return UNLIMITED
    start = -FOREVER if item.valid_from is None else milliseconds(item.valid_from)
    end = FOREVER if item.valid_to is None else milliseconds(item.valid_to)
    return Term(start, end)


class _Groups(Generic[T]):
    """Tuples by key whose members come and go."""

    def __init__(self, base: Shards[tuple[T, ...]]) -> None:
        self._base = base
        self._touched: dict[str, dict[str, T]] = {}

    def put(self, key: str, member: T) -> None:
        self._members(key)[member.id] = member

    def drop(self, key: str, name: str) -> None:
        self._members(key).pop(name, None)

    def done(self, order: Callable[[T], Any], *, spent: bool) -> Shards[tuple[T, ...]]:
        groups = {key: tuple(sorted(members.values(), key=order)) or None for key, members in self._touched.items()}
        return self._base.after(groups, spent=spent)

    def _members(self, key: str) -> dict[str, T]:
        found = self._touched.get(key)
        if found is None:
            found = self._touched[key] = {member.id: member for member in self._base.get(key, ())}
        return found


class _Step:
    """One step: what an id stood for goes, what it stands for now comes."""

    def __init__(self, before: AccessIndex) -> None:
        self._before = before
        self._credentials = _Groups(before.credentials)
        self._blocks = _Groups(before.blocks)
        self._grants = _Groups(before.grants)
        self._holders = ShardEdits(before.holders)
        self._hours = ShardEdits(before.hours)
        self._mistakes = ShardEdits(before._mistakes)
        self._any_mistake = before.any_mistake
        self._credential_ids = ShardEdits(before._credential_ids)
        self._block_ids = ShardEdits(before._block_ids)
        self._grant_ids = ShardEdits(before._grant_ids)

    def take(self, kind: str, name: str, value: msgspec.Struct | None) -> None:
        match kind:
            case "holder":
                self._holder(name, value if isinstance(value, Holder) else None)
            case "credential":
                self._credential(name, value if isinstance(value, Credential) else None)
            case "grant":
                self._grant(name, value if isinstance(value, Grant) else None)
            case "block":
                self._block(name, value if isinstance(value, Block) else None)
            case "schedule":
                self._hours.put(name, Hours.of(value) if isinstance(value, Schedule) else None)
            case _:
                pass

    def done(self, revision: int, *, spent: bool) -> AccessIndex:
        return AccessIndex(
            revision=revision,
            zone=self._before.zone,
            zones=self._before.zones,
            credentials=self._credentials.done(lambda each: (each.state != "active", each.id), spent=spent),
            blocks=self._blocks.done(lambda each: each.id, spent=spent),
            grants=self._grants.done(lambda each: each.id, spent=spent),
            holders=self._holders.done(spent=spent),
            hours=self._hours.done(spent=spent),
            _mistakes=self._mistakes.done(),
            _credential_ids=self._credential_ids.done(spent=spent),
            _block_ids=self._block_ids.done(spent=spent),
            _grant_ids=self._grant_ids.done(spent=spent),
            _shared=self._before._shared,
        )

    def _holder(self, name: str, value: Holder | None) -> None:
        # Its id is one with those of credentials and grants that name it.
        one = intern(name)
        self._holders.put(one, None if value is None else msgspec.structs.replace(value, id=one))
        self._term("holder", name, value)

    def _credential(self, name: str, value: Credential | None) -> None:
        was = self._credential_ids.get(name)
        if was is not None:
            self._credentials.drop(was.key, name)
        found = None
        term = self._term("credential", name, value)
        if value is not None:
            found = HeldCredential(name, key_of(value.kind, value.value), intern(value.holder), value.state, term)
            self._credentials.put(found.key, found)
        self._credential_ids.put(name, found)

    def _grant(self, name: str, value: Grant | None) -> None:
        was = self._grant_ids.get(name)
        if was is not None:
            self._grants.drop(was.holder, name)
        found = None
        term = self._term("grant", name, value)
        if value is not None:
            places = tuple(dict.fromkeys(value.places))
            found = HeldGrant(name, intern(value.holder), self._one(Right(places, value.schedule, term)))
            self._grants.put(found.holder, found)
        self._grant_ids.put(name, found)

    def _block(self, name: str, value: Block | None) -> None:
        was = self._block_ids.get(name)
        if was is not None:
            self._blocks.drop(key_of(was.kind, was.value), name)
        found = None if value is None else msgspec.structs.replace(value, id=name)
        if found is not None:
            self._blocks.put(key_of(found.kind, found.value), found)
        self._block_ids.put(name, found)

    def _term(self, kind: str, name: str, item: Credential | Holder | Grant | None) -> Term:
        found, why = UNLIMITED, None
        if item is not None and (item.valid_from is not None or item.valid_to is not None):
            try:
                found = term_of(item)
            except ValueError as error:
                found, why = NEVER, str(error)
        if why is not None or self._any_mistake:
            self._any_mistake = True
            self._mistakes.put(f"{kind} {name}", why)
        return found

    def _one(self, right: Right) -> Right:
        shared = self._before._shared
        if len(shared) >= _SHARED_LIMIT:
            shared.clear()
        return shared.setdefault(right, right)
