"""What a gateway is started with: where its files are and where its own web server listens."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DEFAULT_PORT = 8081


@dataclass(frozen=True, slots=True)
class Settings:
    """`wires`: where the site's buses really are, if not where the site file says. `port` 0: any free one.

    `certificate`, `key`: PEM files, for TLS on the gateway's own web server.
    """

    site: Path
    data: Path
    wires: Path | None = None
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    certificate: Path | None = None
    key: Path | None = None
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
