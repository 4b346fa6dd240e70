"""What can be broken at a CJ/T 188 meter. Pure."""

from __future__ import annotations

from simulators.meters.faults import FAULTS

__all__ = ["FAULTS"]
