"""What decides by rights, without the rest of an engine; and steps of the desired state to put in force."""

from __future__ import annotations

from typing import Any

import msgspec

from contract.desired import NOTHING, Desired, Holder, Item
from rules.access.index import AccessIndex
from rules.alarms.causes import BuiltInCause


class Decisions:
    """Stands in for the engine: the index in force, what was said of it, and which alarms are there."""

    def __init__(self) -> None:
        self.index = AccessIndex.of([], zones={}, timezone="Asia/Shanghai")
        self.applied: list[tuple[int, int]] = []
        self.alarms: set[str] = set()

    def decide_by(self, index: AccessIndex) -> None:
        """Another index is in force."""
        self.index = index

    def desired_applied(self, items: int) -> None:
        """A step is in force."""
        self.applied.append((self.index.revision, items))

    def turn(self, cause: BuiltInCause, *, there: bool) -> None:
        """An alarm is there or not."""
        (self.alarms.add if there else self.alarms.discard)(cause)


def item(kind: str, thing: Any) -> Item:
    """A thing to hold."""
    return Item(kind=kind, id=thing.id, value=msgspec.Raw(msgspec.json.encode(thing)))


def holder(name: str) -> Item:
    """A holder of that id."""
    return item("holder", Holder(id=name, name=name.title()))


def gone(kind: str, name: str) -> Item:
    """A thing to hold no longer."""
    return Item(kind=kind, id=name, value=NOTHING)


def snapshot(revision: int, *items: Item, part: int = 1, parts: int = 1) -> Desired:
    """A whole, or a part of one."""
    return Desired(form="snapshot", revision=revision, items=list(items), part=part, parts=parts)


def delta(base: int, revision: int, *items: Item, part: int = 1, parts: int = 1) -> Desired:
    """What changed after `base`, or a part of it."""
    return Desired(form="delta", base=base, revision=revision, items=list(items), part=part, parts=parts)
