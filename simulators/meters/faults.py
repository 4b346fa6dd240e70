"""What can be broken at a meter. Pure."""

from __future__ import annotations

from simulators.faults import BY_ROLE, Breakable

_METER = (
    "silent", "late", "corrupt", "foreign", "offline", "noise", "echo", "wrong-number", "clock-off", "stuck",
)  # fmt: skip

FAULTS = Breakable(lambda device: _METER + BY_ROLE.get(device.role, ()))
