"""What can be broken at an OSDP reader. Pure."""

from __future__ import annotations

from simulators.faults import Breakable

FAULTS = Breakable(lambda _: ("silent", "corrupt", "offline", "noise", "tamper", "factory-reset", "wrong-key", "stuck"))
