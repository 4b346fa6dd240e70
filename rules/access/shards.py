"""An immutable mapping of very many entries whose successor costs what changed: it shares every shard that did not.

Small shards also mean that nothing long is ever done in one go: no copy, no growth, no end of a huge table holds up
whoever decides at a door meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar, overload

V = TypeVar("V")
D = TypeVar("D")

_COUNT = 4096
_MASK = _COUNT - 1
_NOTHING: dict[str, object] = {}


class Shards(Mapping[str, V]):
    """Values by key, spread over shards by the key's hash. Read it from any thread."""

    __slots__ = ("_shards",)

    def __init__(self) -> None:
        self._shards: list[dict[str, V]] = [_NOTHING] * _COUNT  # type: ignore[list-item]  # empty, and never written

    def __getitem__(self, key: str) -> V:
        return self._shards[hash(key) & _MASK][key]

    @overload
    def get(self, key: str) -> V | None: ...
    @overload
    def get(self, key: str, default: V | D) -> V | D: ...
    def get(self, key: str, default: V | D | None = None) -> V | D | None:
        """The value of `key`, or `default`."""
        return self._shards[hash(key) & _MASK].get(key, default)

    def __iter__(self) -> Iterator[str]:
        for shard in self._shards:
            yield from shard

    def __len__(self) -> int:
        return sum(map(len, self._shards))

    def after(self, changes: Mapping[str, V | None], *, spent: bool = False) -> Shards[V]:
        """The same with `changes`; None drops the key. `spent`: nobody looks into this one any more, it is used up."""
        if not changes:
            return self
        shards = self._shards if spent else self._shards.copy()
        own: set[int] = set()
        for key, value in changes.items():
            place = hash(key) & _MASK
            if place not in own and (not spent or shards[place] is _NOTHING):
                own.add(place)
                shards[place] = shards[place].copy()
            if value is None:
                shards[place].pop(key, None)
            else:
                shards[place][key] = value
        found: Shards[V] = Shards.__new__(Shards)
        found._shards = shards
        return found

    def let_go(self) -> None:
        """Frees it shard by shard: the end of a million entries at once would stop every thread. It is empty then."""
        shards, self._shards = self._shards, [_NOTHING] * _COUNT  # type: ignore[list-item]
        while shards:
            shards.pop()


class ShardEdits(Generic[V]):
    """Changes of a `Shards` that are being collected, seen as if they were made."""

    def __init__(self, base: Shards[V]) -> None:
        self._base = base
        self._changes: dict[str, V | None] = {}

    def get(self, key: str) -> V | None:
        """The value as it will be."""
        return self._changes[key] if key in self._changes else self._base.get(key)

    def put(self, key: str, value: V | None) -> None:
        """Sets it; None drops it."""
        self._changes[key] = value

    def done(self, *, spent: bool = False) -> Shards[V]:
        """The successor; `spent` as in `Shards.after`."""
        return self._base.after(self._changes, spent=spent)
