"""A small site to decide about: one office schedule, a few holders, fixed instants. Tests add what they are about."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from contract.desired import Block, Credential, Grant, Holder, Schedule, Window
from contract.texts import Text
from rules.access.index import AccessIndex

ZONE = "Asia/Shanghai"
ZONES = {"lobby": ["block-a"], "cellar": ["plant", "block-a"], "gate-in": ["parking"], "gate-out": ["parking"]}

OFFICE = Schedule(
    id="office",
    name=Text("办公时间", "Office hours"),
    windows=[Window(days=[1, 2, 3, 4, 5], since="07:00", until="22:00")],
)


def at(text: str, zone: str = ZONE) -> int:
    """Unix ms of a wall time at the site: `2026-03-02 12:00` (a Monday)."""
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


NOON = at("2026-03-02 12:00")
NIGHT = at("2026-03-02 23:30")

HOLDER = Holder(id="h-1", name="周明远")
CARD = Credential(id="c-1", kind="card", value="04A1B2C3D4E5F6", holder="h-1")
PLATE = Credential(id="c-2", kind="plate", value="沪A12345", holder="h-1")
LOBBY = Grant(id="g-1", holder="h-1", places=["lobby"])
PARKING = Grant(id="g-2", holder="h-1", places=["parking"])
BLOCKED_PLATE = Block(id="b-1", kind="plate", value="粤B88888", reason=Text("多次冲闸", "broke the barrier"))


def index(*items: msgspec.Struct, revision: int = 7) -> AccessIndex:
    """The index of `items`."""
    return AccessIndex.of(items, zones=ZONES, timezone=ZONE, revision=revision)
