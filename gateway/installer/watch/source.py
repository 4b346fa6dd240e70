"""Which wire `watch` looks at: a serial line, a Modbus TCP device through a proxy, or a running gateway's wires."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from drivers.listening import OnWire, listeners
from drivers.modbus.listen import Device, ModbusDissector, units
from drivers.profiles.profile import Profile
from drivers.wiring import SerialBus
from gateway.installer.asked import WatchAsked
from gateway.installer.scan.identifying import profiles
from gateway.installer.terminal import typed
from gateway.installer.terminal.screen import Screen
from gateway.installer.terminal.trouble import Trouble
from gateway.installer.terminal.wording import line
from gateway.installer.watch.frames import Bounds, heard, show
from gateway.installer.watch.proxy import LOOPBACK, Proxy
from gateway.installer.wire.channels import SerialChannel
from gateway.installer.wire.ports import others
from gateway.installer.wire.sites import bus_of, load, on_bus


async def start(screen: Screen, options: WatchAsked) -> int:
    """Looks at the wire that the options name; the exit status."""
    bounds = Bounds(options["seconds"], options["frames"], options["counts"], options["raw"])
    if options["gateway"] is not None:
        from gateway.installer.watch.gateway import watch as watch_gateway  # noqa: PLC0415

        return await watch_gateway(screen, options["gateway"], options["username"], bounds, options["bus"])
    if options["through"] is not None:
        return await _through(screen, options["through"], options, bounds)
    if options["port"] is None and options["site"] is None:
        raise Trouble(
            "要给出 --port（串口）、--site 加 --bus、--through（Modbus TCP）或 --gateway（运行中的网关）",
            "name --port (a serial line), --site with --bus, --through (Modbus TCP) or --gateway (a running gateway)",
        )
    return await _line(screen, options, bounds)


async def _line(screen: Screen, options: WatchAsked, bounds: Bounds) -> int:
    port, baud, parity, stop_bits = options["port"], options["baud"], options["parity"], options["stop_bits"]
    devices: dict[str, tuple[Any, Profile]] = {}
    protocol = options["protocol"]
    site: Path | None = options["site"]
    if site is not None:
        loaded = load(site, options["wires"])
        id, bus = bus_of(loaded, options["bus"], port)
        if not isinstance(bus, SerialBus):
            raise Trouble(
                f"{id} 不是串口；Modbus TCP 用 --through", f"{id} is no serial line; for Modbus TCP use --through"
            )
        port = str(bus.port)
        baud = baud or getattr(bus, "baud", 9600)
        parity = parity or getattr(bus, "parity", "N")
        devices = on_bus(loaded, id)
        protocol = protocol or next((profile.protocol for _, profile in devices.values()), None)
    assert port is not None
    protocol = protocol or "modbus"
    if protocol not in listeners():
        known = ", ".join(listeners())
        raise Trouble(f"听不懂协议 {protocol}，可用：{known}", f"cannot listen to {protocol}; there are: {known}")
    dissector = listeners()[protocol].dissector(OnWire(devices, profiles()[0]), screen.say)
    channel = SerialChannel(port, baud or 9600, parity or "N", stop_bits, listen_only=True)
    try:
        warning = others(port, screen.say)
        if warning:
            screen.warn(warning, warning)
        how = line(baud or 9600, parity or "N", stop_bits)
        title = screen.say(f"听 {port}（{how}），只听不发", f"listening on {port} ({how}); nothing is sent")
        screen.note(title, title)
        return await show(screen, heard(channel, dissector), dissector.tallies, bounds, title)
    finally:
        channel.close()


async def _through(screen: Screen, through: str, options: WatchAsked, bounds: Bounds) -> int:
    host, port = typed.endpoint(through, 502)
    devices: dict[int, Device] = {}
    if options["site"] is not None and options["bus"] is not None:
        loaded = load(options["site"], options["wires"])
        devices = units(OnWire(on_bus(loaded, bus_of(loaded, options["bus"], None)[0]), ()))
    proxy = Proxy(host, port, options["listen"], ModbusDissector(devices, screen.say))
    title = screen.say(
        f"让主机连 {LOOPBACK}:{options['listen']}，转发到 {host}:{port}",
        f"let the master dial {LOOPBACK}:{options['listen']}; it is passed on to {host}:{port}",
    )
    screen.note(title, title)
    return await show(screen, proxy.lines(), proxy.dissector.tallies, bounds, title)
