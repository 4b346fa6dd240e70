"""The demo's supervisor: database, brokers, hub, simulators and gateway as real processes, and `var/demo.json`.

`python -m simulators demo` runs it; `… demo stop|start NAME` holds one process down or lets it up again.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import httpx
import typer

from config.site import MqttBus, Site
from simulators.engines import (
    Broker,
    BrokerUser,
    EngineError,
    Postgres,
    Program,
    free_port,
    listening,
    prepare_broker,
    prepare_postgres,
    secret,
)
from simulators.supervisor import Probe, StartFailed, Supervisor, ask_control, serve_control

ROOT = Path(__file__).resolve().parent.parent
ROLES = ("guard", "maintenance", "installer", "manager", "admin")
PORTS = ("gateway", "simulators", "broker", "site_broker")

app = typer.Typer(
    add_completion=False, rich_markup_mode=None, help="Everything on this machine, as separate processes."
)


class DemoError(RuntimeError):
    """Something that keeps the demo from starting; the message says what to do."""


@dataclass(frozen=True)
class Demo:
    """Where the demo keeps its things. `announce` is the file that says how to reach it while it is ready."""

    folder: Path
    site_file: Path
    site: Site
    hub_port: int
    rhythm: bool

    @property
    def announce(self) -> Path:
        """`var/demo.json` for `var/demo`."""
        return self.folder.with_suffix(".json")

    @property
    def control(self) -> Path:
        """The supervisor's socket."""
        return self.folder / "control"

    @property
    def gateway_data(self) -> Path:
        """The gateway's folder."""
        return self.folder / "gateway"

    @property
    def wires(self) -> Path:
        """Where the simulators say that each bus is."""
        return self.folder / "wires.json"

    def url(self, port: int) -> str:
        """The address of a server of this demo."""
        return f"http://127.0.0.1:{port}"


@dataclass
class Kept:
    """What the demo makes at its first start and keeps: ports and passwords. Only its owner can read the file."""

    ports: dict[str, int]
    passwords: dict[str, str]

    @classmethod
    def load(cls, path: Path) -> Kept:
        """What was kept, completed where something is missing; a port that is taken by another is given up."""
        held = json.loads(path.read_text()) if path.exists() else {}
        kept = cls(held.get("ports", {}), held.get("passwords", {}))
        for name in PORTS:
            if name not in kept.ports or listening(kept.ports[name]):
                kept.ports[name] = free_port()
        for name in (*ROLES, "broker:hub", "broker:gateway", "site_broker:gateway", "site_broker:simulators"):
            kept.passwords.setdefault(name, secret() if ":" in name else _memorable())
        write_private(path, json.dumps({"ports": kept.ports, "passwords": kept.passwords}, indent=2))
        return kept


def _memorable() -> str:
    """A password that a person can copy from a terminal to a phone."""
    return secret().replace("_", "x").replace("-", "y")[:12]


