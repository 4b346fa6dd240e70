"""When a broker is dialled again. Pure."""

from __future__ import annotations

RECONNECT_S = (0.5, 1.0, 2.0, 5.0, 10.0)

STEADY_S = 10.0
"""A connection that lasted this long was well: its end is the first failure again. One that a broker ends sooner, for
a topic that it does not allow or a payload that it does not take, would else be dialled twice a second for ever."""


class Failures:
    """How often in a row a connection was not made, or did not last."""

    def __init__(self) -> None:
        self.in_a_row = 0

    def ended(self, lasted_s: float) -> None:
        """A connection ended after so many seconds; 0: it was not made."""
        self.in_a_row = 1 if lasted_s >= STEADY_S else self.in_a_row + 1

    @property
    def pause_s(self) -> float:
        """Seconds until the next attempt."""
        return RECONNECT_S[min(max(self.in_a_row, 1), len(RECONNECT_S)) - 1]
