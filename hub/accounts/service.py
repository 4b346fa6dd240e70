"""Accounts: opening, changing and removing them, and their copies in the desired state of their sites.

Every function works inside the caller's transaction, opened with `writes=True`; passwords come already hashed.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal, get_args

from sqlalchemy import inspect
from sqlmodel import col, delete, func, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from contract.commands import Person
from contract.desired import Account, Role
from contract.rights import HIDDEN
from contract.texts import Text
from hub.accounts.copies import copied, life_of, renewed_before
from hub.accounts.models import AccountRow, SecondFactorRow, SessionRow
from hub.accounts.schemas import AccountBody, NewAccount
from hub.changes import service as changes
from hub.changes.service import Change
from hub.database import once
from hub.database.transactions import connection
from hub.desired import service as desired
from hub.desired.models import DesiredItem
from hub.sites.models import CompanyRow, SiteRow
from web.errors import Conflict, Invalid
from web.moments import written
from web.users import ALL_SITES

MOST_LIFTED = 20
"""Lifted locks of one account that a copy names."""

_TAKEN = Text("用户名已被使用", "This user name is taken")
_LAST_ADMIN = Text("必须保留至少一个管理员", "At least one administrator must remain")
_NO_SITE = Text("没有这个项目：{sites}", "There is no such site: {sites}")


async def by_username(session: AsyncSession, username: str) -> AccountRow | None:
    """The account of that name (lower case), or None."""
    return (await session.exec(select(AccountRow).where(AccountRow.username == username))).first()


async def listed(session: AsyncSession, after: str, limit: int) -> Sequence[AccountRow]:
    """Accounts by user name, from the one after `after` on."""
    rows = select(AccountRow).where(AccountRow.username > after).order_by(AccountRow.username).limit(limit)
    return (await session.exec(rows)).all()


async def known_words(session: AsyncSession, username: str, name: str, sites: Sequence[str]) -> list[str]:
    """What somebody who guesses the account's password would try first: its names, the company's and the sites'."""
    companies = (await session.exec(select(CompanyRow.name))).all()
    named = (await session.exec(select(SiteRow.name).where(col(SiteRow.id).in_(sites)))).all()
    return [username, name, *sites, *(text for texts in (*companies, *named) for text in texts.values())]


async def create(session: AsyncSession, wanted: NewAccount, password_hash: str, by: Person) -> AccountRow:
    """Open an account; `Conflict` if the name is taken, `Invalid` for sites that do not exist."""
    await _check_sites(session, wanted.sites)
    if await by_username(session, wanted.username) is not None:
        raise Conflict(_TAKEN, fields={"username": _TAKEN})
    now = datetime.now(UTC)
    row = AccountRow(
        id=str(uuid.uuid4()),
        username=wanted.username,
        name=wanted.name,
        role=wanted.role,
        language=wanted.language,
        sites=wanted.sites,
        password_hash=password_hash,
        active=wanted.active,
        created_at=now,
        changed_at=now,
        copies_until=now + life_of(wanted.role),
    )
    session.add(row)
    await copy(session, [row], now)
    await _record(session, row, "created", ["username", *AccountBody.model_fields], by, after=row.model_dump())
    return row


async def change(
    session: AsyncSession, row: AccountRow, wanted: AccountBody, password_hash: str | None, by: Person
) -> None:
    """Make the account what is wanted; `Conflict` if nobody could administrate any more."""
    await _check_sites(session, wanted.sites)
    if _administrates(row) and not (wanted.role == "admin" and wanted.active and wanted.sites == [ALL_SITES]):
        await _keep_one_admin(session, row)
    fields = [name for name in AccountBody.model_fields if getattr(row, name) != getattr(wanted, name)]
    for name in fields:
        setattr(row, name, getattr(wanted, name))
    if password_hash is not None:
        fields.append("password")
        row.password_hash = password_hash
    if not fields:
        return
    await changed(session, row, fields, by)
    if password_hash is not None or not row.active:
        await end_sessions(session, row.id)


