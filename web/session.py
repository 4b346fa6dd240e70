"""Sessions: opaque random tokens (only their hash is kept), as `Authorization: Bearer` or as a cookie.

A session ends by sign-out, after `idle_s` without a request, after `absolute_s` in any case, and when its account is
removed or may no longer sign in. Where sessions and accounts are kept is the server's business (`SessionStore`).
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, NamedTuple, Protocol

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from contract.desired import Role
from contract.texts import Text
from web.errors import Forbidden, Invalid, TooMany, Unauthorized
from web.passwords import LONGEST, Passwords
from web.room import subscriber
from web.throttle import Allowance, Throttle
from web.users import User

WRONG = Text("用户名或密码错误", "Wrong user name or password")
WAIT = Text("尝试次数过多，请稍后再试", "Too many attempts; try again later")
ENDED = Text("登录已过期，请重新登录", "The session has ended; sign in again")


class StoredAccount(NamedTuple):
    """What is kept of an account that may sign in."""

    user: User
    password_hash: str


class StoredSession(NamedTuple):
    """What is kept of a session. Times in Unix milliseconds; the token itself is not kept."""

    token_hash: str
    account: str
    opened_at: int
    seen_at: int
    address: str


class SessionStore(Protocol):
    """Where a server keeps accounts and sessions, and records who came and went."""

    async def account(self, username: str) -> StoredAccount | None:
        """The account that may sign in now under `username` (lower case), or None."""

    async def open(self, session: StoredSession, user: User) -> None:
        """Keep a new session; record `session.opened`."""

    async def find(self, token_hash: str) -> tuple[StoredSession, User] | None:
        """The session and its account as it is now; None if either is gone or may no longer sign in."""

    async def seen(self, token_hash: str, at: int) -> None:
        """Note that the session was used."""

    async def close(self, session: StoredSession, user: User) -> None:
        """Forget the session; record `session.closed`."""

    async def refused(self, username: str, address: str, why: str) -> None:
        """Record `session.refused`."""


ONE_PERSON = Allowance(free=5, first_wait_s=15, longest_wait_s=900)
"""One account from one address: somebody who mistypes."""

ONE_ACCOUNT = Allowance(free=30, first_wait_s=5, longest_wait_s=60)
"""One account from everywhere, except where it signed in before: strangers must not lock a guard out."""

ONE_ADDRESS = Allowance(free=40, first_wait_s=15, longest_wait_s=300)
"""Any account from one address."""

MOST_KNOWN = 10_000

AHEAD_MS = 3_600_000
"""A session may seem to begin by so much later than now: the clock was set since."""


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """When sessions end, and how often signing in may fail. A shift of twelve hours does not end by idling."""

    idle_s: float = 13 * 3600
    absolute_s: float = 7 * 86_400
    seen_every_s: float = 60
    pair: Allowance = ONE_PERSON
    account: Allowance = ONE_ACCOUNT
    address: Allowance = ONE_ADDRESS


class SignedIn(NamedTuple):
    """A session that was just opened. `token` is shown once."""

    token: str
    user: User


class Sessions:
    """Signs people in and out and says who is asking.

    `cookie`: a name of its own for each server of a host. `secure_cookies`: also where TLS ends at a proxy before us.
    """

    def __init__(
        self,
        store: SessionStore,
        passwords: Passwords,
        *,
        cookie: str = "gatehouse",
        secure_cookies: bool = False,
        limits: SessionLimits = SessionLimits(),
        wall_s: Callable[[], float] = time.time,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.store = store
        self.passwords = passwords
        self.cookie = cookie
        self._secure_cookies = secure_cookies
        self.limits = limits
        self._wall_s = wall_s
        self._monotonic_s = monotonic_s
        self._pairs = Throttle(limits.pair)
        self._accounts = Throttle(limits.account)
        self._addresses = Throttle(limits.address)
        self._known: OrderedDict[str, None] = OrderedDict()

    async def sign_in(self, username: str, password: str, address: str) -> SignedIn:
        """Open a session; `Unauthorized` for a wrong name or password, `TooMany` after too many of them."""
        username = normal_username(username)
        attempt = self._begin(username, address)
        try:
            account = await self.store.account(username)
            known = account.password_hash if account and len(password) <= LONGEST else None
            fits = await self.passwords.fits(password[:LONGEST], known)
        except Exception:
            # A server that is busy or cannot read its accounts is no wrong password.
            self._forgive(attempt, known=False)
            raise
        if not fits or account is None:
            await self.store.refused(
                username if account else _masked(username), address, "password" if account else "unknown"
            )
            raise Unauthorized(WRONG, "wrong_credentials")
        self._forgive(attempt, known=True)
        token = secrets.token_urlsafe(32)
        now = self._now()
        await self.store.open(StoredSession(hashed(token), account.user.id, now, now, address), account.user)
        return SignedIn(token, account.user)

    async def identify(self, request: Request) -> User:
        """Who is asking; `Unauthorized` if nobody is, or their session has ended."""
        session, user = await self._session_of(request)
        now = self._now()
        # Also one that was seen at a moment that is still to come: the clock was wrong then.
        if abs(now - session.seen_at) > self.limits.seen_every_s * 1000:
            await self.store.seen(session.token_hash, now)
        request.state.user = user
        return user

    async def still_valid(self, request: Request) -> User | None:
        """Who is asking, without counting as use: for streams that stay open."""
        try:
            return (await self._session_of(request))[1]
        except Unauthorized:
            return None

    async def check_again(self, request: Request, user: User, password: str, known: str, wrong: Text) -> None:
        """Ask a signed-in person for their password, throttled like signing in; `Invalid` names the field `current`."""
        attempt = self._begin(user.username, address_of(request))
        if len(password) > LONGEST or not await self.passwords.fits(password, known):
            raise Invalid({"current": wrong})
        self._forgive(attempt, known=True)

    def token_hash(self, request: Request) -> str:
        """The hash of the token that the request carries, "" if none."""
        token = self._token(request)
        return hashed(token) if token else ""

    async def sign_out(self, request: Request) -> None:
        """End the session that the request names; `Unauthorized` if there is none."""
        session, user = await self._session_of(request)
        await self.store.close(session, user)

    def set_cookie(self, request: Request, response: Response, token: str) -> None:
        """Give the browser the session; it sends it only to us, and never shows it to scripts."""
        response.set_cookie(
            self._cookie(request),
            token,
            max_age=int(self.limits.absolute_s),
            path="/",
            secure=self._secure(request),
            httponly=True,
            samesite="strict",
        )

    def drop_cookie(self, request: Request, response: Response) -> None:
        """Take the cookie back."""
        name = self._cookie(request)
        response.delete_cookie(name, path="/", secure=self._secure(request), httponly=True, samesite="strict")

    def _cookie(self, request: Request) -> str:
        # A browser takes a name that begins so over TLS only, from no other host of the domain (RFC 6265bis, 4.1.3).
        return f"__Host-{self.cookie}" if self._secure(request) else self.cookie

    def _secure(self, request: Request) -> bool:
        return self._secure_cookies or request.url.scheme == "https"

    async def _session_of(self, request: Request) -> tuple[StoredSession, User]:
        token = self._token(request)
        if not token:
            raise Unauthorized
        found = await self.store.find(hashed(token))
        if found is None:
            raise Unauthorized(ENDED, "session_ended")
        session, user = found
        now = self._now()
        idle, age = now - session.seen_at, now - session.opened_at
        # One that was opened at a moment that is still to come would never end.
        if idle > self.limits.idle_s * 1000 or not -AHEAD_MS <= age <= self.limits.absolute_s * 1000:
            await self.store.close(session, user)
            raise Unauthorized(ENDED, "session_ended")
        return session, user

    def _token(self, request: Request) -> str:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return token.strip()
        return request.cookies.get(self._cookie(request), "")

    def _begin(self, username: str, address: str) -> tuple[str, str, str]:
        now = self._monotonic_s()
        # One IPv6 subscriber owns a whole /64.
        network = subscriber(address)
        keys = (f"{username} {network}", username, network)
        throttles = (self._pairs, self._accounts, self._addresses)
        # Whoever signed in from here before waits for nobody's failures but those of this account from here.
        asked = 1 if keys[0] in self._known else len(keys)
        wait = max(throttle.wait_s(key, now) for throttle, key in zip(throttles[:asked], keys[:asked], strict=True))
        if wait > 0:
            raise TooMany(wait, WAIT)
        for throttle, key in zip(throttles, keys, strict=True):
            throttle.begin(key, now)
        return keys

    def _forgive(self, attempt: tuple[str, str, str], *, known: bool) -> None:
        """The attempt did not fail. `known`: it succeeded, so that the account is at home at the address."""
        pair, account, address = attempt
        if known:
            self._known[pair] = None
            self._known.move_to_end(pair)
            if len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)
        self._pairs.forgive(pair, everything=known)
        self._accounts.forgive(account, everything=False)
        self._addresses.forgive(address, everything=False)

    def _now(self) -> int:
        return int(self._wall_s() * 1000)


def normal_username(username: str) -> str:
    """User names are told apart without regard to case or surrounding spaces."""
    return username.strip().lower()


def hashed(token: str) -> str:
    """What is kept of a token. It has 256 random bits, so that a plain hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def _masked(username: str) -> str:
    # People type their password where their name belongs; that must not end up in the audit.
    return f"{username[:2]}…"


def address_of(request: Request) -> str:
    """The network address that the request came from; an IPv4 one as such, also where it came over an IPv6 socket."""
    address = request.client.host if request.client else ""
    return address[7:] if address.lower().startswith("::ffff:") and "." in address else address


async def signed_in(request: Request) -> User:
    """Dependency: who is asking; 401 if nobody."""
    sessions: Sessions = request.app.state.sessions
    return await sessions.identify(request)


SignedInUser = Annotated[User, Depends(signed_in)]


class Allowed:
    """Dependency: who is asking, if their role is one of `roles`; else 403."""

    def __init__(self, *roles: Role) -> None:
        self.roles = frozenset(roles)

    def __call__(self, user: SignedInUser) -> User:
        if user.role not in self.roles:
            raise Forbidden
        return user
