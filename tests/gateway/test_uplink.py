"""The uplink through a real broker: what goes up, what comes down, and everything that may break in between."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest

from config.site import Uplink as Line
from contract.acks import Ack
from contract.commands import Command, Person
from contract.desired import Desired, Holder, Item
from contract.facts.entry import DoorMoved
from contract.instants import instant
from contract.presence import Versions
from contract.readings import Reading
from gateway.clock import Clock
from gateway.desired.applying import Desire
from gateway.desired.held import Held
from gateway.engine.desk.timers import LoopTimers
from gateway.journal import Draft, Journal
from gateway.journal import Keep as KeepEvents
from gateway.pictures import PictureStore
from gateway.readings import Keep, ReadingsStore
from gateway.uplink import Speaker, Uplink
from gateway.web.served import People
from tests.gateway.deciding import Decisions
from tests.gateway.disks import NOW_MS, FaultyDisk, until
from tests.gateway.line import GATEWAY, NAME, HubEnd, RunningBroker, Wire, hub_end
from tests.tools import tool

PATIENT = KeepEvents(act_waits_s=30)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.uplink.uplink.pause_s", lambda failures, jitter: 0.05)


@dataclass
class Site:
    """A gateway's stores and its uplink, without an engine."""

    journal: Journal
    readings: ReadingsStore
    pictures: PictureStore
    desire: Desire
    uplink: Uplink
    running: asyncio.Task[None]
    commands: list[Command] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    async def record(self, *sources: str) -> None:
        """Records one event for each source."""
        for source in sources:
            await self.journal.put([Draft(kind="door.opened", source=source, data=DoorMoved(by="exit"))])


