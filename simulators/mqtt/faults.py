"""What can be broken at a device that speaks through the site's broker. Pure."""

from __future__ import annotations

from simulators.faults import Breakable, Suits

_BY_POINT = {"leak": "leak", "smoke": "smoke", "co": "gas", "battery": "low-battery"}
_FRIGATE = ("silent", "corrupt", "offline", "repeat", "blind", "missing", "clock-off")


def _faults(device: Suits) -> tuple[str, ...]:
    if device.dialect is not None:
        return _FRIGATE
    sensor = tuple(fault for point, fault in _BY_POINT.items() if point in device.points)
    return ("silent", "corrupt", "offline", "stuck", "wrong-type", "huge", *sensor)


FAULTS = Breakable(_faults)
