"""What a gateway is started with: where its files are and where its web servers listen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from web.addresses import THIS_MACHINE, Network

DEFAULT_PORT = 8081
DEFAULT_PUSH_PORT = 8082


@dataclass(frozen=True, slots=True)
class Listening:
    """Where a web server listens. `port` 0: any free one. `certificate`, `key`: PEM files, for TLS."""

    host: str
    port: int
    certificate: Path | None = None
    key: Path | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """`wires`: where the site's buses really are, if not where the site file says. `people`: the console's server;
    `pushes`: the cameras', for a site that has such.

    `pushes_at_console`: the console's port takes pushes too, for cameras that nobody has told of the other port yet.
    `trusted_proxies`: whose X-Forwarded-For counts at the console (addresses and ranges, with commas).
    `metrics_from`: who may read /metrics.
    """

    site: Path
    data: Path
    wires: Path | None = None
    people: Listening = Listening("127.0.0.1", DEFAULT_PORT)
    pushes: Listening = Listening("127.0.0.1", DEFAULT_PUSH_PORT)
    pushes_at_console: bool = False
    trusted_proxies: str = ""
    metrics_from: tuple[Network, ...] = THIS_MACHINE
    log_level: str = "info"
    console: Path = Path(__file__).parent.parent / "web" / "console" / "dist"

    @property
    def journal(self) -> Path:
        """The journal's SQLite file."""
        return self.data / "journal.sqlite"

    @property
    def readings(self) -> Path:
        """The readings' SQLite file."""
        return self.data / "readings.sqlite"

    @property
    def held(self) -> Path:
        """The SQLite file of what the hub wants here."""
        return self.data / "held.sqlite"

    @property
    def pictures(self) -> Path:
        """The folder of pictures."""
        return self.data / "pictures"
