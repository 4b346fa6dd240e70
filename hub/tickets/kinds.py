"""The kinds of work that the hub knows, each proven before anybody works by it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from config.load_kinds import load_kinds
from rules.tickets.kinds import Kind

REPAIR = "repair"
"""What every ticket is as yet."""


@cache
def kinds() -> Mapping[str, Kind]:
    """By id. Raises `config.mistakes.SiteErrors`."""
    return {kind.id: kind for kind in load_kinds()}


def repair() -> Kind:
    """The kind that faults and reports are worked by."""
    return kinds()[REPAIR]
