"""How often a key (an account, an address) may fail before it has to wait. Pure: `now` is an argument, in seconds.

An attempt counts as failed when it begins and is forgiven when it succeeds, so that many at once count too. After
`free` failures each further attempt waits, first `first_wait_s`, then twice as long each time up to `longest_wait_s`.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a kind of key is allowed."""

    free: int
    first_wait_s: float
    longest_wait_s: float


@dataclass(slots=True)
class _Record:
    failures: int
    last: float
    open_at: float


class Throttle:
    """Failures by key. Forgets a key after `forget_s` without attempts, and the oldest key when `keys` are held."""

    def __init__(self, allowance: Allowance, *, forget_s: float = 900.0, keys: int = 10_000) -> None:
        self._allowance = allowance
        self._forget_s = forget_s
        self._keys = keys
        self._records: OrderedDict[str, _Record] = OrderedDict()

    def wait_s(self, key: str, now: float) -> float:
        """Seconds until `key` may try; 0 if it may now."""
        record = self._current(key, now)
        return max(0.0, record.open_at - now) if record else 0.0

    def begin(self, key: str, now: float) -> None:
        """Count an attempt of `key` as failed until it is forgiven."""
        record = self._current(key, now)
        if record is None:
            record = self._records[key] = _Record(0, now, now)
            if len(self._records) > self._keys:
                self._records.popitem(last=False)
        self._records.move_to_end(key)
        record.failures += 1
        record.last = now
        record.open_at = now + self._wait_after(record.failures)

    def forgive(self, key: str, *, everything: bool) -> None:
        """The attempt succeeded: forget all failures of `key`, or only this one."""
        record = self._records.get(key)
        if record is None:
            return
        record.failures -= 1
        record.open_at = record.last
        if everything or record.failures <= 0:
            del self._records[key]

    def _wait_after(self, failures: int) -> float:
        beyond = failures - self._allowance.free
        if beyond < 0:
            return 0.0
        return float(min(self._allowance.first_wait_s * 2 ** min(beyond, 30), self._allowance.longest_wait_s))

    def _current(self, key: str, now: float) -> _Record | None:
        record = self._records.get(key)
        if record is not None and now - record.last > self._forget_s:
            del self._records[key]
            return None
        return record
