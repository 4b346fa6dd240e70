"""The demo's supervisor: database, brokers, hub, and each site's simulators and gateway as real processes.

`var/demo.json` says how to reach them.

`python -m simulators demo` runs it; `… demo stop|start NAME` holds one process down or lets it up again.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, NamedTuple

import httpx
import typer

from config import LoadedSite
from config.site import Site
from contract.commandline import CommandLine, say
from simulators.demo.announcing import Announcement, Demo
from simulators.demo.programs import (
    Broker,
    BrokerUser,
    EngineError,
    Postgres,
    Program,
    listening,
    prepare_broker,
    prepare_postgres,
)
from simulators.demo.reach import HERE, UnreachableHost, reach_of
from simulators.demo.site import OF_SEVERAL, ROLES, DemoKeys, DemoSite, python, write_private
from simulators.demo.supervisor import Probe, StartFailed, Supervisor, ask_control, serve_control

app = CommandLine(help=say("全部在本机，各为独立进程。", "Everything on this machine, as separate processes."))


class DemoError(RuntimeError):
    """Something that keeps the demo from starting; the message says what to do."""


def hub_environment(demo: Demo, database_url: str) -> dict[str, str]:
    """What the hub is told."""
    reach = demo.reach
    tls = {"GATEHOUSE_CERTIFICATE": str(reach.certificate), "GATEHOUSE_CERTIFICATE_KEY": str(reach.key)}
    return {
        **(tls if reach.certificate is not None else {}),
        "DATABASE_URL": database_url,
        "GATEHOUSE_HOST": reach.host,
        "GATEHOUSE_PORT": str(demo.hub_port),
        "GATEHOUSE_BROKER_HOST": "127.0.0.1",
        "GATEHOUSE_BROKER_PORT": str(demo.kept.ports["broker"]),
        "GATEHOUSE_BROKER_USER": "hub",
        "GATEHOUSE_BROKER_PASSWORD_FILE": str(demo.folder / "hub.password"),
        "GATEHOUSE_KEY_FILE": str(demo.folder / "hub.key"),
    }


def prepare_hub_broker(demo: Demo) -> Broker:
    """The hub's broker: each gateway has its own topics."""
    users = [BrokerUser("hub", demo.kept.passwords["broker:hub"]), *(site.uplink_user() for site in demo.sites)]
    return prepare_broker(demo.folder / "broker", "broker", demo.kept.ports["broker"], users)


def write_secrets(demo: Demo) -> None:
    """The password files that the processes are pointed to, and the accounts of each site."""
    write_private(demo.folder / "hub.password", demo.kept.passwords["broker:hub"])
    for site in demo.sites:
        site.write_secrets()
        accounts = [
            {"username": role, "password": demo.kept.passwords[role], "role": role}
            for role in (ROLES if site is demo.first else OF_SEVERAL)
        ]
        write_private(site.folder / "accounts.json", json.dumps({"accounts": accounts}, indent=2))


def answers(url: str, certificate: Path | None = None) -> Probe:
    """Whether a server says that it is ready. `certificate`: what it shows over TLS."""
    trusted = True if certificate is None else ssl.create_default_context(cafile=str(certificate))

    async def ask() -> bool:
        async with httpx.AsyncClient(timeout=2, verify=trusted) as client:
            try:
                return (await client.get(url)).status_code == 200
            except httpx.HTTPError:
                return False

    return ask


# --- Running it


