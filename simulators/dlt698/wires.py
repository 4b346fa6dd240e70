"""Lines with DL/T 698.45 meters: those that meters of several protocols share."""

from __future__ import annotations

from simulators.meters.wires import WIRES

__all__ = ["WIRES"]
