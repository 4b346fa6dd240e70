"""`python -m hub`: the company's hub, and what has to be done around it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar

import typer

from contract.commandline import CommandLine, say
from hub import logs, migrations, settings
from hub.accounts.command import app as account_app
from hub.database.failures import FAULTS, passes
from hub.database.pins import PinUnreadable, sealed_otherwise
from hub.database.transactions import Database
from hub.events.verifying import verify as verify_history
from hub.gateways.service import EnrolmentError, enrol
from hub.ingest.reprojecting import reproject as reproject_events
from hub.seed import command as seed_command
from hub.settings import Settings, SettingsError

app = CommandLine()
app.add_typer(account_app, name="account")
app.command("seed", help=say("开通一个项目：项目、网关、账号、人员；已有的不动。", seed_command.__doc__ or ""))(
    seed_command
)

T = TypeVar("T")

Host = Annotated[
    str | None,
    typer.Option(
        help=say("监听地址（GATEHOUSE_HOST；127.0.0.1）。", "Address to listen on (GATEHOUSE_HOST; 127.0.0.1).")
    ),
]
Port = Annotated[
    int | None,
    typer.Option(help=say("监听端口（GATEHOUSE_PORT；8080）。", "Port to listen on (GATEHOUSE_PORT; 8080).")),
]
DatabaseUrl = Annotated[
    str | None, typer.Option(help=say("数据库：postgresql://…（DATABASE_URL）。", "postgresql://… (DATABASE_URL)."))
]
BrokerHost = Annotated[
    str | None,
    typer.Option(
        help=say(
            "消息服务的主机（GATEHOUSE_BROKER_HOST；127.0.0.1）。",
            "The broker's host (GATEHOUSE_BROKER_HOST; 127.0.0.1).",
        )
    ),
]
BrokerPort = Annotated[
    int | None,
    typer.Option(
        help=say(
            "消息服务的 MQTT 端口（GATEHOUSE_BROKER_PORT；1883）。",
            "The broker's MQTT port (GATEHOUSE_BROKER_PORT; 1883).",
        )
    ),
]
BrokerUser = Annotated[
    str | None,
    typer.Option(
        help=say("在消息服务上的账号（GATEHOUSE_BROKER_USER）。", "User at the broker (GATEHOUSE_BROKER_USER).")
    ),
]
BrokerPasswordFile = Annotated[
    Path | None,
    typer.Option(
        help=say(
            "该账号的密码文件（GATEHOUSE_BROKER_PASSWORD_FILE）。",
            "File with the password at the broker (GATEHOUSE_BROKER_PASSWORD_FILE).",
        )
    ),
]
LogLevel = Annotated[
    str | None,
    typer.Option(
        help=say(
            "日志级别：debug、info、warning、error（GATEHOUSE_LOG_LEVEL；info）。",
            "debug, info, warning, error (GATEHOUSE_LOG_LEVEL; info).",
        )
    ),
]
Check = Annotated[
    bool,
    typer.Option(
        "--check",
        help=say(
            "检查设置、数据库和消息服务密码，然后退出。", "Validate settings, database and broker password; exit."
        ),
    ),
]


@app.callback(
    invoke_without_command=True,
    help=say(
        "汇集所有项目：接收、历史、页面、指令。不写指令即运行。",
        "Gather all sites: ingest, history, screens, commands. Without a command: serve.",
    ),
)
def main(context: typer.Context, *, check: Check = False) -> None:
    """Gather all sites: ingest, history, screens, commands. Without a command: serve."""
    if context.invoked_subcommand is None:
        serve(check=check)


@app.command(help=say("运行总控，直到 SIGTERM 或 SIGINT。", "Run the hub until SIGTERM or SIGINT."))
def serve(
    *,
    host: Host = None,
    port: Port = None,
    database_url: DatabaseUrl = None,
    broker_host: BrokerHost = None,
    broker_port: BrokerPort = None,
    broker_user: BrokerUser = None,
    broker_password_file: BrokerPasswordFile = None,
    log_level: LogLevel = None,
    check: Check = False,
) -> None:
    """Run the hub until SIGTERM or SIGINT."""
    found = _settings(
        host=host,
        port=port,
        database_url=database_url,
        broker_host=broker_host,
        broker_port=broker_port,
        broker_user=broker_user,
        broker_password_file=broker_password_file,
        log_level=log_level,
    )
    if check:
        raise typer.Exit(_checked(found))
    try:
        found.broker_password()
        found.own_key()
    except SettingsError as error:
        _fail(str(error))
    from hub.app import Hub  # noqa: PLC0415 - only a running hub needs all of it

    # The server passes the signal on when it has stopped; what runs beside it still has to end in order.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    try:
        hub = Hub(found)
    except SettingsError as error:
        _fail(str(error))
    _run(hub.run())


@app.command(help=say("把数据库升级到本软件需要的结构。", "Bring the database to the shape that this software needs."))
def migrate(database_url: DatabaseUrl = None) -> None:
    """Bring the database to the shape that this software needs."""
    found = _settings(database_url=database_url)
    try:
        _with_database(found, migrations.upgrade, command_timeout=None)
    except (SettingsError, PinUnreadable) as error:
        _fail(str(error))
    typer.echo(say(f"数据库已是 {migrations.newest()}", f"database is at {migrations.newest()}"))


@app.command(
    name="enrol",
    help=say(
        "允许一台网关代表一个项目；别的网关发来的不收。", "Let a gateway speak for a site. What others send is refused."
    ),
)
def enrol_gateway(
    gateway: Annotated[str, typer.Option(help=say("网关的标识。", "The gateway's id."))],
    site: Annotated[str, typer.Option(help=say("它代表哪个项目。", "The site that it speaks for."))],
    database_url: DatabaseUrl = None,
) -> None:
    """Let a gateway speak for a site. What others send is refused."""

    async def work(database: Database) -> None:
        async with database.transaction() as conn:
            await enrol(conn, gateway, site)

    try:
        _with_database(_settings(database_url=database_url), work)
    except EnrolmentError as error:
        _fail(str(error))
    typer.echo(say(f"网关 {gateway} 代表项目 {site}", f"gateway {gateway} speaks for site {site}"))


@app.command(
    help=say(
        "重新计算历史的哈希链；不符则指出每个事件流的第一条，退出码 1。",
        "Compute the history's hashes again; exit 1 and name the first row of each stream that disagrees.",
    )
)
def verify(
    stream: Annotated[str | None, typer.Option(help=say("只查这个事件流。", "Only this stream."))] = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Compute the history's hashes again; exit 1 and name the first row of each stream that disagrees."""
    found = _with_database(
        _settings(database_url=database_url), lambda database: verify_history(database, stream), command_timeout=None
    )
    for one in found.disagreements:
        row = "" if one.event is None else say(f"，事件 {one.event}", f", event id {one.event}")
        where = say(f"事件流 {one.stream}，序号 {one.seq}", f"stream {one.stream}, seq {one.seq}")
        typer.echo(f"{where}{row}{say('：', ': ')}{one.why}")
    wrong = len(found.disagreements)
    typer.echo(
        say(
            f"读了 {found.streams} 个事件流的 {found.events} 条事件，{wrong} 个事件流不符",
            f"{found.events} events of {found.streams} streams read, {wrong} streams disagree",
        )
    )
    if found.redacted:
        typer.echo(
            say(
                f"其中 {found.redacted} 条的车牌、卡号到期已去除",
                f"{found.redacted} of them without the plates and card numbers whose time was over",
            )
        )
    if found.disagreements:
        raise typer.Exit(1)


