"""How a line to another machine is kept private: TLS, and no password in clear unless the site file says so."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import NamedTuple, Protocol

from contract.hosts import this_machine


class Line(Protocol):
    """What a site file says of such a line (`drivers.mqtt.wires.MqttBus` and `config.site.Uplink` fit)."""

    @property
    def host(self) -> str: ...

    @property
    def username(self) -> str | None: ...

    @property
    def password_file(self) -> str | None: ...

    @property
    def tls(self) -> bool: ...

    @property
    def ca_file(self) -> str | None: ...

    @property
    def in_clear(self) -> bool: ...


class SecretInClear(OSError):
    """A password would go to another machine for everybody on the way to read: nothing is sent."""


class Credentials(NamedTuple):
    """What a connection is opened with. `tls`: None for a line without."""

    username: str | None = None
    password: str | None = None
    tls: ssl.SSLContext | None = None


def tells_secret_in_clear(line: Line) -> bool:
    """Whether the line's password would go in clear to another machine, which nobody has allowed."""
    secret = line.password_file is not None
    return secret and not (line.tls or line.ca_file or line.in_clear or this_machine(line.host))


async def credentials_of(line: Line, folder: Path) -> Credentials:
    """Name, password and TLS of a line, read anew: a password may be a token that somebody renews.

    `folder`: where the files are. `SecretInClear`, or another `OSError` in plain words.
    """
    if tells_secret_in_clear(line):
        raise SecretInClear(
            f"the password would go to {line.host} in clear: name `ca_file` or `tls: true`, or `in_clear: true` where"
            " nobody else can listen"
        )
    return await asyncio.to_thread(_read, line, folder)


def _read(line: Line, folder: Path) -> Credentials:
    password = None if line.password_file is None else password_in(folder, line.password_file)
    return Credentials(line.username, password, tls_of(line.tls, line.ca_file, folder))


def password_in(folder: Path, file: str) -> str:
    """The content of a password file. `OSError` in plain words."""
    try:
        return (folder / file).read_text().strip()
    except OSError as wrong:
        raise OSError(f"the password file {file} cannot be read: {wrong.strerror}") from wrong


def tls_of(tls: bool, ca_file: str | None, folder: Path) -> ssl.SSLContext | None:
    """TLS that trusts the authorities in `ca_file`, else the machine's own; None for a line without TLS."""
    if ca_file is None:
        return ssl.create_default_context() if tls else None
    try:
        return ssl.create_default_context(cafile=folder / ca_file)
    except OSError as wrong:  # ssl's own errors are of this kind
        raise OSError(f"the authorities in {ca_file} cannot be read: {wrong.strerror or wrong}") from wrong