async def set_own(
    session: AsyncSession, row: AccountRow, by: Person, *, language: str | None = None, password_hash: str | None = None
) -> None:
    """What a person changes of their own account."""
    fields = []
    if language is not None and language != row.language:
        row.language = language
        fields.append("language")
    if password_hash is not None:
        row.password_hash = password_hash
        fields.append("password")
    if fields:
        await changed(session, row, fields, by)


async def remove(session: AsyncSession, row: AccountRow, by: Person) -> None:
    """Remove the account, its sessions and its copies; `Conflict` if it is the last administrator."""
    if _administrates(row):
        await _keep_one_admin(session, row)
    before = row.model_dump()
    row.active = False
    await copy(session, [row], datetime.now(UTC))
    await once.forget(await connection(session), row.id)
    await _record(session, row, "removed", ["username", *AccountBody.model_fields], by, before=before)
    await session.delete(row)


async def changed(session: AsyncSession, row: AccountRow, fields: list[str], by: Person) -> None:
    """These fields of the account are different now: its copies follow, the history says so."""
    before = _before(row)
    row.changed_at = datetime.now(UTC)
    await copy(session, [row], row.changed_at)
    await _record(session, row, "updated", fields, by, before=before, after=row.model_dump())


async def end_sessions(session: AsyncSession, account: str, *, but: str = "") -> None:
    """End the account's sessions, except the one with the token hash `but`."""
    await session.exec(delete(SessionRow).where(col(SessionRow.account) == account, col(SessionRow.token_hash) != but))


async def signed_in(session: AsyncSession, row: AccountRow, at: datetime, now: datetime) -> None:
    """The account's person signed in at `at`, here or at a gateway; one that was away for long has copies again."""
    before = _copied(row, _alive_at(row), now, second_factor=False)
    row.signed_in_at = at if row.signed_in_at is None else max(at, row.signed_in_at)
    if before != _copied(row, _alive_at(row), now, second_factor=False):
        await copy(session, [row], now)


async def copy(session: AsyncSession, rows: Sequence[AccountRow], now: datetime) -> None:
    """Bring the copies of these accounts at all sites in line with what they are now, good for a whole life again."""
    await session.flush()
    ids = [row.id for row in rows]
    factors = select(SecondFactorRow.account).where(col(SecondFactorRow.account).in_(ids), SecondFactorRow.salt != "")
    second = set((await session.exec(factors)).all())
    known = set((await session.exec(select(SiteRow.id))).all())
    held: dict[str, set[str]] = {}
    there = select(DesiredItem.id, DesiredItem.site).where(
        DesiredItem.kind == "account", col(DesiredItem.id).in_(ids), col(DesiredItem.value).is_not(None)
    )
    for account, site in (await session.exec(there)).all():
        held.setdefault(account, set()).add(site)
    by_site: dict[str, list[desired.Change]] = {}
    for row in rows:
        row.copies_until = now + life_of(row.role)
        wanted = known & set(row.sites) if _copied(row, _alive_at(row), now, second_factor=row.id in second) else set()
        for site in wanted:
            by_site.setdefault(site, []).append(("account", row.id, _as_copy(row)))
        for site in held.get(row.id, set()) - wanted:
            by_site.setdefault(site, []).append(("account", row.id, None))
    conn = await connection(session)
    for site, items in sorted(by_site.items()):
        await desired.changed(conn, site, items)


async def renew_copies(session: AsyncSession, now: datetime) -> int:
    """Prolong the copies that end soon, and take back those that are no longer to be; how many accounts that were."""
    due: list[AccountRow] = []
    for role in get_args(Role):
        late = select(AccountRow).where(
            AccountRow.active, AccountRow.role == role, AccountRow.copies_until < now + renewed_before(role)
        )
        due += (await session.exec(late)).all()
    if due:
        await copy(session, due, now)
    return len(due)


