"""How many connections may be open at once, and whose has to go for a newcomer. Pure.

Connections are counted by network address and in all. One that has waited for its request for a moment can be replaced:
who means well sends it at once, so that an address which only holds connections open replaces its own, and never faster
than these moments pass. Where all places are taken, the first connection of an address replaces one of whoever has most
that wait. An address counts as far as one subscriber can choose it: an IPv6 one by its /64. Browsers keep their
connections and cameras come a few times a second: who comes anew again and again is let in at a rate.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

from web.addresses import Network, lies_in, subscriber

MOMENT_S = 2.0
"""So long everybody may wait, whoever else comes."""


HERE = frozenset({"127.0.0.1", "::1"})
"""Programs of this machine: whoever is in it needs no flood."""

REMEMBERED = 4096
"""Addresses of which is known how often they came; who came longest ago is forgotten first."""


class Full(Enum):
    """What there was no room for."""

    ADDRESS = auto()
    ALL = auto()
    RATE = auto()


@dataclass(frozen=True, slots=True)
class Limits:
    """Connections `in_all` and from each address. `spared`: proxies, which speak for many and count in all only.

    `rate`: new ones of each address in a second, once it has had as many as it may have at once; None: any.
    """

    in_all: int
    each: int
    spared: tuple[Network, ...] = ()
    rate: float | None = None

    def within(self, descriptors: int) -> Limits:
        """The same, but no more in all than so many descriptors, and from each address no more than half of them."""
        in_all = max(2, min(self.in_all, descriptors))
        return Limits(in_all, max(1, min(self.each, in_all // 2)), self.spared, self.rate)


@dataclass(eq=False, slots=True)
class Guest:
    """One connection, from the moment in which it was accepted."""

    address: str
    subscriber: str = ""
    waits_since: float = 0.0


class _Coming(NamedTuple):
    """How many more of an address may come, at that moment."""

    left: float
    at: float


class Entry(NamedTuple):
    """What became of a newcomer. `leaves`: who has to go, perhaps the newcomer himself; None: there was room."""

    leaves: Guest | None = None
    full: Full | None = None


class Room:
    """Who is here. Times are monotonic seconds."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._here: dict[str, OrderedDict[Guest, None]] = {}
        self._waiting: dict[str, OrderedDict[Guest, None]] = {}
        self._coming: OrderedDict[str, _Coming] = OrderedDict()
        self.count = 0

    def enter(self, guest: Guest, now: float) -> Entry:
        """A newcomer, who waits for his request. Who leaves has left the books already."""
        guest.subscriber = subscriber(guest.address)
        if self._comes_too_often(guest, now):
            return Entry(guest, Full.RATE)
        entry = self._for(guest, now)
        if entry.leaves is guest:
            return entry
        if entry.leaves is not None:
            self.leave(entry.leaves)
        self._here.setdefault(guest.subscriber, OrderedDict())[guest] = None
        self.count += 1
        self.waits(guest, now)
        return entry

    def waits(self, guest: Guest, now: float) -> None:
        """A guest waits for (more of) his request from now on: he can be replaced, those first that wait longest."""
        if guest in self._here.get(guest.subscriber, ()):
            waiting = self._waiting.setdefault(guest.subscriber, OrderedDict())
            waiting[guest] = None
            waiting.move_to_end(guest)
            guest.waits_since = now

    def is_served(self, guest: Guest) -> None:
        """His request is whole: he is answered now."""
        _remove(self._waiting, guest)

    def leave(self, guest: Guest) -> None:
        """He is gone; harmless a second time."""
        _remove(self._waiting, guest)
        self.count -= _remove(self._here, guest)

    def _comes_too_often(self, guest: Guest, now: float) -> bool:
        limits = self.limits
        if limits.rate is None or guest.address in HERE or lies_in(guest.address, limits.spared):
            return False
        before = self._coming.pop(guest.subscriber, None) or _Coming(limits.each, now)
        left = min(limits.each, before.left + (now - before.at) * limits.rate)
        too_often = left < 1
        self._coming[guest.subscriber] = _Coming(left if too_often else left - 1, now)
        if len(self._coming) > REMEMBERED:
            self._coming.popitem(last=False)
        return too_often

    def _for(self, guest: Guest, now: float) -> Entry:
        limits = self.limits
        own = len(self._here.get(guest.subscriber, ()))
        if own >= limits.each and not lies_in(guest.address, limits.spared):
            first = next(iter(self._waiting.get(guest.subscriber, ())), None)
            return Entry(guest if first is None or now - first.waits_since < MOMENT_S else first, Full.ADDRESS)
        if self.count < limits.in_all:
            return Entry()
        if self._waiting:
            greediest = max(self._waiting.values(), key=len)
            first = next(iter(greediest))
            if not own or len(greediest) > own + 1 or now - first.waits_since >= MOMENT_S:
                return Entry(first, Full.ALL)
        # All are served: then the newest of those who have most gives way to those who have less.
        greediest = max(self._here.values(), key=len)
        return Entry(next(reversed(greediest)) if len(greediest) > own + 1 else guest, Full.ALL)


def _remove(books: dict[str, OrderedDict[Guest, None]], guest: Guest) -> bool:
    page = books.get(guest.subscriber)
    if page is None or guest not in page:
        return False
    del page[guest]
    if not page:
        del books[guest.subscriber]
    return True
