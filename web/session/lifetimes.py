"""How long a session of each role lasts, and how many an account may have open. One table for both servers. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from contract.desired import Role


class Lifetime(NamedTuple):
    """`idle_s`: without a request; `absolute_s`: in any case; `most_open`: sessions of one account, the oldest ends."""

    idle_s: float
    absolute_s: float
    most_open: int


_HOUR = 3600.0
_DAY = 24 * _HOUR

LIFETIMES: Mapping[Role, Lifetime] = {
    # A post's screen is watched, not touched: a shift of twelve hours does not end by idling.
    "guard": Lifetime(13 * _HOUR, 7 * _DAY, 20),
    "maintenance": Lifetime(13 * _HOUR, 7 * _DAY, 10),
    "installer": Lifetime(8 * _HOUR, 3 * _DAY, 10),
    "manager": Lifetime(4 * _HOUR, 3 * _DAY, 10),
    "admin": Lifetime(0.5 * _HOUR, 0.5 * _DAY, 5),
}
"""The more a role may do, the sooner a screen that was left alone asks who is there."""
