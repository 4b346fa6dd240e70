"""The installer's commands as Typer sees them: options and help in the installer's language, nothing else.

What a command needs is imported when it runs: the gateway's own start goes through here too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from contract.commandline import say
from drivers.protocols import having
from gateway.installer.options import (
    DATA,
    HERE,
    Address,
    Baud,
    ByteOrder,
    Data,
    Fc,
    Host,
    Json,
    Lang,
    OneOrder,
    OneParity,
    OneType,
    OverTcp,
    Parity,
    Serial,
    Site,
    StopBits,
    TimeoutMs,
    Tongue,
    Type,
    Unit,
    Wires,
    Within,
    option,
)


def _spoken(usual: str) -> list[str]:
    """The protocols that can be listened to, with the usual one marked."""
    return [name + usual * (name == "modbus") for name in having("listen")]


def add_tools(app: typer.Typer) -> None:
    """Adds the tools to the gateway's command line."""
    for command, words in COMMANDS.items():
        app.command(command.__name__, help=words)(command)


def _run(tool: str, lang: Tongue, as_json: bool, options: Mapping[str, object]) -> None:
    """Calls the runner of that name; enumerations become their words."""
    from gateway.installer import run  # noqa: PLC0415

    plain = {name: value.value if isinstance(value, StrEnum) else value for name, value in options.items()}
    getattr(run, tool)(run.screen(lang.value, as_json=as_json), **plain)


def scan(
    *,
    port: Serial = None,
    net: Annotated[
        str | None,
        option(
            "网段或地址：192.168.10.0/24、192.168.10.20-40。", "Range or addresses: 192.168.10.0/24, 192.168.10.20-40."
        ),
    ] = None,
    baud: Annotated[
        str | None,
        option("波特率，可多个：9600,19200；默认试常用的。", "Speeds: 9600,19200; the usual ones by default."),
    ] = None,
    parity: Annotated[str | None, option("校验，可多个：N,E,O。", "Parities: N,E,O.")] = None,
    stop_bits: StopBits = 1,
    unit: Annotated[str, option("地址：1-247，或 1-20,100。", "Addresses: 1-247, or 1-20,100.")] = "1-247",
    protocol: Annotated[
        str | None, option("只用这些协议，如 modbus,dlt645。", "Only these protocols, such as modbus,dlt645.")
    ] = None,
    tcp_ports: Annotated[str | None, option("--net 要试的 TCP 端口。", "TCP ports to try with --net.")] = None,
    patience: Annotated[
        int | None,
        option(
            "每个地址等几毫秒；默认自动。",
            "Milliseconds to wait for each address; automatic by default.",
            min=5,
            max=5000,
        ),
    ] = None,
    every: Annotated[
        bool,
        option(
            "找到设备后继续试其余参数和地址。",
            "Go on with the other settings and addresses when something was found.",
            "--all",
        ),
    ] = False,
    fit: Annotated[bool, option("辨认是哪种产品。", "Recognise the products.")] = True,
    lang: Lang = HERE,
    json: Json = False,
) -> None:
    _run(
        "scan", lang, json,
        {
            "port": port, "net": net, "baud": baud, "parity": parity, "stop_bits": stop_bits, "unit": unit,
            "protocol": protocol, "tcp_ports": tcp_ports, "patience": patience, "every": every, "fit": fit,
        },
    )  # fmt: skip


def watch(
    *,
    port: Serial = None,
    baud: Annotated[
        int | None,
        option(
            "波特率（默认 9600，或按项目配置）。", "Speed (9600, or as the site file says).", min=300, max=4_000_000
        ),
    ] = None,
    parity: Annotated[
        Parity | None, option("校验（默认 N，或按项目配置）。", "Parity (N, or as the site file says).")
    ] = None,
    stop_bits: StopBits = 1,
    site: Annotated[
        Path | None,
        option("项目配置：用产品型号解释数值。", "The site file: values are told by its profiles.", "--site"),
    ] = None,
    wires: Wires = None,
    bus: Annotated[str | None, option("项目配置（或网关）的线路。", "A bus of the site file or gateway.")] = None,
    protocol: Annotated[
        str | None,
        option(
            f"线上的协议：{'、'.join(_spoken('（默认）'))}。",
            f"What is spoken: {', '.join(_spoken(' (default)'))}.",
        ),
    ] = None,
    through: Annotated[
        str | None,
        option(
            "Modbus TCP 设备 主机:端口：经过本机转发来看。",
            "A Modbus TCP device host:port: looked at by passing it on.",
        ),
    ] = None,
    listen: Annotated[
        int, option("--through 在本机的监听端口。", "Port on this machine for --through.", min=1, max=65535)
    ] = 5020,
    gateway: Annotated[
        str | None,
        option(
            "运行中网关的网址：各条线路的计数；加 --bus 逐帧看一条线路。",
            "Address of a running gateway: what is counted on its lines; with --bus the frames of one.",
        ),
    ] = None,
    username: Annotated[str, option("网关的账号。", "An account of the gateway.")] = "",
    seconds: Annotated[float | None, option("看几秒后结束。", "End after so many seconds.", min=0.1)] = None,
    frames: Annotated[int | None, option("看几帧后结束。", "End after so many frames.", min=1)] = None,
    counts: Annotated[bool, option("只看统计，不逐帧显示。", "Only the figures, not each frame.", "--counts")] = False,
    raw: Annotated[bool, option("也显示原始字节。", "Show the bytes too.", "--raw")] = False,
    lang: Lang = HERE,
    json: Json = False,
) -> None:
    _run(
        "watch", lang, json,
        {
            "port": port, "baud": baud, "parity": parity, "stop_bits": stop_bits, "site": site, "wires": wires,
            "bus": bus, "protocol": protocol, "through": through, "listen": listen, "gateway": gateway,
            "username": username, "seconds": seconds, "frames": frames, "counts": counts, "raw": raw,
        },
    )  # fmt: skip


