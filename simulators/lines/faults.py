"""What can be broken at a reader that sends lines of text. Pure."""

from __future__ import annotations

from simulators.faults import Breakable, Suits


def _faults(device: Suits) -> tuple[str, ...]:
    return ("silent", "corrupt", "noise") if device.bus == "line-serial" else ("silent", "corrupt", "offline", "noise")


FAULTS = Breakable(_faults)
