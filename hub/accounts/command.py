"""`python -m hub account …`: accounts while nobody can sign in yet. Passwords are never arguments."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from pydantic import ValidationError
from sqlmodel.ext.asyncio.session import AsyncSession

from contract.commandline import CommandLine, say
from hub import settings
from hub.accounts import second_factor, service
from hub.accounts.models import AccountRow
from hub.accounts.schemas import AccountBody, NewAccount
from hub.database.transactions import Database
from hub.events.stream import HUB
from hub.settings import SettingsError
from web.errors import Refusal
from web.session.password_rule import LONGEST, SHORTEST, password_fault
from web.session.passwords import Passwords
from web.session.sessions import normal_username
from web.users import ALL_SITES
from web.validation import field_texts

app = CommandLine(help=say("账号。", "Accounts."), no_args_is_help=True)

Username = Annotated[str, typer.Argument(help=say("登录名。", "The name to sign in with."))]
PasswordFile = Annotated[
    Path | None,
    typer.Option(
        help=say("密码文件；不写则现问。", "The password's file; without one it is asked for."),
        exists=True,
        dir_okay=False,
    ),
]
T = TypeVar("T")


@app.command(help=say("开一个账号。", "Open an account."))
def add(
    username: Username,
    *,
    role: Annotated[
        str,
        typer.Option(
            help=say(
                "guard 门岗、maintenance 维修、installer 安装调试、manager 项目经理、admin 管理员。",
                "guard, maintenance, installer, manager or admin",
            )
        ),
    ],
    site: Annotated[
        list[str] | None,
        typer.Option(help=say("项目，可写多次；不写即全部项目。", "A site; may be repeated. Without one: every site.")),
    ] = None,
    name: Annotated[str, typer.Option(help=say("姓名。", "The person's name."))] = "",
    language: Annotated[str, typer.Option(help=say("zh 或 en。", "zh or en"))] = "zh",
    password_file: PasswordFile = None,
) -> None:
    """Open an account."""
    password = _password(password_file)
    fields = {
        "username": username,
        "password": password,
        "name": name or username,
        "role": role,
        "language": language,
        "sites": site or [ALL_SITES],
    }
    try:
        wanted = NewAccount.model_validate(fields)
    except ValidationError as error:
        for field, text in field_texts(error.errors()).items():
            typer.echo(f"{field} {say.of(text)}", err=True)
        raise typer.Exit(1) from None

    async def work(session: AsyncSession, password_hash: str) -> str:
        await _refuse_weak(session, password, wanted.username, wanted.name, wanted.sites)
        return (await service.create(session, wanted, password_hash, HUB)).username

    typer.echo(f"{_run(work, password)}{say('：已开通', ': opened')}")


@app.command("list", help=say("列出所有账号。", "Show every account."))
def list_accounts() -> None:
    """Show every account."""

    async def work(session: AsyncSession, _: str) -> list[AccountRow]:
        found: list[AccountRow] = []
        while more := await service.listed(session, found[-1].username if found else "", 500):
            found += more
        return found

    for row in _run(work):
        state = "" if row.active else say("  （已停用）", "  (disabled)")
        typer.echo(f"{row.username:<24} {row.role:<12} {','.join(row.sites):<24} {row.name}{state}")


@app.command(help=say("设置密码；该账号的登录全部结束。", "Set a password; every session of the account ends."))
def password(username: Username, password_file: PasswordFile = None) -> None:
    """Set a password; every session of the account ends."""
    new = _password(password_file)
    if not SHORTEST <= len(new) <= LONGEST:
        typer.echo(
            say(f"密码要 {SHORTEST} 到 {LONGEST} 个字符", f"a password has {SHORTEST} to {LONGEST} characters"),
            err=True,
        )
        raise typer.Exit(1)

    async def work(session: AsyncSession, password_hash: str) -> None:
        row = await _row(session, username)
        await _refuse_weak(session, new, row.username, row.name, row.sites)
        same = AccountBody.model_validate(row, from_attributes=True)
        await service.change(session, row, same, password_hash, HUB)

    _run(work, new)
    typer.echo(say(f"{username}：密码已设置", f"{username}: password set"))


@app.command(
    "no-second-factor",
    help=say(
        "手机和恢复码都丢了的人：取消其动态验证码；其登录全部结束。",
        "Take away the second factor of somebody who lost phone and recovery codes; their sessions end.",
    ),
)
def no_second_factor(username: Username) -> None:
    """Take away the second factor of somebody who lost phone and recovery codes; their sessions end."""

    async def work(session: AsyncSession, _: str) -> None:
        row = await _row(session, username)
        await second_factor.take_away(session, row, HUB)
        await service.end_sessions(session, row.id)

    _run(work)
    typer.echo(say(f"{username}：只用密码即可登录", f"{username}: the password alone is enough again"))


@app.command(
    help=say("删除账号、它的登录和各网关上的副本。", "Remove an account, its sessions and its copies at the gateways.")
)
def remove(username: Username) -> None:
    """Remove an account, its sessions and its copies at the gateways."""

    async def work(session: AsyncSession, _: str) -> None:
        await service.remove(session, await _row(session, username), HUB)

    _run(work)
    typer.echo(say(f"{username}：已删除", f"{username}: removed"))


async def _row(session: AsyncSession, username: str) -> AccountRow:
    row = await service.by_username(session, normal_username(username))
    if row is None:
        typer.echo(say(f"{username}：没有这个账号", f"{username}: there is no such account"), err=True)
        raise typer.Exit(1)
    return row


async def _refuse_weak(session: AsyncSession, password: str, username: str, name: str, sites: Sequence[str]) -> None:
    fault = password_fault(password, await service.known_words(session, username, name, sites))
    if fault is not None:
        typer.echo(say(f"密码{fault.zh}", f"the password {fault.en}"), err=True)
        raise typer.Exit(1)


def _password(file: Path | None) -> str:
    if file is not None:
        return file.read_text(encoding="utf-8").rstrip("\r\n")
    return str(typer.prompt(say("密码", "Password"), hide_input=True, confirmation_prompt=True))


async def _hash(password: str) -> str:
    passwords = Passwords(at_once=1)
    try:
        return await passwords.hash(password)
    finally:
        passwords.close()


def _run(work: Callable[[AsyncSession, str], Awaitable[T]], password: str = "") -> T:
    """Do `work` in one transaction; it is given the hash of `password`, made before."""

    async def whole() -> T:
        password_hash = await _hash(password) if password else ""
        database = Database(settings.from_environment().database_url, pool_size=1)
        try:
            async with database.session(writes=True) as session:
                return await work(session, password_hash)
        finally:
            await database.close()

    try:
        return asyncio.run(whole())
    except Refusal as refusal:
        for line in [say.of(refusal.message), *(f"{field}: {say.of(text)}" for field, text in refusal.fields.items())]:
            typer.echo(line, err=True)
        raise typer.Exit(1) from refusal
    except SettingsError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
