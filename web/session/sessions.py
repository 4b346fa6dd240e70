"""Sessions: opaque random tokens (only their hash is kept), as `Authorization: Bearer` or as a cookie.

A session ends by sign-out, by idling, after its role's lifetime in any case, from another one, and when its account may
no longer sign in. What would hand an account or its rights to somebody else asks for the password (and the second
factor) again: `PROVEN`. Where sessions and accounts are kept is the server's business (`SessionStore`).
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, NamedTuple

from fastapi import Depends
from prometheus_client import Counter
from starlette.requests import Request
from starlette.responses import Response

from contract.commands import Person
from contract.desired import Role
from contract.rights import Sight
from contract.texts import Text
from rules.abilities import Ability
from web.errors import PROVE, Forbidden, Invalid, TooMany, Unauthorized
from web.rates import READS, WRITES_A_MINUTE, Rates, noun_of
from web.session.attempts import AttemptLimits, Attempts, Forgiven
from web.session.browsers import device_words
from web.session.lifetimes import LIFETIMES, Lifetime
from web.session.password_rule import LONGEST, password_fault
from web.session.passwords import Passwords
from web.session.store import SessionStore, StoredAccount, StoredSession
from web.users import User

WRONG = Text("用户名或密码错误", "Wrong user name or password")
WRONG_PASSWORD = Text("密码错误", "The password is wrong")
WRONG_CODE = Text("验证码错误或已用过，请等待下一个", "The code is wrong or was used already; wait for the next one")
CODE_NEEDED = Text("请输入动态验证码", "Enter the code of your authenticator app")
ENDED = Text("登录已过期，请重新登录", "The session has ended; sign in again")
PROVE_FIRST = Text("此操作需要再次输入密码", "Enter your password again to do this")

WRITES_REFUSED = Counter("gatehouse_writes_refused", "Writes of signed-in people beyond their share", ["noun"])


AHEAD_MS = 3_600_000
"""A session may seem to begin by so much later than now: the clock was set since."""

PROVEN_S = 300.0
"""For how long a session that gave its password is not asked again."""


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """When sessions end, how often proving oneself may fail, and how much may be asked in a minute."""

    lifetimes: Mapping[Role, Lifetime] = field(default_factory=lambda: LIFETIMES)
    seen_every_s: float = 60
    proven_s: float = PROVEN_S
    attempts: AttemptLimits = field(default_factory=AttemptLimits)
    writes: Mapping[str, int] = field(default_factory=lambda: WRITES_A_MINUTE)


class SignedIn(NamedTuple):
    """A session that was just opened. `token` is shown once."""

    token: str
    user: User
    weak: bool


Fault = Literal["password", "code", "no_code"]


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
        self._attempts = Attempts(limits.attempts)
        self._rates = Rates(limits.writes)
        self._watchers: list[Callable[[str], None]] = []

    def watch(self, ended: Callable[[str], None]) -> None:
        """`ended` hears the hash of each session's token once the session has ended. It must return at once."""
        self._watchers.append(ended)

    def ended(self, token_hash: str) -> None:
        """A session has ended: whatever it still holds open ends with it."""
        for watcher in self._watchers:
            watcher(token_hash)

    # --- In and out

    async def sign_in(self, username: str, password: str, address: str, *, code: str = "", agent: str = "") -> SignedIn:
        """Open a session; `Unauthorized` for a wrong name, password or code, `TooMany` after too many of them."""
        username = normal_username(username)
        attempt = self._attempts.begin(username, address, self._monotonic_s())
        with Forgiven(lambda: self._attempts.forgive(attempt, known=False)):
            account = await self.store.account(username)
            fault = await self._fault(account, password, code)
        if fault == "no_code":
            # The password was right; nothing was guessed.
            self._attempts.forgive(attempt, known=False)
            raise Unauthorized(CODE_NEEDED, "code_needed")
        if fault is not None or account is None:
            why = "unknown" if account is None else fault or "password"
            await self.store.refused(username if account else _masked(username), address, why)
            raise Unauthorized(*((WRONG_CODE, "wrong_code") if fault == "code" else (WRONG, "wrong_credentials")))
        self._attempts.forgive(attempt, known=True)
        user = account.user
        token = secrets.token_urlsafe(32)
        now = self._now()
        weak = password_fault(password, (user.username, user.name)) is not None
        opened = StoredSession(hashed(token), user.id, now, now, address, device_words(agent), now, weak)
        if not await self.store.open(opened, account):
            await self.store.refused(username, address, "password")
            raise Unauthorized(WRONG, "wrong_credentials")
        await self._make_room(user, opened)
        return SignedIn(token, user, weak)

    async def sign_out(self, request: Request) -> None:
        """End the session that the request names; `Unauthorized` if there is none."""
        session, user = await self.session_of(request)
        await self._close(session, user)

    async def open_ones(self, user: User) -> list[StoredSession]:
        """The account's sessions that have not ended, the one used last first."""
        found = [each for each in await self.store.of_account(user.id) if not self._over(each, user)]
        return sorted(found, key=lambda each: each.seen_at, reverse=True)

    async def end(self, user: User, by: Person, *, only: str | None = None, but: str = "") -> int:
        """End the account's sessions: the one with the id `only`, or all except that of the token hash `but`."""
        ending = [
            each
            for each in await self.store.of_account(user.id)
            if each.token_hash != but and (only is None or each.id == only)
        ]
        for each in ending:
            await self._close(each, user, by)
        return len(ending)

    # --- Who is asking

    async def identify(self, request: Request) -> User:
        """Who is asking; `Unauthorized` if nobody is, or their session has ended; `TooMany` beyond their share."""
        session, user = await self.session_of(request)
        now = self._now()
        # Also one that was seen at a moment that is still to come: the clock was wrong then.
        if abs(now - session.seen_at) > self.limits.seen_every_s * 1000:
            await self.store.seen(session.token_hash, now)
        request.state.user = user
        if request.method not in READS:
            await self._take_share(request, user)
        return user

    async def still_valid(self, request: Request) -> User | None:
        """Who is asking, without counting as use: for streams that stay open."""
        try:
            return (await self.session_of(request))[1]
        except Unauthorized:
            return None

    async def session_of(self, request: Request) -> tuple[StoredSession, User]:
        """The session that the request names, and whose it is; `Unauthorized` if there is none or it has ended."""
        token = self._token(request)
        if not token:
            raise Unauthorized
        found = await self.store.find(hashed(token))
        if found is None:
            raise Unauthorized(ENDED, "session_ended")
        session, user = found
        if self._over(session, user):
            await self._close(session, user)
            raise Unauthorized(ENDED, "session_ended")
        return session, user

    def token_hash(self, request: Request) -> str:
        """The hash of the token that the request carries, "" if none."""
        token = self._token(request)
        return hashed(token) if token else ""

    # --- Once more

    async def prove(self, request: Request, user: User, password: str, code: str, *, field: str = "password") -> str:
        """Have a signed-in person prove who they are, throttled like signing in; their session counts as proven.

        Answers the password's hash that was checked: is it still the one when something is written? `Invalid` names the
        field at fault: `field` (the password's name in the form) or `code`.
        """
        session, _ = await self.session_of(request)
        address = address_of(request)
        attempt = self._attempts.begin(user.username, address, self._monotonic_s())
        account = await self.store.account(user.username)
        fault = await self._fault(account, password, code)
        if fault == "no_code":
            self._attempts.forgive(attempt, known=False)
            raise Invalid({"code": CODE_NEEDED})
        if fault is not None or account is None:
            await self.store.refused(user.username, address, fault or "password")
            raise Invalid({"code": WRONG_CODE} if fault == "code" else {field: WRONG_PASSWORD})
        self._attempts.forgive(attempt, known=True)
        await self.store.proven(session.token_hash, self._now())
        return account.password_hash

    async def must_be_proven(self, request: Request) -> None:
        """`Forbidden` with the code `PROVE` if the session's person did not give the password a moment ago."""
        session, _ = await self.session_of(request)
        since = self._now() - session.proven_at
        if not -AHEAD_MS <= since <= self.limits.proven_s * 1000:
            raise Forbidden(PROVE_FIRST, PROVE)

    # --- Cookies

    def set_cookie(self, request: Request, response: Response, opened: SignedIn) -> None:
        """Give the browser the session; it sends it only to us, and never shows it to scripts."""
        response.set_cookie(
            self._cookie(request),
            opened.token,
            max_age=int(self.limits.lifetimes[opened.user.role].absolute_s),
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

    # --- Inside

    def _secure(self, request: Request) -> bool:
        return self._secure_cookies or request.url.scheme == "https"

    def _token(self, request: Request) -> str:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return token.strip()
        return request.cookies.get(self._cookie(request), "")

    async def _fault(self, account: StoredAccount | None, password: str, code: str) -> Fault | None:
        """What is wrong with a proof; a code is looked at, and used up, only beside the right password."""
        known = account.password_hash if account and len(password) <= LONGEST else None
        if not await self.passwords.fits(password[:LONGEST], known) or account is None:
            return "password"
        if not account.second_factor:
            return None
        if not code.strip():
            return "no_code"
        self._attempts.begin_code(account.user.id, self._monotonic_s())
        with Forgiven(lambda: self._attempts.forgive_code(account.user.id, right=False)):
            right = await self.store.takes_code(account.user.id, code, self._now())
        if right:
            self._attempts.forgive_code(account.user.id, right=True)
        return None if right else "code"

    async def _close(self, session: StoredSession, user: User, by: Person | None = None) -> None:
        await self.store.close(session, user, by)
        self.ended(session.token_hash)

    def _over(self, session: StoredSession, user: User) -> bool:
        lifetime = self.limits.lifetimes[user.role]
        now = self._now()
        idle, age = now - session.seen_at, now - session.opened_at
        # One that was opened at a moment that is still to come would never end.
        return idle > lifetime.idle_s * 1000 or not -AHEAD_MS <= age <= lifetime.absolute_s * 1000

    async def _make_room(self, user: User, opened: StoredSession) -> None:
        """The oldest sessions beyond the account's number end, never the one just opened: clocks are put back."""
        all_of_them = await self.store.of_account(user.id)
        others = [each for each in all_of_them if each.token_hash != opened.token_hash]
        others.sort(key=lambda each: each.opened_at, reverse=True)
        for each in others[self.limits.lifetimes[user.role].most_open - 1 :]:
            await self._close(each, user, user.person())

    async def _take_share(self, request: Request, user: User) -> None:
        noun, now = noun_of(request.url.path), self._monotonic_s()
        wait = self._rates.take(user.id, noun, now)
        if wait <= 0:
            return
        WRITES_REFUSED.labels(noun).inc()
        if self._rates.worth_telling(user.id, noun, now):
            await self.store.slowed(user, address_of(request), noun, self._rates.share(noun))
        raise TooMany(wait)

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


async def proven(request: Request, _: SignedInUser) -> None:
    """Dependency: 403 `prove` unless the session's person gave the password in the last five minutes."""
    sessions: Sessions = request.app.state.sessions
    await sessions.must_be_proven(request)


PROVEN = Depends(proven)
"""In a route's `dependencies`: every road to a change of password, role, sites, keys, second factor or accounts."""


class Able:
    """Dependency: who is asking, if they have that ability (`rules.abilities`); else 403."""

    def __init__(self, ability: Ability) -> None:
        self.ability: Ability = ability

    def __call__(self, user: SignedInUser) -> User:
        if not user.may(self.ability):
            raise Forbidden
        return user


class Sees:
    """Dependency: who is asking, if their role sees what lies in that sight (`contract.rights`); else 403."""

    def __init__(self, sight: Sight) -> None:
        self.sight: Sight = sight

    def __call__(self, user: SignedInUser) -> User:
        if not user.viewer().sees(self.sight):
            raise Forbidden
        return user
