"""MQTT topics between gateway and hub, and the ids that may stand in them."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

PREFIX = "gatehouse/v1"

UpKind = Literal["events", "telemetry", "presence", "pictures"]
DownKind = Literal["ack", "desired", "command"]

_ID = re.compile(r"^[a-z0-9_-]{1,64}\Z")
_UP = re.compile(rf"^{PREFIX}/up/([a-z0-9_-]{{1,64}})/([a-z0-9_-]{{1,64}})/(events|telemetry|presence|pictures)\Z")
_DOWN = re.compile(rf"^{PREFIX}/down/([a-z0-9_-]{{1,64}})/(ack|desired|command)\Z")


class UpTopic(NamedTuple):
    """Where a message came from: the hub's share of the work, the gateway, and what it is."""

    shard: str
    gateway: str
    kind: str


def valid_id(text: str) -> bool:
    """Whether `text` may name a site, gateway, device, door or lane (no dots: a broker maps them to levels)."""
    return _ID.match(text) is not None


def up(shard: str, gateway: str, kind: UpKind) -> str:
    """The topic on which `gateway` publishes `kind`."""
    return f"{PREFIX}/up/{shard}/{gateway}/{kind}"


def down(gateway: str, kind: DownKind) -> str:
    """The topic on which the hub publishes `kind` to `gateway`."""
    return f"{PREFIX}/down/{gateway}/{kind}"


def parse_up(topic: str) -> UpTopic | None:
    """What an upward topic says, or None if it is not one."""
    match = _UP.match(topic)
    return UpTopic(match[1], match[2], match[3]) if match else None


def parse_down(topic: str) -> tuple[str, str] | None:
    """(gateway, kind) of a downward topic, or None if it is not one."""
    match = _DOWN.match(topic)
    return (match[1], match[2]) if match else None