def read(
    *,
    device: Annotated[str | None, typer.Argument(help=say("项目配置里的设备。", "A device of the site file."))] = None,
    points: Annotated[
        list[str] | None, typer.Argument(help=say("点位；不写则全部。", "Points; all if none is named."))
    ] = None,
    site: Site = None,
    wires: Wires = None,
    data: Data = DATA,
    within: Within = 10.0,
    port: Serial = None,
    host: Host = None,
    rtu: OverTcp = False,
    baud: Baud = 9600,
    parity: OneParity = Parity.N,
    stop_bits: StopBits = 1,
    unit: Unit = 1,
    fc: Fc = 3,
    address: Address = None,
    count: Annotated[int, option("读几个数值。", "How many values.", min=1, max=2000)] = 1,
    type_: OneType = Type.u16,
    order: OneOrder = ByteOrder.ABCD,
    timeout: TimeoutMs = 500,
    lang: Lang = HERE,
    json: Json = False,
) -> None:
    _run(
        "read", lang, json,
        {
            "device": device, "points": points or [], "site": site, "wires": wires, "data": data, "within": within,
            "port": port, "host": host, "rtu": rtu, "baud": baud, "parity": parity, "stop_bits": stop_bits,
            "unit": unit, "fc": fc, "address": address, "count": count, "type": type_, "order": order,
            "timeout": timeout,
        },
    )  # fmt: skip


def write(
    *,
    device: Annotated[str | None, typer.Argument(help=say("项目配置里的设备。", "A device of the site file."))] = None,
    point: Annotated[str | None, typer.Argument(help=say("输出或指令。", "An output or a command."))] = None,
    value: Annotated[
        str | None, typer.Argument(help=say("数值、on/off 或选项。", "A number, on/off, or a choice."))
    ] = None,
    pulse: Annotated[
        float | None,
        option("输出接通几秒，由设备自己计时。", "Output on for so many seconds, timed by the device.", min=0.05),
    ] = None,
    site: Site = None,
    wires: Wires = None,
    data: Data = DATA,
    within: Within = 10.0,
    port: Serial = None,
    host: Host = None,
    rtu: OverTcp = False,
    baud: Baud = 9600,
    parity: OneParity = Parity.N,
    stop_bits: StopBits = 1,
    unit: Unit = 1,
    fc: Annotated[
        int,
        option(
            "功能码：5 线圈、6 寄存器、16 多个寄存器。", "Function: 5 coil, 6 register, 16 registers.", min=5, max=16
        ),
    ] = 6,
    address: Address = None,
    type_: OneType = Type.u16,
    order: OneOrder = ByteOrder.ABCD,
    timeout: TimeoutMs = 500,
    yes: Annotated[bool, option("不再询问。", "Do not ask.", "--yes", "-y")] = False,
    really: Annotated[
        bool, option("危险的也写（广播、电梯）。", "Also what is dangerous (broadcast, lifts).", "--yes-really")
    ] = False,
    lang: Lang = HERE,
    json: Json = False,
) -> None:
    _run(
        "write", lang, json,
        {
            "device": device, "point": point, "value": value, "pulse": pulse, "site": site, "wires": wires,
            "data": data, "within": within, "port": port, "host": host, "rtu": rtu, "baud": baud, "parity": parity,
            "stop_bits": stop_bits, "unit": unit, "fc": fc, "address": address, "type": type_, "order": order,
            "timeout": timeout, "yes": yes, "really": really,
        },
    )  # fmt: skip


