"""What a driver tells the gateway, by calling its sink on the event loop's thread. Handed over by call, not by queue.

The sink must return at once. A driver never decides: it says what it saw, typed, and how far to trust it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from contract.desired import CredentialKind
from contract.readings import Reading


@dataclass(frozen=True, slots=True)
class CredentialRead:
    """A reader saw a credential. `value` is normalised: a card as upper-case hex in ISO byte order, a QR as text."""

    reader: str
    kind: CredentialKind
    value: str


@dataclass(frozen=True, slots=True)
class PointsRead:
    """Points of one device, read in one go. `Reading.point` is `device.point`."""

    device: str
    readings: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class PlateRead:
    """A camera saw a plate. `plate` upper case without spaces, "" if it saw none. `confidence` 0..1.

    `replayed`: stored by the camera while it was cut off; it is recorded and never acted on. `seen_at`: when the camera
    says that it was, Unix ms by its own clock, None if it gives no time. `local`: it gave the date and time of its
    clock without saying in which zone; `seen_at` counts them as if they were UTC.
    """

    camera: str
    plate: str
    plate_id: str
    confidence: float
    colour: str = ""
    replayed: bool = False
    seen_at: int | None = None
    local: bool = False
    picture: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ClockTold:
    """A camera said what time it is, without a read. `at`, `local` as `PlateRead.seen_at` and `local`."""

    camera: str
    at: int
    local: bool = False


UNKEYED: Final = "it has no key yet: set one (install)"
"""Why a device is lost that answers and waits for somebody to set its key."""


@dataclass(frozen=True, slots=True)
class DeviceLost:
    """A device stopped answering; all its points are stale from now on."""

    device: str
    why: str


@dataclass(frozen=True, slots=True)
class DeviceFound:
    """A device answers, for the first time or again."""

    device: str


@dataclass(frozen=True, slots=True)
class InputRefused:
    """Bytes that are not what the protocol says. `wire`: the bus or device at fault; `sample`: for a person's eyes."""

    wire: str
    why: str
    sample: bytes = b""


Report = CredentialRead | PointsRead | PlateRead | ClockTold | DeviceLost | DeviceFound | InputRefused
Sink = Callable[[Report], None]
"""Returns at once and never raises."""
