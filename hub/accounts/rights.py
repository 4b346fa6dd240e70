"""Who may look after whose account. Pure.

An admin looks after everybody; a manager after guards, maintenance and installers, whose sites are all the manager's
own.
"""

from __future__ import annotations

from collections.abc import Collection

from contract.desired import Role
from web.users import ALL_SITES, User

MANAGED_BY_MANAGER: frozenset[Role] = frozenset({"guard", "maintenance", "installer"})


def may_look_after(user: User, role: str, sites: Collection[str]) -> bool:
    """Whether `user` may see and change an account of that role and those sites."""
    if user.role == "admin":
        return user.sees_all or covers(user, sites)
    if user.role == "manager":
        return role in MANAGED_BY_MANAGER and covers(user, sites)
    return False


def covers(user: User, sites: Collection[str]) -> bool:
    """Whether all of `sites` are the user's own; every site only for whom it is every site."""
    if user.sees_all:
        return True
    return ALL_SITES not in sites and all(user.may_see(site) for site in sites)
