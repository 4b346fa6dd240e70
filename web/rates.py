"""How much one account may ask to be changed in a minute, by kind. Pure: `now` is an argument, in seconds.

A bucket for each account and kind: full it holds a minute's share, and it fills again all the time. The shares are far
above what a busy post needs (a car every three seconds); they stop a program or a stolen session.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

WRITES_A_MINUTE: Mapping[str, int] = {
    "commands": 120,
    "alarms": 120,
    "tickets": 60,
    "accounts": 60,
    "held-accounts": 5,
    "break-glass": 10,
    "self": 30,
}
"""By the noun of the address, `/api/<noun>/…`."""

OTHER_WRITES = 300
"""Nouns that are not in the table."""

READS = frozenset({"GET", "HEAD", "OPTIONS"})


def noun_of(path: str) -> str:
    """What a request is about: `tickets` of `/api/tickets/7/take`."""
    parts = path.split("/", 3)
    return parts[2] if len(parts) > 2 else ""


class Rates:
    """Buckets by account and noun. Forgets the one used longest ago when `keys` are held."""

    def __init__(self, a_minute: Mapping[str, int] = WRITES_A_MINUTE, *, keys: int = 10_000) -> None:
        self._a_minute = a_minute
        self._keys = keys
        self._buckets: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()
        self._told: OrderedDict[tuple[str, str], float] = OrderedDict()

    def share(self, noun: str) -> int:
        """Writes of one account in a minute."""
        return self._a_minute.get(noun, OTHER_WRITES)

    def take(self, account: str, noun: str, now: float) -> float:
        """Take one write out of the bucket: 0 if there was one, otherwise seconds until there is."""
        share = self.share(noun)
        left, at = self._buckets.pop((account, noun), (float(share), now))
        left = min(float(share), left + max(0.0, now - at) * share / 60)
        taken = left >= 1
        self._buckets[account, noun] = (left - 1 if taken else left, now)
        if len(self._buckets) > self._keys:
            self._buckets.popitem(last=False)
        return 0.0 if taken else (1 - left) * 60 / share

    def worth_telling(self, account: str, noun: str, now: float) -> bool:
        """Whether a refusal should be recorded: the first of an account and noun in a minute."""
        last = self._told.pop((account, noun), None)
        tell = last is None or now - last >= 60
        self._told[account, noun] = now if tell or last is None else last
        if len(self._told) > self._keys:
            self._told.popitem(last=False)
        return tell
