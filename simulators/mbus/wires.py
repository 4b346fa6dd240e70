"""Lines with M-Bus meters: those that meters of several protocols share."""

from __future__ import annotations

from simulators.meters.wires import WIRES

__all__ = ["WIRES"]