def guess(
    *,
    words: Annotated[str | None, option('寄存器（十六进制）："4366 E666"。', 'Registers in hex: "4366 E666".')] = None,
    expect: Annotated[
        float | None, option("表上显示的大约数值，如 230。", "About what the display shows, such as 230.")
    ] = None,
    port: Serial = None,
    host: Host = None,
    rtu: OverTcp = False,
    baud: Baud = 9600,
    parity: OneParity = Parity.N,
    stop_bits: StopBits = 1,
    unit: Unit = 1,
    fc: Fc = 3,
    address: Address = None,
    count: Annotated[int, option("几个寄存器。", "How many registers.", min=1, max=4)] = 2,
    reads: Annotated[
        int, option("读几次（看数值是否稳定）。", "How many reads (to see what stands still).", min=1, max=100)
    ] = 3,
    timeout: TimeoutMs = 500,
    lang: Lang = HERE,
    json: Json = False,
) -> None:
    _run(
        "guess", lang, json,
        {
            "words": words, "expect": expect, "port": port, "host": host, "rtu": rtu, "baud": baud, "parity": parity,
            "stop_bits": stop_bits, "unit": unit, "fc": fc, "address": address, "count": count, "reads": reads,
            "timeout": timeout,
        },
    )  # fmt: skip


def check(
    *,
    file: Annotated[Path | None, typer.Argument(help=say("项目配置。", "The site file."))] = None,
    site: Site = None,
    wires: Wires = None,
    data: Data = DATA,
    live: Annotated[
        bool, option("打开每条线路，问每个设备一次。", "Open each line and ask each device once.", "--live")
    ] = False,
    within: Within = 5.0,
    lang: Lang = HERE,
    json: Json = False,
) -> None:
    _run("check", lang, json, {"site": file or site, "wires": wires, "data": data, "live": live, "within": within})


def discover(
    *,
    site: Site = None,
    wires: Wires = None,
    data: Data = DATA,
    bus: Annotated[str | None, option("项目配置里的 MQTT 线路。", "The site file's MQTT bus.")] = None,
    host: Annotated[str | None, option("MQTT 服务器：主机或 主机:端口。", "The broker: host, or host:port.")] = None,
    username: Annotated[str | None, option("账号。", "The account.")] = None,
    password_file: Annotated[
        Path | None, option("只含密码的文件。", "A file that holds nothing but the password.")
    ] = None,
    prefix: Annotated[str, option("发现主题的前缀。", "Prefix of the discovery topics.")] = "homeassistant",
    within: Within = 10.0,
    out: Annotated[
        Path | None, option("把产品型号草稿写到这个文件夹。", "Folder to write the drafted profiles to.", "--out")
    ] = None,
    also_here: Annotated[
        bool, option("也列出网关自己公布的。", "Also what the gateway itself announces.", "--also-gatehouse")
    ] = False,
    lang: Lang = HERE,
    json: Json = False,
) -> None:
    _run(
        "discover", lang, json,
        {
            "site": site, "wires": wires, "data": data, "bus": bus, "host": host, "username": username,
            "password_file": password_file, "prefix": prefix, "within": within, "out": out, "also_here": also_here,
        },
    )  # fmt: skip


def aside(
    *,
    file: Annotated[
        Path | None, typer.Argument(help=say("留存的文件；不写就列出全部。", "A kept file; none: list them."))
    ] = None,
    data: Data = DATA,
    out: Annotated[
        Path | None,
        option("把读出的事件写到这个文件，每行一条 JSON。", "Write its events there, a line of JSON each.", "--out"),
    ] = None,
    lang: Lang = HERE,
    json: Json = False,
) -> None:
    _run("aside", lang, json, {"file": file, "data": data, "out": out})


COMMANDS: dict[Callable[..., None], str] = {
    scan: say(
        "在串口或网段上找设备，并辨认是哪种产品。", "Find devices on a serial line or a subnet, and recognise them."
    ),
    watch: say(
        "实时看一条线路：逐帧解释，统计每个地址的错误；只听不发。",
        "See a line live: every frame explained, errors per unit; it only listens.",
    ),
    read: say("读设备的点位，或直接读寄存器。", "Read a device's points, or registers as they are."),
    write: say(
        "写输出、指令或寄存器：先说明、再确认、写后回读。",
        "Write outputs, commands or registers: told, confirmed, read back.",
    ),
    guess: say(
        "寄存器按四种字节序并排显示，标出最可能的。", "Show registers in all four byte orders, the likeliest marked."
    ),
    discover: say(
        "听 MQTT 上设备的自我公布（Home Assistant 发现），起草产品型号文件。",
        "Draft profiles of what devices announce over MQTT (Home Assistant's discovery).",
    ),
    aside: say(
        "列出网关留存的损坏文件，读出其中还能读的。",
        "List the damaged files that were kept; read what one still gives.",
    ),
    check: say("检查项目配置；--live 试每条线路和每个设备。", "Check a site file; --live tries every line and device."),
}
"""In the order in which help shows them."""
