"""Who may look after whose account. Pure.

An admin looks after everybody; a manager after guards, maintenance and installers, whose sites are all the manager's
own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import get_args

from contract.desired import Role
from web.users import ALL_SITES, User

LOOKS_AFTER: Mapping[Role, frozenset[Role]] = {
    "manager": frozenset({"guard", "maintenance", "installer"}),
    "admin": frozenset(get_args(Role)),
}


def may_look_after(user: User, role: str, sites: Collection[str]) -> bool:
    """Whether `user` may see and change an account of that role and those sites."""
    return role in LOOKS_AFTER.get(user.role, frozenset()) and covers(user, sites)


def covers(user: User, sites: Collection[str]) -> bool:
    """Whether all of `sites` are the user's own; every site only for whom it is every site."""
    if user.sees_all:
        return True
    return ALL_SITES not in sites and all(user.may_see(site) for site in sites)
