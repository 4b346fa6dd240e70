"""What can be broken at a camera that pushes. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from simulators.faults import Breakable

_PUSHES = ("silent", "corrupt", "offline", "replay", "repeat", "blind", "missing", "clock-off")
_BY_DIALECT: Mapping[str, tuple[str, ...]] = {
    "zhenshi": _PUSHES,
    "hikvision": (*_PUSHES, "wrong-namespace", "empty-picture"),
    "dahua-itsapi": (*_PUSHES, "stop-events", "local-epoch"),
}

FAULTS = Breakable(lambda device: _BY_DIALECT[device.dialect or ""])