async def run(demo: Demo) -> None:
    """Starts everything, announces it, and keeps it running until SIGINT or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if listening(demo.hub_port):
        raise DemoError(
            f"端口 {demo.hub_port} 已被占用，请换一个 / port {demo.hub_port} is taken; choose another: "
            f"make run PORT={demo.hub_port + 1}"
        )
    write_secrets(demo)
    announcement = Announcement(demo)
    # One that was killed could not take its own away.
    announcement.withdraw()
    supervisor = Supervisor(demo.folder / "log", announcement.changed)
    announcement.pids = supervisor.pids
    try:
        starting = asyncio.create_task(start(demo, supervisor, announcement))
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({starting, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            control = await serve_control(supervisor, demo.control)
            announcement.publish()
            print(announcement.words(), flush=True)  # noqa: T201 - what make run is for
            await stopped
            control.close()
        else:
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
    finally:
        announcement.withdraw()
        demo.control.unlink(missing_ok=True)
        await supervisor.close()


async def start(demo: Demo, supervisor: Supervisor, announcement: Announcement) -> None:
    """Engines first, then what stands on them; whatever does not depend on each other starts together."""
    postgres = await asyncio.to_thread(prepare_postgres, demo.folder / "postgres")
    announcement.database_url = postgres.url
    async with asyncio.TaskGroup() as together:
        together.create_task(start_hub(demo, supervisor, postgres))
        for site in demo.sites:
            together.create_task(start_site(demo, site, supervisor))


async def start_site(demo: Demo, site: DemoSite, supervisor: Supervisor) -> None:
    """The broker of a site's devices, the devices, the gateway."""
    broker = site.site_broker()
    await supervisor.start(broker.program, broker.ready)
    await supervisor.start(site.simulators(rhythm=demo.rhythm), answers(f"{site.sim_url}/sim/devices"))
    await supervisor.start(site.gateway(), answers(f"{site.gateway_url}/readyz"))


async def start_hub(demo: Demo, supervisor: Supervisor, postgres: Postgres) -> None:
    """The database and the broker, the hub's tables and the demo's sites with their people, the hub."""
    env, broker = hub_environment(demo, postgres.url), prepare_hub_broker(demo)
    async with asyncio.TaskGroup() as together:
        together.create_task(supervisor.start(broker.program, broker.ready))
        await supervisor.start(postgres.program, postgres.ready)
    await run_once(python("hub-migrate", "hub", "migrate", env=env), supervisor.log_of("hub"))
    for site in demo.sites:
        seed = ["hub", "seed", "--site-file", str(site.file), "--accounts", str(site.folder / "accounts.json")]
        seed += ["--people", str(site.people)] if site.people else []
        await run_once(python("hub-seed", *seed, env=env), supervisor.log_of("hub"))
    await supervisor.start(
        python("hub", "hub", "serve", env=env), answers(f"{demo.hub_url}/readyz", demo.reach.certificate)
    )


async def run_once(program: Program, output: Path) -> None:
    """Runs a program that ends by itself; StartFailed if it fails."""
    with output.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *program.argv, cwd=program.folder, env={**os.environ, **program.env}, stdout=log, stderr=log
        )
        if await process.wait() != 0:
            raise StartFailed(f"{' '.join(program.argv[2:4])} failed; its last words are in {output}")


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One supervisor a folder: the lock goes with the process, however that ends."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DemoError(f"{folder} 的演示已在运行 / a demo is already running in {folder}") from None
        yield


# --- Command line

USUAL = Path("var/demo")
Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        help=say(f"演示的数据放在哪里；默认 {USUAL}。", f"Where the demo keeps its data; {USUAL} if not said."),
    ),
]


@app.callback(invoke_without_command=True, help=say("运行全部，直到 Ctrl-C。", "Runs everything until Ctrl-C."))
def demo(
    context: typer.Context,
    site: Annotated[
        str, typer.Option(help=say("项目配置；多个：a.yaml,b.yaml。", "The site file; several: a.yaml,b.yaml."))
    ] = "config/sites/demo.yaml",
    port: Annotated[int, typer.Option(help=say("总控台的端口。", "Port of the hub's console."))] = 8080,
    rhythm: Annotated[
        str,
        typer.Option(help=say("1：人和车自己进出；0：不。", "1: people and cars come and go by themselves; 0: not.")),
    ] = "1",
    data: Data = None,
    *,
    host: Annotated[
        str,
        typer.Option(
            help=say(
                "127.0.0.1：仅本机；0.0.0.0 或本机地址：用 TLS。",
                "127.0.0.1: this machine alone; 0.0.0.0, an own address: TLS.",
            )
        ),
    ] = HERE.host,
) -> None:
    """Runs everything until Ctrl-C."""
    if context.invoked_subcommand is not None:
        return
    from config import SiteErrors  # noqa: PLC0415

    folder = (data or USUAL).resolve()
    try:
        sites = read_sites(site)
        with alone(folder):
            kept = DemoKeys.load(folder / "kept.json", [of.site for of in sites])
            placed = demo_of(folder, sites, kept, port, rhythm=rhythm not in {"0", "false", "no"})
            asyncio.run(run(replace(placed, reach=reach_of(host.strip(), folder / "tls"))))
    except* (SiteErrors, DemoError, EngineError, StartFailed, UnreachableHost) as group:
        failures = [str(error) for error in _leaves(group)]
    else:
        return
    raise _failed("\n".join(failures))