async def next_renewal(session: AsyncSession) -> datetime | None:
    """When the first copy has to be prolonged; None without accounts."""
    found = []
    for role in get_args(Role):
        earliest = select(func.min(AccountRow.copies_until)).where(AccountRow.active, AccountRow.role == role)
        first = (await session.exec(earliest)).one()
        if first is not None:
            found.append(first - renewed_before(role))
    return min(found, default=None)


async def drop_old_sessions(session: AsyncSession, idle_before: datetime) -> None:
    """Forget sessions that nobody used since."""
    await session.exec(delete(SessionRow).where(col(SessionRow.seen_at) < idle_before))


async def note_use(session: AsyncSession, token_hash: str, at: datetime) -> None:
    """The session was used."""
    await session.exec(update(SessionRow).where(col(SessionRow.token_hash) == token_hash).values(seen_at=at))


async def note_proof(session: AsyncSession, token_hash: str, at: datetime) -> None:
    """The session's person gave their password again."""
    await session.exec(update(SessionRow).where(col(SessionRow.token_hash) == token_hash).values(proven_at=at))


async def note_new_password(session: AsyncSession, token_hash: str) -> None:
    """The session's person has a password that would be taken as a new one: nobody asks for another any more."""
    await session.exec(update(SessionRow).where(col(SessionRow.token_hash) == token_hash).values(weak=False))


def _alive_at(row: AccountRow) -> datetime:
    return row.changed_at if row.signed_in_at is None else max(row.changed_at, row.signed_in_at)


def _copied(row: AccountRow, alive_at: datetime, now: datetime, *, second_factor: bool) -> bool:
    return row.active and copied(row.role, row.sites, second_factor=second_factor, alive_at=alive_at, now=now)


def _as_copy(row: AccountRow) -> Account:
    return Account(
        id=row.id,
        username=row.username,
        name=row.name,
        role=row.role,  # type: ignore[arg-type]
        password_hash=row.password_hash,
        expires_at=written(row.copies_until),
        language=row.language,  # type: ignore[arg-type]
        lifted=row.lifted[-MOST_LIFTED:],
    )


def _before(row: AccountRow) -> dict[str, object]:
    """The account as the database still holds it: asked before it is flushed."""
    old = {name: attribute.history.deleted for name, attribute in inspect(row).attrs.items()}
    return row.model_dump() | {name: values[0] for name, values in old.items() if values}


async def _record(
    session: AsyncSession,
    row: AccountRow,
    change: Literal["created", "updated", "removed"],
    fields: list[str],
    by: Person,
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    """`before`, `after`: the whole account; only `fields` of it are kept, and no secret."""

    def values(of: Mapping[str, object] | None) -> dict[str, object]:
        return {} if of is None else {name: of.get(name, HIDDEN) for name in fields}

    # Of one site, its people may see the change; of several or all, only those who see them all.
    site = row.sites[0] if len(row.sites) == 1 and row.sites != [ALL_SITES] else None
    done = Change(
        kind="account",
        id=row.id,
        change=change,
        fields=fields,
        before=values(before),
        after=values(after),
        site=site,
    )
    await changes.record(await connection(session), [done], by)


async def _check_sites(session: AsyncSession, sites: Sequence[str]) -> None:
    known = set((await session.exec(select(SiteRow.id))).all())
    unknown = [site for site in sites if site != ALL_SITES and site not in known]
    if unknown:
        listed_ids = ", ".join(unknown)
        raise Invalid({"sites": Text(_NO_SITE.zh.format(sites=listed_ids), _NO_SITE.en.format(sites=listed_ids))})


def _administrates(row: AccountRow) -> bool:
    return row.role == "admin" and row.active and ALL_SITES in row.sites


async def _keep_one_admin(session: AsyncSession, leaving: AccountRow) -> None:
    rows = (await session.exec(select(AccountRow).where(AccountRow.role == "admin"))).all()
    if not any(_administrates(row) for row in rows if row.id != leaving.id):
        raise Conflict(_LAST_ADMIN, "last_admin")