def write_private(path: Path, text: str) -> None:
    """Writes a file that only its owner can read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.touch(mode=0o600)
    part.chmod(0o600)
    part.write_text(text)
    part.replace(path)


# --- The programs


def python(name: str, *arguments: str, env: dict[str, str] | None = None) -> Program:
    """One of our own processes."""
    environment = {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"} | (env or {})
    return Program(name, (sys.executable, "-m", *arguments), ROOT, environment)


def hub_environment(demo: Demo, kept: Kept, database_url: str) -> dict[str, str]:
    """What the hub is told."""
    return {
        "DATABASE_URL": database_url,
        "GATEHOUSE_HOST": "127.0.0.1",
        "GATEHOUSE_PORT": str(demo.hub_port),
        "GATEHOUSE_BROKER_HOST": "127.0.0.1",
        "GATEHOUSE_BROKER_PORT": str(kept.ports["broker"]),
        "GATEHOUSE_BROKER_USER": "hub",
        "GATEHOUSE_BROKER_PASSWORD_FILE": str(demo.folder / "hub.password"),
    }


def prepare_brokers(demo: Demo, kept: Kept) -> tuple[Broker, Broker]:
    """The hub's broker (each gateway its own topics) and the site's (for MQTT devices)."""
    gateway, shard = demo.site.gateway, demo.site.uplink.shard if demo.site.uplink else "s1"
    hub_users = [
        BrokerUser("hub", kept.passwords["broker:hub"]),
        BrokerUser(
            gateway,
            kept.passwords["broker:gateway"],
            publish=(f"gatehouse/v1/up/{shard}/{gateway}/#",),
            subscribe=(f"gatehouse/v1/down/{gateway}/#",),
        ),
    ]
    site_users = [
        BrokerUser("gateway", kept.passwords["site_broker:gateway"]),
        BrokerUser("simulators", kept.passwords["site_broker:simulators"]),
    ]
    return (
        prepare_broker(demo.folder / "broker", "broker", kept.ports["broker"], hub_users),
        prepare_broker(demo.folder / "site_broker", "site_broker", kept.ports["site_broker"], site_users),
    )


def write_secrets(demo: Demo, kept: Kept) -> None:
    """The password files that the processes are pointed to."""
    write_private(demo.folder / "hub.password", kept.passwords["broker:hub"])
    write_private(demo.gateway_data / "uplink.password", kept.passwords["broker:gateway"])
    write_private(demo.gateway_data / "site-broker.password", kept.passwords["site_broker:gateway"])
    write_private(demo.folder / "simulators" / "site-broker.password", kept.passwords["site_broker:simulators"])
    accounts = [{"username": role, "password": kept.passwords[role], "role": role} for role in ROLES]
    write_private(demo.folder / "accounts.json", json.dumps({"accounts": accounts}, indent=2))


def write_known_wires(demo: Demo, kept: Kept) -> Path:
    """The wires that are not simulated but run for real: the site's broker, and the hub's."""
    wires: dict[str, object] = {
        name: {"host": "127.0.0.1", "port": kept.ports["site_broker"]}
        | {"username": "gateway", "password_file": "site-broker.password"}
        for name, bus in demo.site.buses.items()
        if isinstance(bus, MqttBus)
    }
    wires["uplink"] = {
        "host": "127.0.0.1",
        "port": kept.ports["broker"],
        "username": demo.site.gateway,
        "password_file": "uplink.password",
    }
    path = demo.folder / "wires-known.json"
    write_private(path, json.dumps(wires, indent=2))
    return path


def simulators_program(demo: Demo, kept: Kept, known: Path) -> Program:
    """Every device of the site."""
    people = ROOT / "config" / "examples" / f"{demo.site.site}-people.yaml"
    return python(
        "simulators",
        *("simulators", "run", "--site", str(demo.site_file), "--wires", str(demo.wires), "--wires-in", str(known)),
        *("--port", str(kept.ports["simulators"]), "--gateway-url", demo.url(kept.ports["gateway"])),
        *("--data", str(demo.folder / "simulators"), "--rhythm" if demo.rhythm else "--no-rhythm"),
        *(("--people", str(people)) if people.exists() else ()),
        env={
            "GATEHOUSE_SITE_BROKER_USERNAME": "simulators",
            "GATEHOUSE_SITE_BROKER_PASSWORD_FILE": str(demo.folder / "simulators" / "site-broker.password"),
        },
    )


def gateway_program(demo: Demo, kept: Kept) -> Program:
    """The site's gateway."""
    return python(
        "gateway",
        *("gateway", "--site", str(demo.site_file), "--wires", str(demo.wires), "--data", str(demo.gateway_data)),
        *("--port", str(kept.ports["gateway"])),
    )


def answers(url: str) -> Probe:
    """Whether a server says that it is ready."""

    async def ask() -> bool:
        async with httpx.AsyncClient(timeout=2) as client:
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
    kept = Kept.load(demo.folder / "kept.json")
    if listening(demo.hub_port):
        raise DemoError(
            f"端口 {demo.hub_port} 已被占用，请换一个 / port {demo.hub_port} is taken; choose another: "
            f"make run PORT={demo.hub_port + 1}"
        )
    write_secrets(demo, kept)
    announcement = Announcement(demo, kept)
    # One that was killed could not take its own away.
    announcement.withdraw()
    supervisor = Supervisor(demo.folder / "log", announcement.changed)
    announcement.pids = supervisor.pids
    try:
        starting = asyncio.create_task(start(demo, kept, supervisor, announcement))
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


async def start(demo: Demo, kept: Kept, supervisor: Supervisor, announcement: Announcement) -> None:
    """Engines first, then what stands on them; whatever does not depend on each other starts together."""
    postgres = await asyncio.to_thread(prepare_postgres, demo.folder / "postgres")
    announcement.database_url = postgres.url
    broker, site_broker = prepare_brokers(demo, kept)
    known = write_known_wires(demo, kept)
    demo.wires.parent.mkdir(parents=True, exist_ok=True)
    sim_url, gateway_url = demo.url(kept.ports["simulators"]), demo.url(kept.ports["gateway"])
    async with asyncio.TaskGroup() as together:
        together.create_task(start_hub(demo, kept, supervisor, postgres, broker))
        await supervisor.start(site_broker.program, site_broker.ready)
        await supervisor.start(simulators_program(demo, kept, known), answers(f"{sim_url}/sim/devices"))
        await supervisor.start(gateway_program(demo, kept), answers(f"{gateway_url}/readyz"))


async def start_hub(demo: Demo, kept: Kept, supervisor: Supervisor, postgres: Postgres, broker: Broker) -> None:
    """The database and the broker, the hub's tables and the demo's people, the hub."""
    env = hub_environment(demo, kept, postgres.url)
    async with asyncio.TaskGroup() as together:
        together.create_task(supervisor.start(broker.program, broker.ready))
        await supervisor.start(postgres.program, postgres.ready)
    people = ROOT / "config" / "examples" / f"{demo.site.site}-people.yaml"
    seed = ["hub", "seed", "--site-file", str(demo.site_file), "--accounts", str(demo.folder / "accounts.json")]
    seed += ["--people", str(people)] if people.exists() else []
    await run_once(python("hub-migrate", "hub", "migrate", env=env), supervisor.log_of("hub"))
    await run_once(python("hub-seed", *seed, env=env), supervisor.log_of("hub"))
    await supervisor.start(python("hub", "hub", "serve", env=env), answers(f"{demo.url(demo.hub_port)}/readyz"))


