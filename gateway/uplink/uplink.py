"""The uplink: a connection to the hub's broker, made again whenever it breaks. It never ends the gateway.

MQTT 3.1.1, QoS 1, clean sessions: the broker is not trusted to keep anything, the stream rule is what loses nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiomqtt
import structlog

from config.site import Uplink as Line
from contract import ACCEPTED_VERSIONS, topics, wire
from contract.acks import Ack
from contract.commands import Command
from contract.desired import Desired
from contract.errors import ContractError, UnknownVersion
from contract.presence import Versions
from contract.topics import DownKind, UpKind
from drivers.secrecy import credentials_of
from gateway.clock import Clock
from gateway.journal import Journal
from gateway.pictures import PictureStore
from gateway.readings import ReadingsStore
from gateway.uplink.pace import STEADY_S, pause_s
from gateway.uplink.refusals import OnRefused, Refusals
from gateway.uplink.sending import Contact, Sending, Speaker

log = structlog.get_logger(__name__)

KEEPALIVE_S = 20
CONNECT_S = 10
PUBLISH_S = 30
DOWN: tuple[DownKind, ...] = ("ack", "desired", "command")
MOST_INCOMING = 2_000
MOST_STEPS = 200
"""Steps of the desired state that wait to be put in force; the hub sends a few parts and goes on as they are taken."""

UNREAD_S = 60.0
"""After a word that could not be read the hub counts as unreadable for so long: one alarm, not one for each word."""

MOST_COMMANDS = 100
"""Commands under way at once; others wait their turn, as the hub sends none a second time over one connection."""

MOST_WAITING = MOST_INCOMING
"""Commands that are under way or wait: four answers to a flood of alarms. The hub sends others at the next birth."""

HUB_TIME_S = 2.0
"""How long the first command may wait for the hub's time; then it is judged by this gateway's own."""

OnCommand = Callable[[Command], Awaitable[None]]
OnDesired = Callable[[Desired], Awaitable[None]]
OnContact = Callable[[Contact], None]


class Uplink:
    """One gateway's line. `run` it as a task; `leave` says goodbye.

    `on_command` and `on_desired` are called as they come, commands side by side, steps of the desired state one after
    the other; `versions` is asked for every sign of life, `on_contact` hears when both sides may differ. `folder`:
    where a relative `password_file` is.
    """

    def __init__(
        self,
        line: Line,
        names: Speaker,
        *,
        folder: Path,
        journal: Journal,
        readings: ReadingsStore,
        pictures: PictureStore,
        clock: Clock,
        versions: Callable[[], Versions],
        on_command: OnCommand,
        on_desired: OnDesired,
        on_refused: OnRefused | None = None,
        on_contact: OnContact = lambda contact: None,
    ) -> None:
        self._line = line
        self._names = names
        self._folder = folder
        self._clock = clock
        self._journal = journal
        self._readings = readings
        self._on_command = on_command
        self._on_desired = on_desired
        self._sending = Sending(
            names,
            journal=journal,
            readings=readings,
            pictures=pictures,
            clock=clock,
            versions=versions,
            on_contact=on_contact,
        )
        self._refusals = Refusals(on_refused)
        self._steps: asyncio.Queue[Desired] = asyncio.Queue(MOST_STEPS)
        self._commands: set[asyncio.Task[None]] = set()
        self._turns = asyncio.Semaphore(MOST_COMMANDS)
        self._watchers: list[Callable[[], None]] = []
        self._lost_at: float | None = time.monotonic()
        """Since when the hub is away; None once it has answered over the connection that stands."""
        self._left = asyncio.Event()
        self._hub_speaks: int | None = None
        self._unread_at = -UNREAD_S
        self.broker_connected = False
        self.crashed = 0

    # --- How it stands

    @property
    def connected(self) -> bool:
        """Whether the hub has answered over the connection that stands, and does not owe an answer for too long."""
        return self._lost_at is None and self._sending.silent_since is None

    @property
    def alone_since_ms(self) -> int | None:
        """Since when (Unix ms) the site works without its hub; None while it does not. A broker alone is no hub."""
        since = self._sending.silent_since if self._lost_at is None else self._lost_at
        return None if since is None else self._clock.wall_ms() - round((time.monotonic() - since) * 1000)

    @property
    def backlog(self) -> int:
        """Events that the hub has not acknowledged."""
        return self._journal.last - self._journal.acked

    @property
    def readings_backlog(self) -> int:
        """Blobs of readings that the hub has not acknowledged."""
        return self._readings.backlog

    @property
    def clock_error_ms(self) -> int | None:
        """How far this machine's clock is ahead of the hub's; None before the hub's first answer."""
        return self._clock.error_ms()

    @property
    def refused(self) -> str | None:
        """Why the hub refuses this gateway's events; None when it does not."""
        return self._sending.refused

    @property
    def refusals(self) -> dict[str, int]:
        """Messages from the hub that could not be understood or taken, by kind."""
        return self._refusals.counts

    @property
    def hub_speaks(self) -> int | None:
        """The version in which the hub speaks, read here or not; None before its first word to this process."""
        return self._hub_speaks

    def watch(self, watcher: Callable[[], None]) -> None:
        """`watcher` is called when the line stands or is cut, when the hub answers over it, falls silent or answers
        again, when it refuses what it gets, and when it speaks another version than before."""
        self._watchers.append(watcher)
        self._sending.watch_silence(watcher)

    def announce(self) -> None:
        """A sign of life at once, because something that it tells has changed (a revision, the clock)."""
        self._sending.announce()

    # --- Life

    async def run(self) -> None:
        """Keeps the line until `leave` or cancelled."""
        applying = asyncio.create_task(self._apply_steps(), name="uplink-desired")
        failures = 0
        try:
            while not self._sending.leaving:
                began = time.monotonic()
                try:
                    await self._live()
                except (aiomqtt.MqttError, OSError) as error:
                    log.warning("uplink.lost", why=str(error) or type(error).__name__, failures=failures)
                except Exception:  # a fault of ours costs this connection, and is counted; the next one is made
                    self.crashed += 1
                    log.exception("uplink.crashed")
                failures = 0 if time.monotonic() - began >= STEADY_S else failures + 1
                if not self._sending.leaving:
                    await self._pause(pause_s(failures - 1 if failures else 0, random.random()))
        finally:
            self._left.set()
            applying.cancel()
            await asyncio.gather(applying, return_exceptions=True)

    async def leave(self, within_s: float = 2.0) -> None:
        """Gives the last events and commands a moment, says goodbye and lets `run` end."""
        try:
            async with asyncio.timeout(within_s):
                if self._commands:
                    await asyncio.wait(self._commands)
                if self.connected:
                    await self._sending.until_caught_up()
        except TimeoutError:
            log.info("uplink.leaves_with_a_backlog", backlog=self.backlog)
        self._sending.leave()
        self._left.set()
        for task in list(self._commands):
            task.cancel()

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._left.wait()
        except TimeoutError:
            return

    async def _live(self) -> None:
        """One connection, from its first to its last moment."""
        async with await self._client() as client:
            await self._subscribe(client)
            self._sending.connected()
            self._turn(connected=True)
            try:
                await self._serve(client)
            finally:
                if self._lost_at is None:
                    silent = self._sending.silent_since
                    self._lost_at = time.monotonic() if silent is None else silent
                self._sending.disconnected()
                self._turn(connected=False)

    async def _serve(self, client: aiomqtt.Client) -> None:
        async def publish(kind: UpKind, payload: bytes) -> None:
            topic = topics.up(self._line.shard, self._names.gateway, kind)
            await client.publish(topic, payload, qos=1, timeout=PUBLISH_S)

        tasks = {
            asyncio.create_task(self._receive(client), name="uplink-receive"),
            asyncio.create_task(self._sending.run(publish), name="uplink-send"),
        }
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _turn(self, *, connected: bool) -> None:
        self.broker_connected = connected
        log.info("uplink.connected" if connected else "uplink.disconnected", backlog=self.backlog)
        self._tell()

    def _answered(self) -> None:
        """The hub itself is there."""
        if self._lost_at is not None:
            self._lost_at = None
            log.info("uplink.answered", backlog=self.backlog)
            self._tell()

    def _tell(self) -> None:
        for watcher in self._watchers:
            watcher()

    async def _client(self) -> aiomqtt.Client:
        line = self._line
        known = await credentials_of(line, self._folder)
        return aiomqtt.Client(
            line.host,
            line.port,
            username=known.username,
            password=known.password,
            # Two clients of one name throw each other out, so nobody may guess it.
            identifier=f"gw-{secrets.token_hex(8)}",
            clean_session=True,
            keepalive=KEEPALIVE_S,
            timeout=CONNECT_S,
            tls_context=known.tls,
            max_queued_incoming_messages=MOST_INCOMING,
            will=aiomqtt.Will(
                topics.up(line.shard, self._names.gateway, "presence"),
                wire.encode(self._sending.presence("gone")),
                qos=1,
            ),
        )

    async def _subscribe(self, client: aiomqtt.Client) -> None:
        for kind in DOWN:
            topic = topics.down(self._names.gateway, kind)
            granted = await client.subscribe(topic, qos=1)
            # 0x80 or above: this client may not read there (MQTT 3.1.1, section 3.9.3).
            if any((code if isinstance(code, int) else code.value) >= 0x80 for code in granted):
                raise aiomqtt.MqttError(f"the broker does not let {self._line.username} read {topic}")

    # --- From the hub

    async def _receive(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            parsed = topics.parse_down(message.topic.value)
            if parsed is None or not isinstance(message.payload, bytes):
                self._refusals.refuse("topic", f"nothing is expected on {message.topic.value}")
                continue
            try:
                await self._take(parsed[1], message.payload)
            except UnknownVersion as error:
                self._refusals.refuse(parsed[1], error)
                self._spoken(error.version)
            except ContractError as error:
                self._refusals.refuse(parsed[1], error)

    async def _take(self, kind: str, payload: bytes) -> None:
        self._sending.spoken()
        match kind:
            case "ack":
                ack = wire.decode(Ack, payload)
                self._spoken(ack.v)
                self._sending.heard(ack)
                self._answered()
            case "command":
                command = wire.decode(Command, payload)
                self._spoken(command.v)
                self._start(command)
            case "desired":
                step = await asyncio.to_thread(wire.decode, Desired, payload)
                self._spoken(step.v)
                try:
                    self._steps.put_nowait(step)
                except asyncio.QueueFull:
                    self._refusals.refuse(kind, "too many steps wait to be applied")

    def _spoken(self, version: int) -> None:
        now = time.monotonic()
        read = version in ACCEPTED_VERSIONS
        if not read:
            self._unread_at = now
        if version != self._hub_speaks and (not read or now - self._unread_at >= UNREAD_S):
            self._hub_speaks = version
            self._tell()

    def _start(self, command: Command) -> None:
        if len(self._commands) >= MOST_WAITING:
            self._refusals.refuse("command", "too many commands wait to be carried out")
            return
        task = asyncio.create_task(self._carry_out(command), name=f"command-{command.id}")
        self._commands.add(task)
        task.add_done_callback(self._commands.discard)

    async def _carry_out(self, command: Command) -> None:
        try:
            # Its expiry is a moment of the hub's time, which the next answer tells.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(HUB_TIME_S):
                    await self._sending.until_hub_told_time()
            # Whether it is still worth carrying out is judged when its turn comes.
            async with self._turns:
                await self._on_command(command)
        except Exception:  # one command must not end the task that takes the others
            self.crashed += 1
            log.exception("uplink.command_failed", command=command.id, kind=command.kind)

    async def _apply_steps(self) -> None:
        while True:
            step = await self._steps.get()
            try:
                await self._on_desired(step)
            except Exception:  # one step must not keep out those that follow; the hub sees what is in force
                self.crashed += 1
                log.exception("uplink.desired_failed", revision=step.revision)
