"""`python -m hub seed`: begins a site: itself, its gateway, accounts and people. What exists stays as it is.

Everything is checked and hashed before the first transaction. People go in slices, each a short transaction: commands
and events of all sites wait for the history lock while one is under way. A seed that was cut short is run again.
An account that exists and is named for a site that begins gets that site beside those it had, unless the file itself
says which sites are its.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from pydantic import ValidationError
from sqlmodel.ext.asyncio.session import AsyncSession

from config import SiteErrors, load_site
from config.people import load_people
from config.site import Site
from contract.commandline import say
from contract.desired import Role
from contract.texts import Text
from hub import settings
from hub.access import service as access
from hub.access.nouns import BLOCK, CREDENTIAL, GRANT, HOLDER, SCHEDULE, Noun
from hub.access.sealing import sealed
from hub.accounts import service as accounts
from hub.accounts.schemas import AccountBody, NewAccount
from hub.database.pins import Pins
from hub.database.transactions import Database, connection
from hub.events.stream import HUB
from hub.gateways.service import EnrolmentError, enrol
from hub.settings import SettingsError
from hub.sites import service as sites
from hub.sites.models import SiteRow
from web.asked import Body
from web.session.password_rule import password_fault
from web.session.passwords import Passwords
from web.session.sessions import normal_username
from web.users import ALL_SITES
from web.validation import field_texts

NAMES: dict[Role, str] = {
    "guard": "门岗",
    "maintenance": "维修",
    "installer": "安装调试",
    "manager": "项目经理",
    "admin": "系统管理员",
}
"""How accounts without a name of their own are called."""

_NOUNS: dict[str, Noun] = {
    "Holder": HOLDER,
    "Credential": CREDENTIAL,
    "Grant": GRANT,
    "Schedule": SCHEDULE,
    "Block": BLOCK,
}


SLICE = 200
"""Records in one transaction: whoever asks for something meanwhile waits for that many at the most."""


class SeedError(ValueError):
    """A file that cannot be used; the message names the file, the place, and what was expected."""


class SeedAccount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An account to open. Without `sites`: this site, or for an admin all of them."""

    username: str
    password: str
    role: Role
    name: str = ""
    language: str = "zh"
    sites: list[str] | None = None


class AccountsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The accounts file. It holds passwords: only its owner may read it."""

    accounts: list[SeedAccount]


class Seeded(msgspec.Struct):
    """How many of each were new."""

    accounts: int = 0
    people: int = 0


async def seed(
    database: Database, site: Site, wanted: Sequence[SeedAccount], people: Sequence[msgspec.Struct]
) -> Seeded:
    """Put what does not exist yet into the database. `SeedError` says what stands against it, and what stays."""
    hashed = await _hashed(database, site, wanted)
    records = [_record(item) for item in people]
    done = Seeded()
    async with database.session(writes=True) as session:
        begins = await session.get(SiteRow, site.site) is None
        await sites.ensure(session, site.site, Text(site.name.zh, site.name.en), site.timezone)
        await enrol(await connection(session), site.gateway, site.site)
        if begins:
            # Before the new ones are opened: those have the sites that the file says.
            for named in wanted:
                if named.sites is None:
                    await _admit(session, named.username, site.site)
        for account, password_hash in hashed:
            if await accounts.by_username(session, account.username) is None:
                await accounts.create(session, account, password_hash, HUB)
                done.accounts += 1
    for noun_name, of_noun in groupby(records, key=lambda record: record[0].name):
        rest = list(of_noun)
        while rest:
            some, rest = rest[:SLICE], rest[SLICE:]
            try:
                done.people += await _slice(database, site.site, some)
            except access.Unfit as unfit:
                why = _said(unfit.refusal.fields) or unfit.refusal.message.en
                so_far = f"; {done.people} records before it are in, and stay" if done.people else ""
                raise SeedError(f"{noun_name} {unfit.row_id}: {why}{so_far}") from unfit
    return done


Record = tuple[Noun, str, Body]
"""What a person's record is, its id, and its fields."""


def _record(item: msgspec.Struct) -> Record:
    noun = _NOUNS[type(item).__name__]
    fields = msgspec.to_builtins(item)
    row_id = fields.pop("id")
    try:
        return noun, row_id, noun.body.model_validate(fields)
    except ValidationError as error:
        raise SeedError(f"{noun.name} {row_id}: {_said(field_texts(error.errors()))}") from None