@app.command(
    help=say(
        "重新处理已保存但当时无法使用的事件，例如升级之后。",
        "Project again the events that were stored but could not be used, for example after an upgrade.",
    )
)
def reproject(database_url: DatabaseUrl = None) -> None:
    """Project again the events that were stored but could not be used, for example after an upgrade."""
    from hub.domains import projections  # noqa: PLC0415 - only needed here and by a running hub

    found = _with_database(
        _settings(database_url=database_url),
        lambda database: reproject_events(database, projections()),
        command_timeout=None,
    )
    for event, why in found.still.items():
        typer.echo(say(f"事件 {event}：{why}", f"event id {event}: {why}"))
    still = len(found.still)
    typer.echo(
        say(f"已处理 {found.done} 条，{still} 条仍无法使用", f"{found.done} events projected, {still} still cannot be")
    )
    if found.still:
        raise typer.Exit(1)


def _settings(**flags: object) -> Settings:
    try:
        found = settings.from_environment(**flags)
        logs.set_up(found.log_level)
    except ValueError as error:
        _fail(str(error))
    return found


def _checked(found: Settings) -> int:
    """0 if the hub could start now; says what is wrong otherwise."""

    async def work(database: Database) -> tuple[str | None, str | None]:
        held = await migrations.held(database)
        return held, await sealed_otherwise(database) if held == migrations.newest() else None

    try:
        found.broker_password()
        found.own_key()
        held, strange = _with_database(found, work)
    except SettingsError as error:
        _fail(str(error))
    if held != migrations.newest():
        newest = migrations.newest()
        _fail(
            say(
                f"数据库是 {held}，本软件需要 {newest}：python -m hub migrate",
                f"the database is at {held}, this software needs {newest}: python -m hub migrate",
            )
        )
    if strange is not None:
        _fail(strange)
    typer.echo("ok")
    return 0


def _with_database(
    found: Settings, work: Callable[[Database], Awaitable[T]], *, command_timeout: float | None = 60
) -> T:
    async def whole() -> T:
        database = Database(found.database_url, pool_size=2, key=found.own_key, command_timeout=command_timeout)
        try:
            return await work(database)
        finally:
            await database.close()

    try:
        return _run(whole())
    except FAULTS as error:
        if not passes(error):
            raise
        _fail(say(f"连不上数据库：{error}", f"the database cannot be reached: {error}"))


def _run(work: Coroutine[object, object, T]) -> T:
    try:
        import uvloop  # noqa: PLC0415 - not on every platform
    except ImportError:
        return asyncio.run(work)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def _fail(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(1)


if __name__ == "__main__":
    app()