@contextlib.asynccontextmanager
async def site(
    folder: Path,
    port: int,
    *,
    password: str = GATEWAY.password,
    disk: FaultyDisk | None = None,
    ca_file: str | None = None,
) -> AsyncIterator[Site]:
    """A gateway's stores and its uplink, running."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "uplink.password").write_text(password + "\n")
    clock = Clock()
    journal = Journal.open(folder / "journal.sqlite", clock=clock, disk=disk, keep=PATIENT, source=NAME)
    readings = ReadingsStore.open(folder / "readings.sqlite", clock=clock, keep=Keep(every_s=0.02))
    pictures = PictureStore.open(folder / "pictures", clock=clock)
    held = Held.open(folder / "held.sqlite", clock=clock)
    commands: list[Command] = []
    refused: list[str] = []

    async def on_command(command: Command) -> None:
        if command.reason == "slow":
            await asyncio.sleep(0.05)
        commands.append(command)
        if command.reason == "crash":
            raise RuntimeError("a command that breaks")

    desire = Desire(held, Decisions(), People({}, {}), LoopTimers())

    async def on_desired(step: Desired) -> None:
        if await desire.take(step):
            uplink.announce()

    uplink = Uplink(
        Line(host="127.0.0.1", port=port, username=NAME, password_file="uplink.password", ca_file=ca_file),
        Speaker(gateway=NAME, site="demo"),
        folder=folder,
        journal=journal,
        readings=readings,
        pictures=pictures,
        clock=clock,
        versions=lambda: Versions(software="1", desired=desire.announced, site_file="abc"),
        on_command=on_command,
        on_desired=on_desired,
        on_refused=lambda why, raw: refused.append(why),
    )
    running = asyncio.create_task(uplink.run())
    try:
        yield Site(journal, readings, pictures, desire, uplink, running, commands, refused)
    finally:
        # A cancel that meets the end of a `wait_for` may be lost (CPython 3.11): it is said until it is heard.
        while not running.done():
            running.cancel()
            await asyncio.wait({running}, timeout=1)
        await held.close()
        await readings.close()
        await journal.close()


async def all_there(gateway: Site, hub: HubEnd) -> None:
    """Everything recorded is at the hub, once, in order, and the gateway knows it."""
    await until(lambda: gateway.journal.acked == gateway.journal.last)
    recorded = [event.source for event in await gateway.journal.events(after=0, limit=1000, kind="door.opened")]
    assert hub.model.sources("door.opened") == recorded


def command(name: str = "a", reason: str = "a guest") -> Command:
    return Command(
        id=f"{name * 8}-0000-0000-0000-000000000000",
        kind="door.unlock",
        target="lobby-a",
        by=Person(id="u1", name="Zhao", role="guard"),
        reason=reason,
        issued_at="2026-09-21T14:13:20.000Z",
        expires_at="2026-09-21T14:13:30.000Z",
    )


# --- Up


async def test_a_birth_comes_first_and_then_every_event_once(broker: RunningBroker, tmp_path: Path) -> None:
    async with hub_end(broker) as hub, site(tmp_path / "gw", broker.port) as gateway:
        await gateway.record("before-1", "before-2")
        await hub.until(lambda: bool(hub.births))
        await gateway.record(*(f"door-{n}" for n in range(30)))
        await all_there(gateway, hub)
        assert hub.order[0] == "presence"
        birth = hub.births[0]
        assert (birth.gateway, birth.site, birth.stream) == (NAME, "demo", gateway.journal.stream)
        assert birth.versions == Versions(software="1", desired=0, site_file="abc")
        assert gateway.uplink.connected
        assert gateway.uplink.alone_since_ms is None
        assert gateway.uplink.backlog == 0
        assert gateway.uplink.clock_error_ms is not None
        assert abs(gateway.uplink.clock_error_ms) < 60_000


async def test_a_hub_that_comes_after_the_birth_gets_a_sign_of_life_with_its_first_word(
    broker: RunningBroker, tmp_path: Path
) -> None:
    async with site(tmp_path / "gw", broker.port) as gateway:
        await until(lambda: gateway.uplink.broker_connected)
        # Nothing is owed and nothing is to be sent: only the hub's own word can be the cause.
        async with hub_end(broker) as hub:
            await hub.send("ack", Ack(stream="f" * 32, state="committed", seq=0, at=instant(0)))
            await hub.until(lambda: bool(hub.presences))
            assert hub.presences[0].gateway == NAME
            await hub.send("ack", Ack(stream="f" * 32, state="committed", seq=0, at=instant(0)))
            await gateway.record("after")
            await all_there(gateway, hub)
            assert len(hub.presences) == 1


async def test_a_gateway_that_was_behind_says_at_once_that_it_has_caught_up(
    broker: RunningBroker, tmp_path: Path
) -> None:
    async with site(tmp_path / "gw", broker.port) as gateway:
        await gateway.record(*(f"door-{n}" for n in range(30)))
        async with hub_end(broker) as hub:
            await hub.send("ack", Ack(stream="f" * 32, state="committed", seq=0, at=instant(0)))
            # The birth and the hub's first word may both come before it is done; the next heartbeat is far away.
            await hub.until(lambda: bool(hub.presences) and hub.presences[-1].backlog == 0)
            assert hub.presences[0].backlog == 30
            assert len(hub.presences) <= 3


async def test_a_long_backlog_travels_in_large_batches(broker: RunningBroker, tmp_path: Path) -> None:
    async with site(tmp_path / "gw", broker.port) as gateway:
        for start in range(0, 900, 300):
            drafts = [
                Draft(kind="door.opened", source=f"door-{n}", data=DoorMoved(by="exit"))
                for n in range(start, start + 300)
            ]
            await gateway.journal.put(drafts)
        await gateway.journal.on_disk(within_s=20)
        gateway.uplink.announce()
        async with hub_end(broker) as hub:
            await all_there(gateway, hub)
            assert max(len(batch.events) for batch in hub.batches) == 200


async def test_only_what_is_on_the_disk_is_sent(broker: RunningBroker, tmp_path: Path) -> None:
    disk = FaultyDisk()
    async with hub_end(broker) as hub, site(tmp_path / "gw", broker.port, disk=disk) as gateway:
        await gateway.record("first")
        await all_there(gateway, hub)
        disk.hang_syncs()
        await gateway.record("second")
        gateway.uplink.announce()
        await hub.until(lambda: hub.presences[-1].state == "alive")
        assert hub.model.sources("door.opened") == ["first"]
        assert hub.presences[-1].head_seq == 1
        disk.heal()
        await all_there(gateway, hub)


async def test_readings_follow_with_their_own_sequence(broker: RunningBroker, tmp_path: Path) -> None:
    async with hub_end(broker) as hub, site(tmp_path / "gw", broker.port) as gateway:
        for n in range(5):
            gateway.readings.add([Reading(point="pump-1.flow", value=n + 0.5, quality="good", at=NOW_MS + n)])
            last = gateway.readings.last
            await until(lambda last=last: gateway.readings.last > last)  # type: ignore[misc]
        await until(lambda: gateway.readings.acked == 5)
        assert [blob.seq for blob in hub.readings] == [1, 2, 3, 4, 5]
        assert [value for blob in hub.readings for column in blob.columns for value in column.values] == [
            0.5, 1.5, 2.5, 3.5, 4.5,
        ]  # fmt: skip
        assert gateway.uplink.readings_backlog == 0


async def test_pictures_go_after_the_events_one_at_a_time(broker: RunningBroker, tmp_path: Path) -> None:
    async with site(tmp_path / "gw", broker.port) as gateway:
        names = [await gateway.pictures.save(b"\xff\xd8\xff" + bytes([n]) * 50_000) for n in range(3)]
        await gateway.record(*(f"door-{n}" for n in range(10)))
        async with hub_end(broker) as hub:
            await until(lambda: gateway.pictures.backlog == 0)
            assert [picture.id for picture in hub.pictures] == names
            first = hub.order.index("pictures")
            assert "events" not in hub.order[first:]
            await all_there(gateway, hub)


async def test_a_command_waits_for_the_hubs_time_but_not_for_ever(
    broker: RunningBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hub_end(broker) as hub, site(tmp_path / "gw", broker.port) as gateway:
        hub.answering = False
        await gateway.record("first")
        await hub.until(lambda: bool(hub.batches))
        monkeypatch.setattr("gateway.uplink.uplink.HUB_TIME_S", 0.01)
        await hub.send("command", command("a", "nobody tells the time"))
        await until(lambda: len(gateway.commands) == 1)
        assert gateway.uplink.clock_error_ms is None
        monkeypatch.setattr("gateway.uplink.uplink.HUB_TIME_S", 20)
        await hub.send("command", command("b", "the hub is about to tell it"))
        hub.answering = True
        await until(lambda: len(gateway.commands) == 2)
        assert gateway.uplink.clock_error_ms is not None


# --- Breaking


async def test_a_cut_line_costs_nothing(broker: RunningBroker, wire: Wire, tmp_path: Path) -> None:
    async with hub_end(broker) as hub, site(tmp_path / "gw", wire.port) as gateway:
        await until(lambda: gateway.uplink.connected)
        changes: list[bool] = []
        gateway.uplink.watch(lambda: changes.append(gateway.uplink.connected))
        for cut in range(3):
            await gateway.record(*(f"door-{cut}-{n}" for n in range(20)))
            wire.cut()
            await until(lambda: not gateway.uplink.broker_connected)
            assert gateway.uplink.alone_since_ms is not None
            await gateway.record(*(f"cut-{cut}-{n}" for n in range(20)))
            wire.mend()
            await until(lambda: gateway.uplink.connected)
        await all_there(gateway, hub)
        assert {presence.state for presence in hub.presences} >= {"birth", "gone"}
        assert False in changes
        assert True in changes


async def test_a_broker_killed_and_wiped_costs_nothing(broker: RunningBroker, tmp_path: Path) -> None:
    async with site(tmp_path / "gw", broker.port) as gateway:
        async with hub_end(broker) as hub:
            await gateway.record("a", "b")
            await all_there(gateway, hub)
            model = hub.model
            broker.kill()
        await gateway.record("c", "d")
        broker.forget()
        await broker.start()
        async with hub_end(broker, model) as hub:
            await gateway.record("e")
            await all_there(gateway, hub)


async def test_a_hub_that_is_away_gets_everything_when_it_is_back(
    broker: RunningBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.uplink.sending.SILENT_S", 0.5)
    async with site(tmp_path / "gw", broker.port) as gateway:
        await until(lambda: gateway.uplink.broker_connected)
        changes: list[bool] = []
        gateway.uplink.watch(lambda: changes.append(gateway.uplink.connected))
        await gateway.record("a", "b")
        await until(lambda: False in changes)
        assert not gateway.uplink.connected
        assert gateway.uplink.broker_connected
        assert gateway.uplink.alone_since_ms is not None
        async with hub_end(broker) as hub:
            await all_there(gateway, hub)
            await until(lambda: gateway.uplink.connected)


async def test_a_broker_without_its_hub_is_no_hub(broker: RunningBroker, wire: Wire, tmp_path: Path) -> None:
    async with site(tmp_path / "gw", wire.port) as gateway:
        began = gateway.uplink.alone_since_ms
        assert began is not None
        for _ in range(2):
            await until(lambda: gateway.uplink.broker_connected)
            # Nothing is owed, and still nobody has answered.
            assert not gateway.uplink.connected
            assert gateway.uplink.alone_since_ms == pytest.approx(began, abs=50)
            wire.cut()
            await until(lambda: not gateway.uplink.broker_connected)
            wire.mend()
        turns: list[int | None] = []
        gateway.uplink.watch(lambda: turns.append(gateway.uplink.alone_since_ms))
        async with hub_end(broker):
            await gateway.record("a")
            await until(lambda: gateway.uplink.connected)
        assert None in turns


async def test_lost_answers_make_no_doubles(broker: RunningBroker, tmp_path: Path) -> None:
    async with hub_end(broker) as hub, site(tmp_path / "gw", broker.port) as gateway:
        hub.answering = False
        await gateway.record("a", "b", "c")
        await hub.until(lambda: len(hub.batches) >= 2)
        hub.answering = True
        await all_there(gateway, hub)


async def test_an_older_journal_copied_back_loses_nothing(broker: RunningBroker, tmp_path: Path) -> None:
    async with hub_end(broker) as hub:
        async with site(tmp_path / "gw", broker.port) as gateway:
            await gateway.record("shared-1", "shared-2")
            await all_there(gateway, hub)
        shutil.copytree(tmp_path / "gw", tmp_path / "older")
        async with site(tmp_path / "gw", broker.port) as gateway:
            await gateway.record("lost-1", "lost-2", "lost-3")
            await all_there(gateway, hub)
        async with site(tmp_path / "older", broker.port) as gateway:
            old = gateway.journal.stream
            await gateway.record("after-1", "after-2")
            await until(lambda: gateway.journal.stream != old)
            await gateway.record("after-3")
            await until(lambda: gateway.journal.acked == gateway.journal.last)
        assert hub.model.sources("door.opened") == [
            "shared-1", "shared-2", "lost-1", "lost-2", "lost-3", "after-1", "after-2", "after-3",
        ]  # fmt: skip
        assert hub.model.sources("stream.forked") == [NAME]


async def test_a_wrong_password_is_tried_again_for_ever(broker: RunningBroker, tmp_path: Path) -> None:
    async with site(tmp_path / "gw", broker.port, password="wrong") as gateway:
        await gateway.record("a")
        await asyncio.sleep(0.3)
        assert not gateway.uplink.connected
        assert not gateway.running.done()
        (tmp_path / "gw" / "uplink.password").write_text(GATEWAY.password)
        async with hub_end(broker) as hub:
            await all_there(gateway, hub)


@pytest.mark.parametrize("trouble", ["nobody listens", "no password file"])
async def test_what_is_missing_never_ends_the_uplink(broker: RunningBroker, tmp_path: Path, trouble: str) -> None:
    port = 1 if trouble == "nobody listens" else broker.port
    async with site(tmp_path / "gw", port) as gateway:
        if trouble == "no password file":
            (tmp_path / "gw" / "uplink.password").unlink()
        await asyncio.sleep(0.3)
        assert not gateway.uplink.connected
        assert not gateway.running.done()
        assert gateway.uplink.crashed == 0


def certificate(folder: Path, name: str) -> Path:
    """A certificate of its own for 127.0.0.1, with its key beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / f"{name}.crt"
    subprocess.run(
        [
            tool("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
            "-keyout", str(made.with_suffix(".key")), "-out", str(made),
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    return made


async def test_tls_trusts_the_given_authority_and_no_other(broker: RunningBroker, tmp_path: Path) -> None:
    mine = certificate(tmp_path / "gw", "hub")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(mine, mine.with_suffix(".key"))
    wire = Wire(broker.port, context)
    await wire.open()
    try:
        async with hub_end(broker) as hub, site(tmp_path / "gw", wire.port, ca_file="hub.crt") as gateway:
            await gateway.record("a")
            await all_there(gateway, hub)
        certificate(tmp_path / "other", "hub")
        async with site(tmp_path / "other", wire.port, ca_file="hub.crt") as gateway:
            await asyncio.sleep(0.3)
            assert not gateway.uplink.broker_connected
            assert not gateway.running.done()
    finally:
        await wire.close()


async def test_leaving_gives_the_last_events_a_moment_and_says_goodbye(broker: RunningBroker, tmp_path: Path) -> None:
    async with hub_end(broker) as hub, site(tmp_path / "gw", broker.port) as gateway:
        await until(lambda: gateway.uplink.connected)
        await gateway.record("last")
        await gateway.uplink.leave(within_s=20)
        await asyncio.wait_for(gateway.running, 20)
        assert gateway.journal.acked == gateway.journal.last
        await hub.until(lambda: hub.presences[-1].state == "gone")
        assert hub.model.sources("door.opened") == ["last"]


# --- Down


async def test_commands_are_handed_on_at_once_and_one_that_breaks_ends_nothing(
    broker: RunningBroker, tmp_path: Path
) -> None:
    async with hub_end(broker) as hub, site(tmp_path / "gw", broker.port) as gateway:
        await until(lambda: gateway.uplink.connected)
        await hub.send("command", command("a", reason="crash"))
        await hub.send("command", command("b"))
        await until(lambda: len(gateway.commands) == 2)
        assert gateway.commands == [command("a", reason="crash"), command("b")]
        assert gateway.uplink.connected
        assert gateway.uplink.crashed == 1


async def test_all_commands_of_a_flood_are_carried_out(broker: RunningBroker, tmp_path: Path) -> None:
    """As many as one request about alarms may name: the hub sends none of them again over a line that stands."""
    async with hub_end(broker) as hub, site(tmp_path / "gw", broker.port) as gateway:
        await until(lambda: gateway.uplink.connected)
        ids = [f"{number:08}-0000-0000-0000-000000000000" for number in range(500)]
        for id in ids:
            await hub.send("command", msgspec.structs.replace(command(reason="slow"), id=id))
        await until(lambda: len(gateway.commands) == 500)
        assert sorted(done.id for done in gateway.commands) == ids
        assert (gateway.uplink.refusals, gateway.refused) == ({}, [])


def item_of(name: str) -> Item:
    return Item(kind="holder", id=name, value=msgspec.Raw(msgspec.json.encode(Holder(id=name, name="x"))))


async def test_desired_state_is_applied_and_answered_with_the_revision(broker: RunningBroker, tmp_path: Path) -> None:
    async with hub_end(broker) as hub, site(tmp_path / "gw", broker.port) as gateway:
        await until(lambda: gateway.uplink.connected)
        for part in (1, 2):
            items = [item_of(f"h{part}")]
            await hub.send("desired", Desired(form="snapshot", revision=4, items=items, part=part, parts=2))
        await hub.until(lambda: hub.presences[-1].versions.desired == 4)
        assert set(gateway.desire.holders) == {"h1", "h2"}
        await hub.send("desired", Desired(form="delta", base=4, revision=5, items=[item_of("h3")]))
        await hub.until(lambda: hub.presences[-1].versions.desired == 5)
        await hub.send("desired", Desired(form="delta", base=7, revision=8, items=[]))
        told = len(hub.presences)
        await hub.until(lambda: len(hub.presences) > told)
        assert hub.presences[-1].versions.desired == 5
        assert set(gateway.desire.holders) == {"h1", "h2", "h3"}


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("ack", b""),
        ("ack", b"\xff\xfe not UTF-8"),
        ("ack", b"x\x9c broken compression"),
        ("ack", b'{"v":1,"stream":"short","state":"committed","seq":1,"at":"now"}'),
        ("ack", b'{"v":99,"stream":"%s","state":"committed","seq":1,"at":"2026-09-21T14:13:20.000Z"}' % (b"a" * 32)),
        ("command", b'{"v":1,"id":17}'),
        ("command", b"[" * 100_000),
        ("desired", b'{"v":1,"form":"poem","revision":1,"items":[]}'),
        ("desired", b"y" * 900_000),
    ],
)
async def test_what_is_malformed_is_counted_and_ends_nothing(
    broker: RunningBroker, tmp_path: Path, kind: str, payload: bytes
) -> None:
    async with hub_end(broker) as hub, site(tmp_path / "gw", broker.port) as gateway:
        await until(lambda: gateway.uplink.connected)
        await hub.send(kind, payload)  # type: ignore[arg-type]
        await until(lambda: gateway.uplink.refusals == {kind: 1})
        assert gateway.refused[0].startswith(f"{kind}: ")
        await hub.send("command", command())
        await until(lambda: gateway.commands == [command()])
        await gateway.record("a")
        await all_there(gateway, hub)
        assert len(hub.births) == 1