class SiteFile(NamedTuple):
    """A site and where it stands."""

    file: Path
    loaded: LoadedSite

    @property
    def site(self) -> Site:
        """What is installed there."""
        return self.loaded.site


def read_sites(names: str) -> list[SiteFile]:
    """The sites of a list of files; every mistake of all of them at once, or `DemoError` if two are the same."""
    from config import SiteErrors, load_site  # noqa: PLC0415

    found: list[SiteFile] = []
    wrong: list[SiteErrors] = []
    for path in [Path(name.strip()) for name in names.split(",") if name.strip()]:
        try:
            found.append(SiteFile(path.resolve(), load_site(path)))
        except SiteErrors as errors:
            wrong.append(errors)
    if wrong:
        raise ExceptionGroup("site files", wrong)
    if not found:
        raise DemoError("没有项目配置 / no site file is named; SITE=a.yaml or SITE=a.yaml,b.yaml")
    for what in ("site", "gateway"):
        ids = [getattr(of.site, what) for of in found]
        for twice in sorted({id for id in ids if ids.count(id) > 1}):
            files = ", ".join(of.file.name for of in found if getattr(of.site, what) == twice)
            raise DemoError(f"{files}: {what} {twice} 重复，各项目须不同 / they share it; each site needs its own")
    return found


def demo_of(folder: Path, sites: Sequence[SiteFile], kept: DemoKeys, port: int, *, rhythm: bool) -> Demo:
    """The demo of these sites; the first one's programs have plain names."""
    placed = [
        DemoSite(of.file, of.loaded, folder / kept.homes[of.site.site], f":{of.site.site}" if place else "", kept)
        for place, of in enumerate(sites)
    ]
    return Demo(folder, tuple(placed), kept, port, rhythm)


def _leaves(group: BaseExceptionGroup[Exception]) -> Iterator[Exception]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def _failed(words: str) -> typer.Exit:
    typer.echo(words, err=True)
    return typer.Exit(1)


@app.command(
    help=say(
        "结束一个进程并按住，直到 start。\n\nhub、gateway、broker、site_broker、postgres、simulators；"
        "不是第一个项目的写 gateway:项目、simulators:项目、site_broker:项目。",
        "Ends one process and holds it down.\n\nhub, gateway, broker, site_broker, postgres, simulators; of a site"
        " that is not the first gateway:SITE, simulators:SITE, site_broker:SITE.",
    )
)
def stop(context: typer.Context, name: str, data: Data = None) -> None:
    """Ends one process and holds it down: hub, gateway, broker, site_broker, postgres, simulators; of a
    site that is not the first gateway:SITE, simulators:SITE, site_broker:SITE."""
    _ask("stop", name, _which(context, data))


@app.command("start", help=say("让按住的进程重新运行。", "Lets a process up again that was held down."))
def let_up(context: typer.Context, name: str, data: Data = None) -> None:
    """Lets a process up again that was held down."""
    _ask("start", name, _which(context, data))


def _which(context: typer.Context, data: Path | None) -> Path:
    """The demo that is meant, wherever on the line it was named."""
    assert context.parent is not None
    before: Path | None = context.parent.params["data"]
    if data is not None and before is not None and data.resolve() != before.resolve():
        raise _failed(f"--data 说了两处 / --data names two places: {before}, {data}")
    return data or before or USUAL


def _ask(do: str, name: str, data: Path) -> None:
    try:
        asyncio.run(ask_control(data.resolve() / "control", do, name))
    except ValueError as error:
        raise _failed(str(error)) from error
