"""Accounts: opening, changing and removing them, and their copies in the desired state of their sites.

Every function works inside the caller's transaction, opened with `writes=True`; passwords come already hashed.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from sqlmodel import col, delete, func, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from contract.commands import Person
from contract.desired import Account
from contract.kinds import RecordChanged
from contract.texts import Text
from hub import stream
from hub.accounts.models import AccountRow, SessionRow
from hub.accounts.schemas import AccountBody, NewAccount
from hub.db import connection
from hub.desired import service as desired
from hub.sites.models import SiteRow
from web.errors import Conflict, Invalid
from web.moments import written
from web.users import ALL_SITES

COPY_LIFE = timedelta(days=30)
"""How long a gateway without the hub goes on letting a copied account in."""

RENEW_BEFORE = timedelta(days=15)

HUB = Person(id="hub", name="Gatehouse", role="admin")
"""Who changes what no person changed: the command line, the clock."""

_TAKEN = Text("用户名已被使用", "This user name is taken")
_LAST_ADMIN = Text("必须保留至少一个管理员", "At least one administrator must remain")
_NO_SITE = Text("没有这个项目点：{sites}", "There is no such site: {sites}")


async def by_username(session: AsyncSession, username: str) -> AccountRow | None:
    """The account of that name (lower case), or None."""
    return (await session.exec(select(AccountRow).where(AccountRow.username == username))).first()


async def listed(session: AsyncSession, after: str, limit: int) -> Sequence[AccountRow]:
    """Accounts by user name, from the one after `after` on."""
    rows = select(AccountRow).where(AccountRow.username > after).order_by(AccountRow.username).limit(limit)
    return (await session.exec(rows)).all()


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
        copies_until=now + COPY_LIFE,
    )
    session.add(row)
    await _copy(session, row, ())
    await _record(session, row, "created", ["username", *AccountBody.model_fields], by)
    return row


async def change(
    session: AsyncSession, row: AccountRow, wanted: AccountBody, password_hash: str | None, by: Person
) -> None:
    """Make the account what is wanted; `Conflict` if nobody could administrate any more."""
    await _check_sites(session, wanted.sites)
    if _administrates(row) and not (wanted.role == "admin" and wanted.active and wanted.sites == [ALL_SITES]):
        await _keep_one_admin(session, row)
    before = await _sites_of(session, row)
    fields = [name for name in AccountBody.model_fields if getattr(row, name) != getattr(wanted, name)]
    for name in fields:
        setattr(row, name, getattr(wanted, name))
    if password_hash is not None:
        fields.append("password")
        row.password_hash = password_hash
    if not fields:
        return
    await _changed(session, row, fields, before, by)
    if password_hash is not None or not row.active:
        await end_sessions(session, row.id)


async def set_own(
    session: AsyncSession, row: AccountRow, by: Person, *, language: str | None = None, password_hash: str | None = None
) -> None:
    """What a person changes of their own account."""
    before = await _sites_of(session, row)
    fields = []
    if language is not None and language != row.language:
        row.language = language
        fields.append("language")
    if password_hash is not None:
        row.password_hash = password_hash
        fields.append("password")
    if fields:
        await _changed(session, row, fields, before, by)


async def remove(session: AsyncSession, row: AccountRow, by: Person) -> None:
    """Remove the account, its sessions and its copies; `Conflict` if it is the last administrator."""
    if _administrates(row):
        await _keep_one_admin(session, row)
    conn = await connection(session)
    for site in await _sites_of(session, row):
        await desired.changed(conn, site, [("account", row.id, None)])
    await _record(session, row, "removed", [], by)
    await session.delete(row)


async def end_sessions(session: AsyncSession, account: str, *, but: str = "") -> None:
    """End the account's sessions, except the one with the token hash `but`."""
    await session.exec(delete(SessionRow).where(col(SessionRow.account) == account, col(SessionRow.token_hash) != but))


async def copy_to_new_site(session: AsyncSession, site: str) -> None:
    """Give a site that is new the accounts that may see every site."""
    rows = (await session.exec(select(AccountRow).where(AccountRow.active))).all()
    items: list[desired.Change] = [("account", row.id, _as_copy(row)) for row in rows if ALL_SITES in row.sites]
    if items:
        await desired.changed(await connection(session), site, items)


async def renew_copies(session: AsyncSession, now: datetime) -> int:
    """Prolong the copies that end soon; how many accounts that were."""
    due = select(AccountRow).where(AccountRow.active, AccountRow.copies_until < now + RENEW_BEFORE)
    rows = (await session.exec(due)).all()
    by_site: dict[str, list[desired.Change]] = {}
    for row in rows:
        row.copies_until = now + COPY_LIFE
        for site in await _sites_of(session, row):
            by_site.setdefault(site, []).append(("account", row.id, _as_copy(row)))
    conn = await connection(session)
    for site, items in by_site.items():
        await desired.changed(conn, site, items)
    return len(rows)


async def next_renewal(session: AsyncSession) -> datetime | None:
    """When the first copy has to be prolonged; None without accounts."""
    first = (await session.exec(select(func.min(AccountRow.copies_until)).where(AccountRow.active))).one()
    return None if first is None else first - RENEW_BEFORE


async def drop_old_sessions(session: AsyncSession, idle_before: datetime) -> None:
    """Forget sessions that nobody used since."""
    await session.exec(delete(SessionRow).where(col(SessionRow.seen_at) < idle_before))


async def note_use(session: AsyncSession, token_hash: str, at: datetime) -> None:
    """The session was used."""
    await session.exec(update(SessionRow).where(col(SessionRow.token_hash) == token_hash).values(seen_at=at))


async def _changed(
    session: AsyncSession, row: AccountRow, fields: list[str], before: Iterable[str], by: Person
) -> None:
    row.changed_at = datetime.now(UTC)
    row.copies_until = row.changed_at + COPY_LIFE
    await _copy(session, row, before)
    await _record(session, row, "updated", fields, by)


async def _copy(session: AsyncSession, row: AccountRow, before: Iterable[str]) -> None:
    """Bring the copies at the sites in line: those of `before` that are no longer the account's lose theirs."""
    conn = await connection(session)
    now_at = await _sites_of(session, row)
    for site in now_at:
        await desired.changed(conn, site, [("account", row.id, _as_copy(row))])
    for site in set(before) - set(now_at):
        await desired.changed(conn, site, [("account", row.id, None)])


async def _sites_of(session: AsyncSession, row: AccountRow) -> list[str]:
    """Where the account is held: nowhere while it may not sign in."""
    if not row.active:
        return []
    known = sorted((await session.exec(select(SiteRow.id))).all())
    return known if ALL_SITES in row.sites else [site for site in known if site in row.sites]


def _as_copy(row: AccountRow) -> Account:
    return Account(
        id=row.id,
        username=row.username,
        name=row.name,
        role=row.role,  # type: ignore[arg-type]
        password_hash=row.password_hash,
        expires_at=written(row.copies_until),
        language=row.language,  # type: ignore[arg-type]
    )


async def _record(session: AsyncSession, row: AccountRow, change: str, fields: list[str], by: Person) -> None:
    # Of one site, its people may see the change; of several or all, only those who see them all.
    site = row.sites[0] if len(row.sites) == 1 and row.sites != [ALL_SITES] else None
    data = RecordChanged(id=row.id, by=by, change=change, fields=fields)  # type: ignore[arg-type]
    await stream.record(await connection(session), "account.changed", row.id, data, site=site)


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
