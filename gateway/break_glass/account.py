"""The sealed account of a gateway: a way in for the day when the hub is out of reach and nobody's copy is good.

Its password is made here, shown once and kept on paper in a sealed envelope; the file holds its hash. It opens only
while the gateway works alone. Whoever uses it raises an alarm; once the hub is back to stay it is spent, and the alarm
stays until there is a new one.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import msgspec
import structlog

from contract.commands import Person
from gateway.clock import Clock
from gateway.engine.desk.timers import Alarmclock, Timers
from web.session.passwords import Passwords

log = structlog.get_logger(__name__)

FILE = "break-glass.json"

ALONE_MS = 60_000
"""A line that is gone for less is no outage."""

STANDS_S = 60.0
"""For so long the hub must have answered without a break: then the outage is over."""

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS, _GROUP = 5, 5


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of it. Instants in Unix ms. `spent`: it was used, and the hub has been back since."""

    password_hash: str
    made_at: int
    used_at: int | None = None
    spent: bool = False


class Sealed:
    """The file, and whether the account opens now. All methods belong to one event loop.

    `alone_since`: since when (Unix ms) the site works without its hub, None while it does not. `turned` is called with
    whether it was used and is to be renewed.
    """

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        timers: Timers,
        alone_since: Callable[[], int | None],
        turned: Callable[[bool], None],
    ) -> None:
        self._file = folder / FILE
        self._clock = clock
        self._alone_since = alone_since
        self._turned = turned
        self._writing: set[asyncio.Task[None]] = set()
        self.on_renewed: Callable[[Seal, Person | None], Awaitable[None]] | None = None
        """Hears of each new one, and who made it; None: somebody on this machine."""
        self._stands = False
        self._over = Alarmclock(timers, self._outage_over)
        self._outage: float | None = None
        """Since when (monotonic) there is an outage; it goes on until the hub is back to stay."""
        self.seal = read(self._file)
        self._say()
        self.hub_turned()

    @property
    def opens(self) -> bool:
        """Whether it may be used now."""
        return self.seal is not None and not self.seal.spent and self._lasted()

    async def current(self) -> Seal | None:
        """The seal as the file holds it now, if it opens: it may have been renewed from the command line."""
        await self.look()
        return self.seal if self.opens else None

    async def look(self) -> None:
        """Read the file again."""
        found = await asyncio.to_thread(read, self._file)
        # One whose use could not be written is still used.
        if found is not None and self.seal is not None and found.made_at == self.seal.made_at:
            return
        self.seal = found
        self._say()
        await self._renewed(None)

    async def used(self) -> None:
        """Somebody signed in with it."""
        if self.seal is not None and self.seal.used_at is None:
            await self._keep(msgspec.structs.replace(self.seal, used_at=self._clock.wall_ms()))

    def hub_turned(self) -> None:
        """The hub answers or is away: what was used during an outage is spent after it."""
        since = self._alone_since()
        if since is not None:
            self._stands = False
            self._over.arm(None)
            if self._outage is None:
                self._outage = self._clock.monotonic() - (self._clock.wall_ms() - since) / 1000
            return
        if not self._lasted():
            self._outage = None
        if not self._stands:
            self._stands = True
            self._over.arm(STANDS_S)

    def _lasted(self) -> bool:
        return self._outage is not None and (self._clock.monotonic() - self._outage) * 1000 >= ALONE_MS

    def _outage_over(self) -> None:
        self._outage = None
        if self.seal is None or self.seal.used_at is None or self.seal.spent:
            return
        task = asyncio.get_running_loop().create_task(self._keep(msgspec.structs.replace(self.seal, spent=True)))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def renew(self, passwords: Passwords, by: Person) -> str:
        """A new one; its password, shown once. What the old one opened is closed."""
        password = new_password()
        await self._keep(Seal(password_hash=await passwords.hash(password), made_at=self._clock.wall_ms()))
        await self._renewed(by)
        return password

    async def _renewed(self, by: Person | None) -> None:
        if self.seal is not None and self.on_renewed is not None:
            await self.on_renewed(self.seal, by)

    async def _keep(self, seal: Seal) -> None:
        self.seal = seal
        self._say()
        try:
            await asyncio.to_thread(write, self._file, seal)
        except OSError as error:
            log.error("break_glass.not_stored", why=str(error))  # noqa: TRY400

    def _say(self) -> None:
        self._turned(self.seal is not None and self.seal.used_at is not None)


def new_password() -> str:
    """Some 124 bits, in letters that are not mistaken for one another on paper."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))


def read(file: Path) -> Seal | None:
    """The seal in a file; None if there is none, or nothing that can be read."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Seal)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        log.error("break_glass.unreadable", why=str(error))  # noqa: TRY400
        return None


def write(file: Path, seal: Seal) -> None:
    """Put it into the file (0600), whole or not at all."""
    part = file.with_name(file.name + ".part")
    with suppress(FileNotFoundError):
        part.unlink()
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(msgspec.json.encode(seal))
        out.flush()
        os.fsync(out.fileno())
    part.replace(file)
