"""Runs one tool to its end: options read, the exit status set, Ctrl-C and troubles told in words."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Unpack

import typer

from contract.speech import Language
from drivers.modbus.wires import ModbusRtuBus, ModbusRtuTcpBus, ModbusTcpBus
from drivers.mqtt.wires import MqttBus
from drivers.secrecy import tells_secret_in_clear, tls_of
from gateway.installer.asked import (
    AsideAsked,
    CheckAsked,
    DiscoverAsked,
    GuessAsked,
    LineAsked,
    ReadAsked,
    ScanAsked,
    SiteAsked,
    WatchAsked,
    WriteAsked,
)
from gateway.installer.terminal import typed
from gateway.installer.terminal.screen import Screen
from gateway.installer.terminal.trouble import INTERRUPTED, Trouble
from gateway.installer.wire.sites import At, load

Running = Coroutine[object, object, int]
Tool = Callable[[], int | Running]


def screen(language: Language, *, as_json: bool) -> Screen:
    """Where the tool writes."""
    return Screen(language, as_json=as_json)


def finish(out: Screen, tool: Tool) -> None:
    """Runs it and exits with its status."""
    try:
        made = tool()
        status = made if isinstance(made, int) else asyncio.run(made)
    except Trouble as trouble:
        out.note(trouble.why.zh, trouble.why.en, "red")
        out.record(error=out.say.of(trouble.why))
        raise typer.Exit(trouble.code) from None
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:  # `… | head`
        raise typer.Exit(0) from None
    raise typer.Exit(status)


def _bus(options: LineAsked) -> ModbusRtuBus | ModbusTcpBus | ModbusRtuTcpBus:
    """The wire that `--port` or `--host` names."""
    port, host = options["port"], options["host"]
    if (port is None) == (host is None):
        raise Trouble(
            "要给出 --port（串口）或 --host（网络），二者之一",
            "name --port (a serial line) or --host (the network), one of them",
        )
    timeout_s = options["timeout"] / 1000
    baud, parity, stop_bits = options["baud"], options["parity"], options["stop_bits"]
    if port is not None:
        return ModbusRtuBus(
            kind="modbus-rtu", port=port, timeout_s=timeout_s, baud=baud, parity=parity, stop_bits=stop_bits
        )
    assert host is not None
    name, number = typed.endpoint(host, 502)
    if options["rtu"]:
        return ModbusRtuTcpBus(
            kind="modbus-rtu-tcp", host=name, port=number, timeout_s=timeout_s, baud=baud, parity=parity,
            stop_bits=stop_bits,
        )  # fmt: skip
    return ModbusTcpBus(kind="modbus-tcp", host=name, port=number, timeout_s=timeout_s)


def _site(options: SiteAsked) -> At:
    site: Path | None = options["site"]
    if site is None:
        raise Trouble("要给出 --site 项目配置", "name the site file with --site")
    return At(load(site, options["wires"]), options["data"], options["within"])


def scan(out: Screen, /, *, port: str | None, net: str | None, **options: Unpack[ScanAsked]) -> None:
    """`scan`."""

    def tool() -> Running:
        if (port is None) == (net is None):
            raise Trouble(
                "要给出 --port（串口）或 --net（网段），二者之一",
                "name --port (a serial line) or --net (a subnet), one of them",
            )
        thinks_s = None if options["patience"] is None else options["patience"] / 1000
        if net is not None:
            return _scan_net(out, net, thinks_s, options)
        assert port is not None
        return _scan_line(out, port, thinks_s, options)

    finish(out, tool)


def _scan_line(out: Screen, port: str, thinks_s: float | None, options: ScanAsked) -> Running:
    from drivers.searching import searches  # noqa: PLC0415
    from gateway.installer.scan import line as tool  # noqa: PLC0415
    from gateway.installer.scan.sweeps import settings  # noqa: PLC0415

    names = typed.words(options["protocol"], list(searches()), "--protocol")
    speeds = typed.SPEEDS
    bauds = None if options["baud"] is None else typed.numbers(options["baud"], speeds[0], speeds[-1], "--baud")
    parities = None if options["parity"] is None else typed.parities(options["parity"])
    order = tool.Order(
        port=port,
        settings=settings(bauds, parities, options["stop_bits"]),
        units=typed.numbers(options["unit"], 1, 247, "--unit"),
        protocols=names,
        thinks_s=thinks_s,
        every=options["every"],
        fit=options["fit"],
    )
    return tool.scan(out, order)


def _scan_net(out: Screen, net: str, thinks_s: float | None, options: ScanAsked) -> Running:
    from drivers.searching import searches  # noqa: PLC0415
    from gateway.installer.scan import network as tool  # noqa: PLC0415

    ports = options["tcp_ports"]
    order = tool.NetOrder(
        hosts=typed.hosts(net),
        ports=list(tool.PORTS) if ports is None else typed.numbers(ports, 1, 65535, "--tcp-ports"),
        units=typed.numbers(options["unit"], 1, 247, "--unit"),
        protocols=typed.words(options["protocol"], list(searches()), "--protocol"),
        thinks_s=thinks_s,
        every=options["every"],
        fit=options["fit"],
    )
    return tool.scan_net(out, order)


def watch(out: Screen, /, **options: Unpack[WatchAsked]) -> None:
    """`watch`."""

    def tool() -> Running:
        from gateway.installer.watch import source  # noqa: PLC0415

        return source.start(out, options)

    finish(out, tool)


def read(out: Screen, /, **options: Unpack[ReadAsked]) -> None:
    """`read`."""

    def tool() -> Running:
        from gateway.installer.values import read as tool  # noqa: PLC0415
        from gateway.installer.values.raw import Registers  # noqa: PLC0415

        if options["device"] is not None:
            return tool.points(out, _site(options), options["device"], options["points"])
        start = _address(options)
        asked = Registers(
            bus=_bus(options),
            unit=options["unit"],
            fc=options["fc"],
            start=start,
            count=options["count"],
            type=options["type"],
            order=options["order"],
        )
        if asked.count * asked.width > (2000 if asked.fc <= 2 else 125):
            raise Trouble("一次最多读 125 个寄存器或 2000 个位", "one read takes at most 125 registers or 2000 bits")
        return tool.registers(out, asked)

    finish(out, tool)


def _address(options: ReadAsked) -> int:
    if options["address"] is None:
        raise Trouble(
            "要给出设备（配合 --site），或 --address 寄存器地址",
            "name a device (with --site), or registers with --address",
        )
    return int(options["address"])


def write(out: Screen, /, **options: Unpack[WriteAsked]) -> None:
    """`write`."""

    def tool() -> Running:
        from gateway.installer.values import write as tool  # noqa: PLC0415
        from gateway.installer.values.wanted import raw_write  # noqa: PLC0415

        consent = tool.Consent(options["yes"], options["really"])
        device, point, value = options["device"], options["point"], options["value"]
        if options["address"] is None:
            if device is None or point is None:
                raise Trouble(
                    "要给出 设备 输出或指令 [数值]（配合 --site），或 --address 和数值",
                    "name DEVICE POINT [VALUE] (with --site), or --address and a value",
                )
            return tool.to_device(
                out, _site(options), tool.WantedWrite(device, point, value, options["pulse"]), consent
            )
        if device is None or point is not None:
            raise Trouble("直接写寄存器时只给一个数值", "to write registers as they are, give one value")
        if options["fc"] not in {5, 6, 16}:
            raise Trouble("--fc 只能是 5、6 或 16", "--fc is 5, 6 or 16")
        made = raw_write(options["fc"], options["address"], options["type"], options["order"], device)
        return tool.to_registers(out, _bus(options), options["unit"], made, consent)

    finish(out, tool)


def guess(out: Screen, /, *, words: str | None, expect: float | None, **options: Unpack[GuessAsked]) -> None:
    """`guess`."""

    def tool() -> int | Running:
        from gateway.installer.values import guess as tool  # noqa: PLC0415

        if words is not None:
            return tool.show(out, [typed.registers([words])], expect)
        if options["address"] is None:
            raise Trouble(
                "要给出 --words 寄存器，或 --port/--host 和 --address", "name --words, or --port/--host with --address"
            )
        if options["fc"] <= 2:
            raise Trouble("位没有字节序：--fc 用 3 或 4", "bits have no byte order: --fc is 3 or 4")
        return tool.ask(out, _bus(options), options["address"], options, expect)

    finish(out, tool)


def check(out: Screen, /, **options: Unpack[CheckAsked]) -> None:
    """`check`."""

    def tool() -> Running:
        from gateway.installer import check as tool  # noqa: PLC0415

        at, file = _site(options), options["site"]
        assert file is not None
        return tool.check(out, at, file, live=options["live"])

    finish(out, tool)


def aside(out: Screen, /, **options: Unpack[AsideAsked]) -> None:
    """`aside`."""

    def tool() -> int:
        from gateway.installer import aside as tool  # noqa: PLC0415

        return tool.aside(out, options["file"], options["data"], options["out"])

    finish(out, tool)


def discover(out: Screen, /, **options: Unpack[DiscoverAsked]) -> None:
    """`discover`."""

    def tool() -> Running:
        from gateway.installer import discover as tool  # noqa: PLC0415

        broker = _broker(options)
        wanted = tool.Wanted(options["prefix"].strip("/"), options["within"], options["out"], options["also_here"])
        return tool.discover(out, tool.Broker(*broker), wanted)

    finish(out, tool)


def _broker(options: DiscoverAsked) -> tuple[str, str, int, str | None, str | None, ssl.SSLContext | None]:
    """Bus, host, port, account, password and TLS: of the site file, or as they were typed."""
    bus: str = options["bus"] or "mqtt"
    username, file = options["username"], options["password_file"]
    if options["host"] is not None:
        host, port = typed.endpoint(options["host"], 1883)
        return bus, host, port, username, _password(file), None
    at = _site(options)
    brokers = {id: each for id, each in at.site.site.buses.items() if isinstance(each, MqttBus)}
    if options["bus"] is None and len(brokers) == 1:
        bus = next(iter(brokers))
    if bus not in brokers:
        listed = ", ".join(brokers) or "—"
        raise Trouble(f"要用 --bus 指明 MQTT 线路：{listed}", f"name the MQTT bus with --bus: {listed}")
    found = brokers[bus]
    if tells_secret_in_clear(found):
        raise Trouble(
            f"密码会以明文发往 {found.host}：项目配置里请写 ca_file 或 tls: true",
            f"the password would go to {found.host} in clear: name ca_file or tls: true in the site file",
        )
    if file is None and found.password_file is not None:
        file = at.folder / found.password_file
    try:
        tls = tls_of(found.tls, found.ca_file, at.folder)
    except OSError as wrong:
        raise Trouble(f"{bus}：证书文件 {found.ca_file} 读不了", f"{bus}: {wrong}") from wrong
    return bus, found.host, found.port, username or found.username, _password(file), tls


def _password(file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError as wrong:
        raise Trouble(
            f"密码文件 {file} 读不了：{wrong.strerror}", f"the password file {file} cannot be read: {wrong.strerror}"
        ) from wrong
