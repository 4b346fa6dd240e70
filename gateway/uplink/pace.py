"""How the uplink paces itself. Pure."""

from __future__ import annotations

FIRST_S = 1.0
MOST_S = 30.0

STEADY_S = 10.0
"""A connection that lasted for so long was a good one: the next failure begins again with the shortest pause."""

HEARTBEAT_S = 15.0

SILENT_S = 10.0
"""A hub that owes an answer for so long counts as away."""

PICTURE_S = 30.0
"""An unanswered picture goes again after this."""


def pause_s(failures: int, jitter: float) -> float:
    """Seconds before the next attempt after `failures` in a row; `jitter` 0..1 spreads gateways that fell together."""
    whole = min(MOST_S, FIRST_S * 2.0 ** min(failures, 10))
    return max(FIRST_S, whole * (0.5 + jitter / 2))
