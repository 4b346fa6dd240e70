"""What can be broken at a DL/T 645 meter. Pure."""

from __future__ import annotations

from simulators.meters.faults import FAULTS

__all__ = ["FAULTS"]
