"""What can be broken at a Modbus device. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from simulators.faults import BY_ROLE, Breakable

_UNIT = ("silent", "late", "corrupt", "foreign", "exception", "offline", "stuck")
_WIRES: Mapping[str, tuple[str, ...]] = {
    "modbus-tcp": ("hang-up",),
    "modbus-rtu": ("noise", "echo"),
    "modbus-rtu-tcp": ("noise", "echo", "hang-up"),
}

FAULTS = Breakable(lambda device: _UNIT + _WIRES[device.bus] + BY_ROLE.get(device.role, ()))
