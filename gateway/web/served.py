"""What the gateway's web server shows of the running gateway; every route takes it from the app's state."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Protocol

from fastapi import Depends
from starlette.requests import Request

from contract import VERSION
from contract.desired import Account, Holder
from contract.instants import instant
from contract.readings import Reading
from gateway.break_glass.account import Sealed
from gateway.clock import Clock
from gateway.engine.site import SiteEngine
from gateway.journal import Journal
from web import shapes
from web.paging import sites_asked
from web.session.sessions import SignedInUser


class Link(Protocol):
    """How the gateway stands with its hub."""

    @property
    def connected(self) -> bool | None:
        """Whether the hub answers over the line that stands; None where a site has no hub."""

    @property
    def alone_since_ms(self) -> int | None:
        """Since when (Unix ms) the site works without its hub; None while it does not."""

    @property
    def readings_backlog(self) -> int:
        """Blobs of readings that the hub has not acknowledged."""

    @property
    def clock_error_ms(self) -> int | None:
        """How far this machine's clock is ahead of the hub's; None while nobody knows."""

    @property
    def refused(self) -> str | None:
        """Why the hub refuses this gateway's events; None when it does not."""


class NoHub:
    """A site that has no hub: it is not cut off from anything."""

    connected = None
    alone_since_ms = None
    readings_backlog = 0
    clock_error_ms = None
    refused = None


class HeldReadings(Protocol):
    """The readings' store as the web server needs it."""

    async def history(self, point: str, from_ms: int, to_ms: int) -> Sequence[Reading]:
        """What a point was worth between two moments, oldest first."""


class HeldPictures(Protocol):
    """The pictures' folder as the web server needs it."""

    def path(self, picture: str) -> Path | None:
        """The file of a picture; None if it is not (or no longer) held."""


@dataclass(slots=True)
class People:
    """Who may sign in here (by user name), and whose names may be shown (by holder id): what the hub sent down last."""

    accounts: dict[str, Account]
    holders: Mapping[str, Holder]
    _watchers: list[Callable[[str], None]] = field(default_factory=list)
    _put_watchers: list[Callable[[], None]] = field(default_factory=list)

    def watch(self, changed: Callable[[str], None]) -> None:
        """`changed` hears the id of each account that is gone or is not what it was. It must return at once."""
        self._watchers.append(changed)

    def watch_put(self, put: Callable[[], None]) -> None:
        """`put` is called after each word of the hub about accounts. It must return at once."""
        self._put_watchers.append(put)

    def put(self, accounts: dict[str, Account], holders: Mapping[str, Holder]) -> None:
        """From now on these may sign in, and these names may be shown."""
        before = {each.id: _may(each) for each in self.accounts.values()}
        after = {each.id: _may(each) for each in accounts.values()}
        self.accounts, self.holders = accounts, holders
        for account, may in before.items():
            if after.get(account) != may:
                for watcher in self._watchers:
                    watcher(account)
        for told in self._put_watchers:
            told()


def _may(account: Account) -> tuple[str, str, str]:
    """What a screen that is open goes by. That an account was extended, or speaks another language, ends none."""
    return account.username, account.role, account.password_hash


@dataclass(frozen=True, slots=True)
class Served:
    """The running gateway, as far as its web server goes."""

    engine: SiteEngine
    journal: Journal
    readings: HeldReadings
    pictures: HeldPictures
    people: People
    link: Link
    sealed: Sealed
    clock: Clock
    software: str

    @property
    def site(self) -> str:
        """The site's id."""
        return self.engine.site.site

    @property
    def backlog(self) -> int:
        """Events that the hub has not acknowledged."""
        return self.journal.last - self.journal.acked

    def gateway_item(self) -> shapes.Gateway:
        """This gateway, as GET /api/gateways and the live stream show it."""
        engine = self.engine
        return {
            "id": engine.site.gateway,
            "site": self.site,
            "online": True,
            "backlog": self.backlog,
            "readings_backlog": self.link.readings_backlog,
            "clock": self.clock.state,
            "clock_error_ms": self.link.clock_error_ms,
            "versions": {
                "software": self.software,
                "desired": engine.revision,
                "site_file": engine.layout.fingerprint,
                "reads": VERSION,
            },
            "seen_at": instant(self.clock.wall_ms()),
        }


def served(request: Request) -> Served:
    """Dependency: the running gateway."""
    found: Served = request.app.state.served
    return found


def of_the_site(user: SignedInUser, gateway: Annotated[Served, Depends(served)], site: str | None = None) -> Served:
    """Dependency: the running gateway, for a person who may see its site; 403 if they ask for another."""
    sites_asked(user, gateway.site if site is None else site)
    return gateway


Gateway = Annotated[Served, Depends(of_the_site)]
