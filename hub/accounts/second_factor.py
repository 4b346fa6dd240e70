"""The second factor of an account at the hub: setting it up, taking its codes, recovery codes, taking it away.

The secret is not stored: it follows from the hub's own key and a random salt, so that a copy of the database gives
nobody's codes away; recovery codes are kept as digests under the same key. Each works inside the caller's transaction,
opened with `writes=True`.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import UTC, datetime
from typing import NamedTuple

from sqlmodel.ext.asyncio.session import AsyncSession

from contract.commands import Person
from contract.texts import Text
from hub.accounts import service
from hub.accounts.models import AccountRow, SecondFactorRow
from web.errors import Conflict, Invalid
from web.session.second_factor import (
    RECOVERY_CODES,
    address_of_secret,
    found_in,
    matching_step,
    plain_recovery,
    readable,
    recovery_code,
)
from web.session.sessions import WRONG_CODE

ISSUER = "Gatehouse"
SECRET_BYTES = 20
"""As long as the digest (RFC 4226, 4)."""

_NOT_BEGUN = Text("请先开始设置", "Begin the set-up first")
_NOT_ON = Text("尚未启用两步验证", "No second factor is set up")


class Offer(NamedTuple):
    """A secret to put into an app: as people type it, and as an address for a link or QR code."""

    secret: str
    address: str


async def offer(session: AsyncSession, key: bytes, account: AccountRow) -> Offer:
    """Begin to set one up; one that is in force stays so until the first code of the new one."""
    row = await _row(session, account.id)
    row.pending = secrets.token_hex(16)
    session.add(row)
    secret = _secret(key, account.id, row.pending)
    return Offer(readable(secret), address_of_secret(secret, account.username, ISSUER))


async def turn_on(
    session: AsyncSession, key: bytes, account: AccountRow, code: str, at_ms: int, *, by: Person
) -> list[str]:
    """The first code proves that the app has the secret: in force from now on. Its recovery codes, shown once."""
    row = await _row(session, account.id)
    if not row.pending:
        raise Conflict(_NOT_BEGUN, "not_begun")
    step = matching_step(_secret(key, account.id, row.pending), code, at_ms, 0)
    if step is None:
        raise Invalid({"code": WRONG_CODE})
    row.salt, row.pending, row.last_step = row.pending, "", step
    row.since = datetime.now(UTC)
    codes = _renew_recovery(key, row)
    session.add(row)
    await service.changed(session, account, ["second_factor"], by)
    return codes


async def new_recovery(session: AsyncSession, key: bytes, account: AccountRow, by: Person) -> list[str]:
    """Ten new recovery codes, shown once; those before are worth nothing any more."""
    row = await _row(session, account.id)
    if not row.salt:
        raise Conflict(_NOT_ON, "no_second_factor")
    codes = _renew_recovery(key, row)
    session.add(row)
    await service.changed(session, account, ["recovery_codes"], by)
    return codes


async def take_away(session: AsyncSession, account: AccountRow, by: Person) -> None:
    """The password alone is enough again, wherever the account may sign in; `Conflict` if there was no more."""
    row = await session.get(SecondFactorRow, account.id)
    if row is None or not row.salt:
        raise Conflict(_NOT_ON, "no_second_factor")
    await session.delete(row)
    await session.flush()
    await service.changed(session, account, ["second_factor"], by)


async def take(session: AsyncSession, key: bytes, account: AccountRow, code: str, at_ms: int) -> bool:
    """Whether `code` is the account's; it is worth nothing afterwards. A recovery code's use is recorded."""
    row = await session.get(SecondFactorRow, account.id, with_for_update=True)
    if row is None or not row.salt:
        return False
    step = matching_step(_secret(key, account.id, row.salt), code, at_ms, row.last_step)
    if step is not None:
        row.last_step = step
        session.add(row)
        return True
    digest = _digest(key, account.id, code)
    if not found_in(digest, row.recovery):
        return False
    row.recovery = [each for each in row.recovery if each != digest]
    session.add(row)
    person = Person(id=account.id, name=account.name, role=account.role)
    await service.changed(session, account, ["recovery_codes"], person)
    return True


def _renew_recovery(key: bytes, row: SecondFactorRow) -> list[str]:
    codes = [recovery_code(secrets.token_bytes(16)) for _ in range(RECOVERY_CODES)]
    row.recovery = [_digest(key, row.account, code) for code in codes]
    return codes


async def _row(session: AsyncSession, account: str) -> SecondFactorRow:
    found = await session.get(SecondFactorRow, account, with_for_update=True)
    return found or SecondFactorRow(account=account)


def _secret(key: bytes, account: str, salt: str) -> bytes:
    return hmac.digest(key, f"second factor {account} {salt}".encode(), hashlib.sha256)[:SECRET_BYTES]


def _digest(key: bytes, account: str, code: str) -> str:
    return hmac.digest(key, f"recovery {account} {plain_recovery(code)}".encode(), hashlib.sha256).hex()
