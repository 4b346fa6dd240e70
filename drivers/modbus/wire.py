"""What the owner of a Modbus wire needs of it, whatever carries it: opened, asked, closed; and what a unit refuses.

No retries and no schedule: that is the bus. One exchange at a time. Pure.
"""

from __future__ import annotations

from typing import Protocol

from drivers.errors import DriverError
from drivers.modbus.encode import Write


class Refused(DriverError):
    """The unit answered that it will not. `code`: the Modbus exception."""

    def __init__(self, code: int) -> None:
        super().__init__(f"exception {code}")
        self.code = code


class Wire(Protocol):
    """One wire. After a fault it may have closed itself: `connected` says so."""

    name: str
    serial: bool
    """Whether answers carry no transaction number."""

    @property
    def connected(self) -> bool:
        """Whether it is open."""

    async def open(self, timeout_s: float) -> None:
        """Opens it; raises `WireDown` in plain words."""

    def close(self) -> None:
        """Closes it; harmless if it is not open. What was not sent by then is never sent."""

    def ready_at(self, unit: int) -> float:
        """The moment (of the loop's clock) from which the unit may be asked: frames have silence between them."""

    def can_confirm(self, write: Write) -> bool:
        """Whether the answer to a write could be told from an echo of the write; if not, a read settles it."""

    async def read(self, unit: int, fc: int, start: int, size: int, timeout_s: float) -> bytes:
        """The registers (or packed bits). Raises `Silence`, `WireDown`, `Refused`, `FrameError`."""

    async def write(self, unit: int, write: Write, timeout_s: float) -> None:
        """Returns when the unit has confirmed. Raises as `read` does."""
