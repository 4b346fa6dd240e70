"""Attempts to prove who one is: counted by account and address, alone and together, and made to wait after failures."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from contract.texts import Text
from web.addresses import subscriber
from web.errors import TooMany
from web.session.throttle import Allowance, Throttle

WAIT = Text("尝试次数过多，请稍后再试", "Too many attempts; try again later")

ONE_PERSON = Allowance(free=5, first_wait_s=15, longest_wait_s=900)
"""One account from one address: somebody who mistypes."""

ONE_ACCOUNT = Allowance(free=30, first_wait_s=5, longest_wait_s=60)
"""One account from everywhere, except where it signed in before: strangers must not lock a guard out."""

ONE_ADDRESS = Allowance(free=40, first_wait_s=15, longest_wait_s=300)
"""Any account from one address."""

ONE_SECOND_FACTOR = Allowance(free=5, first_wait_s=60, longest_wait_s=86_400)
"""Codes of one account from everywhere, beside the right password: who has that may not try codes for months."""

CODES_FORGOTTEN_S = 30 * 86_400.0

MOST_KNOWN = 10_000

Attempt = tuple[str, str, str]
"""The keys under which an attempt is counted: the pair, the account, the address."""


@dataclass(frozen=True, slots=True)
class AttemptLimits:
    """How often proving oneself may fail."""

    pair: Allowance = ONE_PERSON
    account: Allowance = ONE_ACCOUNT
    address: Allowance = ONE_ADDRESS
    codes: Allowance = ONE_SECOND_FACTOR


class Forgiven:
    """`with Forgiven(how):` an attempt that fails in here was none: a server that is busy or cannot read its accounts
    is no wrong password. Who hangs up while it is looked at is not forgiven: else nobody's guesses would count."""

    def __init__(self, how: Callable[[], None]) -> None:
        self._how = how

    def __enter__(self) -> None:
        """Whatever was counted before stands."""

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and issubclass(kind, Exception):
            self._how()


class Attempts:
    """Every attempt begins as a failure and is forgiven when it was none, so that many at once count too."""

    def __init__(self, limits: AttemptLimits) -> None:
        self._pairs = Throttle(limits.pair)
        self._accounts = Throttle(limits.account)
        self._addresses = Throttle(limits.address)
        self._codes = Throttle(limits.codes, forget_s=CODES_FORGOTTEN_S)
        self._known: OrderedDict[str, None] = OrderedDict()

    def begin(self, username: str, address: str, now: float) -> Attempt:
        """Count an attempt; `TooMany` if it has to wait."""
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

    def forgive(self, attempt: Attempt, *, known: bool) -> None:
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

    def begin_code(self, account: str, now: float) -> None:
        """Count a code that is tried beside the right password; `TooMany` if it has to wait."""
        wait = self._codes.wait_s(account, now)
        if wait > 0:
            raise TooMany(wait, WAIT)
        self._codes.begin(account, now)

    def forgive_code(self, account: str, *, right: bool) -> None:
        """The code was right, or nobody could say."""
        self._codes.forgive(account, everything=right)
