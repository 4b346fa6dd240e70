"""The states that a process told others, until they have come back from there and are shown here as well.

What all processes commit comes back in the order of commits; the answer to one's own commit comes when it comes. So of
a state of one's own and one of another process it is known here which is the later one.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Key: TypeAlias = tuple[Any, Any, Any]
"""Of a state: site, kind, id."""

MOST = 10_000
"""Transactions on their way: a connection that died in silence is found out in a minute."""


@dataclass
class _OnItsWay:
    """`passed`: an older one of another process was passed over. `overtaken`: another process's later one was shown.

    `read`: what another process made of it was read, and not shown.
    """

    keys: Set[Key]
    passed: bool = False
    back: bool = False
    shown: bool = False
    overtaken: set[Key] = field(default_factory=set)
    read: set[Key] = field(default_factory=set)


class OwnStates:
    """By the number of the transaction."""

    def __init__(self) -> None:
        self._on_their_way: dict[int, _OnItsWay] = {}
        self._since = self._last_back = 0

    def __len__(self) -> int:
        return len(self._on_their_way)

    def begin(self, number: int) -> None:
        """Nothing below this number is known of: it was not heard what came back."""
        self._on_their_way.clear()
        self._since = number

    def told(self, number: int, keys: Set[Key]) -> None:
        """These were told in a transaction that is not committed yet."""
        self._on_their_way[number] = _OnItsWay(keys)
        if len(self._on_their_way) > MOST:
            del self._on_their_way[next(iter(self._on_their_way))]

    def committed(self, number: int) -> tuple[Set[Key], Set[Key]]:
        """They are shown next. Without which of them (a later one was shown), and which are to be read again."""
        own = self._on_their_way.get(number)
        if own is None:
            return frozenset(), frozenset()
        own.shown = True
        self._settle(number, own)
        return own.overtaken, own.read

    def undone(self, number: int) -> bool:
        """They were not committed, as far as is known. True: something may be missing on the screens."""
        own = self._on_their_way.pop(number, None)
        # What has come back, or will, was committed, whatever became of the answer.
        return own is not None and (own.passed or own.back or bool(own.read))

    def came_back(self, number: int) -> bool:
        """They have; what comes from now on was committed later. True: something older may be on the screens."""
        own = self._on_their_way.get(number)
        # It was given up as not committed, or forgotten: what came before it was shown as if it were newer.
        lost = own is None and number != self._last_back and number > self._since
        if own is not None:
            own.back = True
            self._settle(number, own)
        self._last_back = number
        return lost

    def later(self, key: Key) -> bool:
        """Another process's state has come. True: one's own, committed later, was shown or will be."""
        found = False
        for own in self._on_their_way.values():
            if key not in own.keys:
                continue
            if own.back:
                # Committed earlier, and not shown yet: it must not come on top.
                own.overtaken.add(key)
            else:
                own.passed = found = True
        return found

    def awaited(self, key: Key) -> bool:
        """A state was read. True: one's own is shown soon, and what was read may be older or younger: read it then."""
        found = [own for own in self._on_their_way.values() if key in own.keys and not own.shown]
        for own in found:
            own.read.add(key)
        return bool(found)

    def _settle(self, number: int, own: _OnItsWay) -> None:
        if own.back and own.shown:
            del self._on_their_way[number]
