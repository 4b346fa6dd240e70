"""The gateway's process, wired by hand: site file, clock, journal, readings, engine, wires, uplink, web server.

Nothing here needs a network to start. Stopping goes backwards: the web server first, then the wires, then the engine
records the end, then the uplink says goodbye, and the files are closed last.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import ssl
import sys
from zoneinfo import ZoneInfo

import structlog

from config import LoadedSite, SiteErrors, load_site
from contract import SOFTWARE
from contract.desired import Desired
from contract.presence import Versions
from drivers.mqtt.wires import MqttBus
from drivers.opening import open_bus
from drivers.reports import InputRefused
from gateway import logs
from gateway.break_glass.account import Sealed
from gateway.clock import Clock
from gateway.desired.applying import Desire
from gateway.desired.held import Held
from gateway.engine.desk.record import Thing
from gateway.engine.desk.timers import LoopTimers
from gateway.engine.site import SiteEngine
from gateway.homeassistant.outward import Outward
from gateway.journal import Damages, Journal, JournalInUse, JournalTooNew
from gateway.pictures import PictureStore
from gateway.readings import ReadingsStore
from gateway.settings import Settings
from gateway.uplink import Uplink
from gateway.uplink.sending import Speaker
from gateway.web.served import NoHub, People, Served
from gateway.web.serving import keep_serving, unheard, web_servers
from web.server import descriptors
from web.systemd import keep_watchdog_fed, notify

log = structlog.get_logger(__name__)

SWITCH_INTERVAL_S = 0.0005
"""How long a busy writer's thread may hold up the decision on a card (Python's own default is ten times as much)."""


def check(settings: Settings) -> int:
    """Validates the site file and everything that it names; the exit status, every mistake on stderr."""
    loaded = _load(settings)
    if loaded is None:
        return 1
    for listening in (settings.people, settings.pushes):
        if listening.certificate is None:
            continue
        try:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(listening.certificate, listening.key)
        except OSError as error:  # ssl's own errors are of this kind
            print(f"{listening.certificate}: not a certificate with its key: {error}", file=sys.stderr)  # noqa: T201
            return 1
    for remark in loaded.remarks:
        print(remark.say("zh"), remark.say("en"), sep="\n", file=sys.stderr)  # noqa: T201
    deaf = unheard(loaded.site, settings)
    if deaf is not None:
        print(deaf.zh, deaf.en, sep="\n", file=sys.stderr)  # noqa: T201
    site = loaded.site
    print(  # noqa: T201 - the answer to whoever asked
        f"{settings.site}: ok: {len(site.buses)} buses, {len(site.devices)} devices, {len(site.doors)} doors, "
        f"{len(site.lanes)} lanes, {len(loaded.rules)} rules, fingerprint {loaded.fingerprint}"
    )
    return 0


def run(settings: Settings) -> int:
    """Runs the gateway until SIGTERM or SIGINT; the exit status."""
    import uvloop  # noqa: PLC0415

    try:
        logs.set_up(settings.log_level)
    except ValueError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    loaded = _load(settings)
    if loaded is None:
        return 1
    for remark in loaded.remarks:
        log.warning("site file", look_at=remark.say("en"))
    descriptors.raise_limit()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    try:
        return uvloop.run(_serve(settings, loaded))
    except (JournalInUse, JournalTooNew) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1


def _load(settings: Settings) -> LoadedSite | None:
    try:
        return load_site(settings.site, settings.wires)
    except SiteErrors as errors:
        print(errors.say("zh"), errors.say("en"), sep="\n", file=sys.stderr)  # noqa: T201
        return None


async def _serve(settings: Settings, loaded: LoadedSite) -> int:
    site = loaded.site
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)

    clock = Clock()
    damages = Damages()
    journal = Journal.open(settings.journal, clock=clock, source=site.gateway, damages=damages)
    readings = ReadingsStore.open(settings.readings, clock=clock, damages=damages)
    pictures = PictureStore.open(settings.pictures, clock=clock)
    held = Held.open(settings.held, clock=clock, damages=damages)

    engine = SiteEngine(loaded, journal=journal, readings=readings, pictures=pictures, clock=clock, timers=LoopTimers())
    people = People({}, {})
    desire = Desire(held, engine, people, LoopTimers())
    desire.load()
    engine.start(SOFTWARE, readings.latest().values())
    desire.start()
    readings.watch_drops(engine.readings_dropped)
    readings.watch_late(engine.recall)
    damages.watch(engine.file_damaged)
    _open_wires(loaded, engine, settings)
    engine.buses.start()

    uplink = _uplink(loaded, settings, engine, desire, journal=journal, readings=readings, pictures=pictures)

    link = uplink or NoHub()
    sealed = Sealed(
        settings.data,
        clock,
        LoopTimers(),
        lambda: 0 if uplink is None else uplink.alone_since_ms,
        lambda used: engine.turn("account.break_glass", there=used),
    )
    if uplink is not None:
        uplink.watch(sealed.hub_turned)
    gateway = Served(
        engine=engine,
        journal=journal,
        readings=readings,
        pictures=pictures,
        people=people,
        link=link,
        sealed=sealed,
        clock=clock,
        software=SOFTWARE,
    )
    web = [
        asyncio.create_task(keep_serving(server), name=f"web server: {server.doorway.name}")
        for server in web_servers(gateway, settings)
    ]
    others = [asyncio.create_task(keep_watchdog_fed(), name="watchdog")]
    if uplink is not None:
        others.append(asyncio.create_task(uplink.run(), name="uplink"))
    outward = _outward(loaded, settings, engine)
    if outward is not None:
        others.append(asyncio.create_task(outward.run(), name="home assistant"))
    gc.collect()
    gc.freeze()
    notify("READY=1")
    log.info("gateway started", site=site.site, gateway=site.gateway)

    await stopping.wait()
    notify("STOPPING=1")
    log.info("gateway stops")
    for serving in web:
        await _end(serving)
    await engine.buses.stop()
    await engine.stop()
    if uplink is not None:
        await uplink.leave()
    for task in others:
        await _end(task)
    await held.close()
    await readings.close()
    await journal.close()
    return 0


def _open_wires(loaded: LoadedSite, engine: SiteEngine, settings: Settings) -> None:
    """Every wire of the site, each with its devices; none is opened before its task runs."""
    site = loaded.site
    zone = ZoneInfo(site.timezone)
    for id, bus in site.buses.items():
        devices = {name: (device, loaded.profile_of(name)) for name, device in site.devices.items() if device.bus == id}
        wire = open_bus(
            id, bus, devices, sink=engine.report, clock=engine.clock.wall_ms, folder=settings.data, zone=zone
        )
        engine.buses.add(wire)


def _outward(loaded: LoadedSite, settings: Settings, engine: SiteEngine) -> Outward | None:
    """What tells a Home Assistant of the site, if this site has one."""
    shown = loaded.site.home_assistant
    bus = None if shown is None else loaded.site.buses[shown.bus]
    if shown is None or not isinstance(bus, MqttBus):
        return None
    return Outward(shown, bus, engine, software=SOFTWARE, folder=settings.data)


def _uplink(
    loaded: LoadedSite,
    settings: Settings,
    engine: SiteEngine,
    desire: Desire,
    *,
    journal: Journal,
    readings: ReadingsStore,
    pictures: PictureStore,
) -> Uplink | None:
    """The line to the hub, if this site has one."""
    site = loaded.site
    if site.uplink is None:
        return None

    def versions() -> Versions:
        revision, parts = desire.receiving
        return Versions(
            software=SOFTWARE,
            desired=desire.announced,
            site_file=loaded.fingerprint,
            receiving=revision,
            parts=parts,
        )

    async def on_desired(step: Desired) -> None:
        if await desire.take(step):
            uplink.announce()

    def on_refused(why: str, sample: bytes) -> None:
        engine.report(InputRefused("uplink", why, sample))

    uplink = Uplink(
        site.uplink,
        Speaker(site.gateway, site.site),
        folder=settings.data,
        journal=journal,
        readings=readings,
        pictures=pictures,
        clock=engine.clock,
        versions=versions,
        on_command=engine.commands.carry_out,
        on_desired=on_desired,
        on_refused=on_refused,
        on_contact=engine.standing.wanted,
    )
    desire.watch(uplink.announce)

    def turned() -> None:
        engine.hub_turned(uplink.hub_speaks, uplink.refused)
        engine.record.tell([Thing("gateway", site.gateway)])

    uplink.watch(turned)
    return uplink


async def _end(task: asyncio.Task[None]) -> None:
    # A cancel that meets the end of a `wait_for` may be lost (CPython 3.11): it is said until it is heard.
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=1)
    if not task.cancelled():
        task.exception()  # it was logged where it happened