async def run_once(program: Program, output: Path) -> None:
    """Runs a program that ends by itself; StartFailed if it fails."""
    with output.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *program.argv, cwd=program.folder, env={**os.environ, **program.env}, stdout=log, stderr=log
        )
        if await process.wait() != 0:
            raise StartFailed(f"{' '.join(program.argv[2:4])} failed; its last words are in {output}")


class Announcement:
    """`var/demo.json`: written whole when all is ready, again when a process was restarted, removed at stop."""

    def __init__(self, demo: Demo, kept: Kept) -> None:
        self._demo = demo
        self._kept = kept
        self._ready = False
        self.database_url = ""
        self.pids: Callable[[], dict[str, int | None]] = dict

    def content(self) -> dict[str, object]:
        """What tests and tools need to reach the demo."""
        demo, ports = self._demo, self._kept.ports
        return {
            "site": demo.site.site,
            "gateway": demo.site.gateway,
            "hub_url": demo.url(demo.hub_port),
            "gateway_url": demo.url(ports["gateway"]),
            "sim_url": demo.url(ports["simulators"]),
            "broker": f"mqtt://127.0.0.1:{ports['broker']}",
            "site_broker": f"mqtt://127.0.0.1:{ports['site_broker']}",
            "database_url": self.database_url,
            "journal": str(demo.gateway_data / "journal.sqlite"),
            "accounts": {role: {"username": role, "password": self._kept.passwords[role]} for role in ROLES},
            "pids": self.pids(),
        }

    def publish(self) -> None:
        """All is ready."""
        self._ready = True
        self.changed()

    def changed(self) -> None:
        """A process began or ended."""
        if self._ready:
            write_private(self._demo.announce, json.dumps(self.content(), indent=2, ensure_ascii=False))

    def withdraw(self) -> None:
        """The demo ends."""
        self._ready = False
        self._demo.announce.unlink(missing_ok=True)

    def words(self) -> str:
        """What a person reads when all is ready."""
        demo, ports, passwords = self._demo, self._kept.ports, self._kept.passwords
        accounts = "\n".join(f"    {role:<12} {passwords[role]}" for role in ROLES)
        return f"""
Gatehouse 已就绪 / is ready      站点 site: {demo.site.name.zh} {demo.site.name.en}

  控制台 console            {demo.url(demo.hub_port)}
  网关控制台 at the gateway  {demo.url(ports["gateway"])}
  模拟器 simulators         {demo.url(ports["simulators"])}/docs

  账号 account / 密码 password
{accounts}

  按 Ctrl-C 结束；再次启动时数据仍在。 Ctrl-C ends it; the next start goes on with the same data.
"""


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

Data = Annotated[Path, typer.Option(help="Where the demo keeps its data.")]


@app.callback(invoke_without_command=True)
def demo(
    context: typer.Context,
    site: Annotated[Path, typer.Option(help="The site file.")] = Path("config/sites/demo.yaml"),
    port: Annotated[int, typer.Option(help="Port of the hub's console.")] = 8080,
    rhythm: Annotated[str, typer.Option(help="1: people and cars come and go by themselves; 0: not.")] = "1",
    data: Data = Path("var/demo"),
) -> None:
    """Runs everything until Ctrl-C."""
    if context.invoked_subcommand is not None:
        return
    from config import SiteErrors, load_site  # noqa: PLC0415

    try:
        loaded = load_site(site)
        with alone(data.resolve()):
            asyncio.run(
                run(Demo(data.resolve(), site.resolve(), loaded.site, port, rhythm not in {"0", "false", "no"}))
            )
    except* (SiteErrors, DemoError, EngineError, StartFailed) as group:
        failures = [str(error) for error in _leaves(group)]
    else:
        return
    raise _failed("\n".join(failures))


def _leaves(group: BaseExceptionGroup[Exception]) -> Iterator[Exception]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def _failed(words: str) -> typer.Exit:
    typer.echo(words, err=True)
    return typer.Exit(1)


@app.command()
def stop(name: str, data: Data = Path("var/demo")) -> None:
    """Ends one process and holds it down: hub, gateway, broker, site_broker, postgres, simulators."""
    _ask("stop", name, data)


@app.command("start")
def let_up(name: str, data: Data = Path("var/demo")) -> None:
    """Lets a process up again that was held down."""
    _ask("start", name, data)


def _ask(do: str, name: str, data: Path) -> None:
    try:
        asyncio.run(ask_control(data.resolve() / "control", do, name))
    except ValueError as error:
        raise _failed(str(error)) from error
