"""Wrong PINs at one reader: from how many on it is somebody's trial, and for how long no PIN is taken then. Pure.

Four digits are ten thousand numbers, and a house knows hundreds of them: whoever may try as fast as one can type is in
within minutes. A right PIN forgives nothing: who knows one of them would try for others between. Cards are not
concerned. `now` is monotonic seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

TRIALS: Final = ((5, 60.0), (20, 3600.0))
"""So many wrong PINs within so many seconds are no slip of the finger."""

REFUSED_S: Final = 60.0
REFUSED_LIMIT_S: Final = 960.0
"""No PIN is taken for so long, twice as long each time that it happens again."""

FORGIVEN_S: Final = 3600.0
"""After so long without a trial the next one is the first again."""

CALM_S: Final = 600.0
"""The alarm ends when PINs were taken again for so long."""

_KEPT: Final = max(many for many, _ in TRIALS)


@dataclass(frozen=True, slots=True)
class Guesses:
    """One reader's wrong PINs: when they came, until when none is taken, how often that happened in a row."""

    wrong: tuple[float, ...] = ()
    refused_until: float = float("-inf")
    times: int = 0

    def refused(self, now: float) -> bool:
        """Whether no PIN is taken now, whatever it is."""
        return now < self.refused_until

    @property
    def calm_at(self) -> float:
        """When the last trial is over for people too."""
        return self.refused_until + CALM_S


def after_wrong(guesses: Guesses, now: float) -> Guesses:
    """What a wrong PIN at `now` makes of it; `refused(now)` then says whether it was one too many."""
    if guesses.refused(now):
        return guesses
    wrong = (*guesses.wrong, now)[-_KEPT:]
    if not any(sum(at > now - within_s for at in wrong) >= many for many, within_s in TRIALS):
        return Guesses(wrong, guesses.refused_until, guesses.times)
    times = guesses.times if now - guesses.refused_until < FORGIVEN_S else 0
    return Guesses((), now + min(REFUSED_S * 2**times, REFUSED_LIMIT_S), times + 1)
