"""What a driver gets to open a wire: the parts of the site file by their shape, and what it needs of the gateway."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import tzinfo
from pathlib import Path
from typing import NamedTuple, Protocol

from drivers.errors import DriverError
from drivers.profiles.profile import Profile
from drivers.profiles.words import CardFormat
from drivers.reports import Sink
from drivers.secrecy import password_in


class Installed(Protocol):
    """What a site file says of a device (`config.site.Device` fits)."""

    @property
    def unit(self) -> int: ...

    @property
    def address(self) -> str | None: ...

    @property
    def topic(self) -> str | None: ...

    @property
    def poll_s(self) -> float | None: ...

    @property
    def scale_by(self) -> dict[str, float]: ...

    @property
    def card(self) -> CardFormat | None: ...

    @property
    def password_file(self) -> str | None: ...

    @property
    def secure(self) -> bool: ...


Devices = Mapping[str, tuple[Installed, Profile]]
Clock = Callable[[], int]
"""Unix milliseconds."""


class Gateway(NamedTuple):
    """What every wire needs of the gateway. `folder`: where passwords and keys are; `zone`: the site's time zone."""

    sink: Sink
    clock: Clock
    folder: Path
    zone: tzinfo | None = None


class WrongInstallation(DriverError):
    """The site file asks for something that no driver can do; the validator of site files says so earlier."""


def password_of(gateway: Gateway, file: str | None) -> str | None:
    """The content of a password file, None if none is named. Raises `OSError` in plain words."""
    return None if file is None else password_in(gateway.folder, file)