async def _slice(database: Database, site: str, records: Sequence[Record]) -> int:
    """Add those of one noun that are not there yet; how many."""
    noun = records[0][0]
    async with database.session(writes=True) as session:
        there = set(await access.existing(session, noun, site, [row_id for _, row_id, _ in records]))
        pins = Pins(database.key)
        new = [(row_id, sealed(pins, site, body)) for _, row_id, body in records if row_id not in there]
        if new:
            await access.create_all(session, noun, await access.site_of(session, site), new, HUB)
    return len(new)


async def _admit(session: AsyncSession, username: str, site: str) -> None:
    """Let an account also see a site that was just made."""
    account = await accounts.by_username(session, username)
    if account is None or site in account.sites or ALL_SITES in account.sites:
        return
    fields = {name: getattr(account, name) for name in AccountBody.model_fields} | {"sites": [*account.sites, site]}
    await accounts.change(session, account, AccountBody.model_validate(fields), None, HUB)


async def _hashed(database: Database, site: Site, wanted: Sequence[SeedAccount]) -> list[tuple[NewAccount, str]]:
    """The accounts that are new, with their passwords hashed: slow work, done before the transaction."""
    passwords = Passwords()
    found = []
    try:
        for account in wanted:
            # What exists stays as it is, also one whose password would not be taken today.
            async with database.session() as session:
                known = await accounts.by_username(session, normal_username(account.username))
            if known is None:
                checked = _account(account, site.site)
                found.append((checked, await passwords.hash(checked.password)))
    finally:
        passwords.close()
    return found


def _account(account: SeedAccount, site: str) -> NewAccount:
    sites_of = account.sites if account.sites is not None else [ALL_SITES if account.role == "admin" else site]
    fields: dict[str, object] = {
        "username": account.username,
        "password": account.password,
        "name": account.name or NAMES[account.role],
        "role": account.role,
        "language": account.language,
        "sites": sites_of,
    }
    try:
        wanted = NewAccount.model_validate(fields)
    except ValidationError as error:
        raise SeedError(f"account {account.username!r}: {_said(field_texts(error.errors()))}") from None
    fault = password_fault(wanted.password, (wanted.username, wanted.name, *wanted.sites))
    if fault is not None:
        raise SeedError(f"account {account.username!r}: password {fault.en}")
    return wanted


def _said(fields: dict[str, Text]) -> str:
    return "; ".join(f"{field} {text.en}" for field, text in fields.items())


def read_accounts(path: Path) -> list[SeedAccount]:
    """The accounts in a file: `{"accounts": [{"username", "password", "role", …}]}`."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=AccountsFile).accounts
    except OSError as error:
        raise SeedError(f"{path}: {error.strerror}") from error
    except msgspec.DecodeError as error:
        # The message names the place and the type, never the content: there are passwords in it.
        raise SeedError(f"{path}: {error}") from None


def command(
    site_file: Annotated[Path, typer.Option(help=say("项目配置。", "The site's file."), exists=True, dir_okay=False)],
    accounts_file: Annotated[
        Path | None,
        typer.Option(
            "--accounts",
            help=say(
                '账号文件：{"accounts": [{"username", "password", "role"}]}',
                '{"accounts": [{"username", "password", "role"}]}',
            ),
            dir_okay=False,
        ),
    ] = None,
    people_file: Annotated[
        Path | None,
        typer.Option(
            "--people",
            help=say("人员文件：人员、介质、权限、时段、黑名单。", "Holders, credentials, grants, schedules, blocks."),
            dir_okay=False,
        ),
    ] = None,
) -> None:
    """Begin a site: itself, its gateway, accounts and people. What exists stays as it is."""
    try:
        site = load_site(site_file).site
        people = load_people(people_file, places=site) if people_file else []
        wanted = read_accounts(accounts_file) if accounts_file else []
        done = asyncio.run(_seed(site, wanted, people))
    except (SiteErrors, SeedError, EnrolmentError, SettingsError) as error:
        typer.echo(error.say(say.language) if isinstance(error, SiteErrors) else str(error), err=True)
        raise typer.Exit(1) from error
    typer.echo(
        say(
            f"{site.site}：项目和网关已登记，新开 {done.accounts} 个账号、{done.people} 条人员记录",
            f"{site.site}: {done.accounts} accounts and {done.people} people's records are new",
        )
    )


async def _seed(site: Site, wanted: Sequence[SeedAccount], people: Sequence[msgspec.Struct]) -> Seeded:
    found = settings.from_environment()
    database = Database(found.database_url, pool_size=2, key=found.own_key)
    try:
        return await seed(database, site, wanted, people)
    finally:
        await database.close()
