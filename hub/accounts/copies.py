"""Which accounts the gateways hold a copy of, and for how long without the hub. Pure.

A copy is a password's hash in a box that stands at a gate: it opens nothing elsewhere, and not for long. People of the
whole company have none (a gateway's sealed account stands in for them), nor has an account with a second factor, which
only the hub can check: nowhere is its password alone enough. Who did not sign in for long, here or at a gateway, has
none until they sign in again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from contract.desired import Role
from web.users import ALL_SITES

COPY_LIVES: Mapping[Role, timedelta] = {
    "guard": timedelta(hours=72),
    "maintenance": timedelta(hours=24),
    "installer": timedelta(hours=24),
    "manager": timedelta(hours=24),
}
"""Role → how long a gateway without the hub lets a copy in. A long weekend must not leave a gate without its guards;
the others come again. A role that is not here is not copied."""

LOOKED_AT = timedelta(hours=24)
"""For accounts without copies: as often as this (halved) it is looked at whether that should change."""

DORMANT = timedelta(days=30)
"""Without a sign-in or a change for so long, an account is nobody's daily work."""


def life_of(role: str) -> timedelta:
    """How long a copy of that role is good."""
    return next((life for known, life in COPY_LIVES.items() if known == role), LOOKED_AT)


def renewed_before(role: str) -> timedelta:
    """So long before its end a copy is renewed: while the line is up, none ever runs out."""
    return life_of(role) / 2


def copied(role: str, sites: Collection[str], *, second_factor: bool, alive_at: datetime, now: datetime) -> bool:
    """Whether an active account has copies at its sites. `alive_at`: its last sign-in or change."""
    return role in COPY_LIVES and ALL_SITES not in sites and not second_factor and now - alive_at <= DORMANT
