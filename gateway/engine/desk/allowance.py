"""How much of one kind may come: so many at once, then so many a second. Pure; `now` is monotonic seconds.

People come one after the other. What comes faster than anybody can is a fault of a device or somebody's trial, and
must not fill the journal, whose events wait for the hub for ever.
"""

from __future__ import annotations


class Allowance:
    """What one source may still say: `burst` at once, refilled with `per_s` a second."""

    def __init__(self, burst: float, per_s: float) -> None:
        self._burst = burst
        self._per_s = per_s
        self._left = burst
        self._at = 0.0

    def take(self, now: float) -> bool:
        """Uses one up; False if there is none left."""
        if self.left(now) < 1:
            return False
        self._left -= 1
        return True

    def left(self, now: float) -> float:
        """What may still be said."""
        self._left = min(self._burst, self._left + max(0.0, now - self._at) * self._per_s)
        self._at = now
        return self._left
