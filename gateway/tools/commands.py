"""The installer's commands as Typer sees them: options and help in the installer's language, nothing else.

What a command needs is imported when it runs: the gateway's own start goes through here too.
"""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from typing import Annotated, Any

import typer

from gateway.tools.language import Speech, language_of

_say = Speech(language_of(sys.argv[1:], os.environ))


class Tongue(StrEnum):
    """Languages of the tools."""

    zh = "zh"
    en = "en"


Lang = Annotated[
    Tongue,
    typer.Option("--lang", help=_say("语言：zh 或 en。", "Language: zh or en."), show_default=False),
]
Json = Annotated[
    bool, typer.Option("--json", help=_say("给程序看：每行一个 JSON。", "For machines: a JSON document a line."))
]
Port = Annotated[
    str | None, typer.Option("--port", help=_say("串口，如 /dev/ttyS1。", "Serial port, such as /dev/ttyS1."))
]
HERE = Tongue(_say.language)


def add_tools(app: typer.Typer) -> None:
    """Adds the tools to the gateway's command line."""
    for command, words in COMMANDS.items():
        app.command(command.__name__.rstrip("_"), help=words)(command)


def scan(
    *,
    port: Port = None,
    net: Annotated[
        str | None,
        typer.Option(
            help=_say(
                "网段或地址：192.168.10.0/24、192.168.10.20-40。",
                "Range or addresses: 192.168.10.0/24, 192.168.10.20-40.",
            )
        ),
    ] = None,
    baud: Annotated[
        str | None,
        typer.Option(
            help=_say("波特率，可多个：9600,19200；默认试常用的。", "Speeds: 9600,19200; the usual ones by default.")
        ),
    ] = None,
    parity: Annotated[str | None, typer.Option(help=_say("校验，可多个：N,E,O。", "Parities: N,E,O."))] = None,
    stop_bits: Annotated[int, typer.Option(help=_say("停止位。", "Stop bits."), min=1, max=2)] = 1,
    unit: Annotated[
        str, typer.Option(help=_say("地址：1-247，或 1-20,100。", "Addresses: 1-247, or 1-20,100."))
    ] = "1-247",
    protocol: Annotated[
        str | None,
        typer.Option(help=_say("只用这些协议，如 modbus,dlt645。", "Only these protocols, such as modbus,dlt645.")),
    ] = None,
    tcp_ports: Annotated[
        str | None, typer.Option(help=_say("--net 要试的 TCP 端口。", "TCP ports to try with --net."))
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(
            help=_say("每个地址等几毫秒；默认自动。", "Milliseconds to wait for each address; automatic by default."),
            min=5,
            max=5000,
        ),
    ] = None,
    every: Annotated[
        bool,
        typer.Option(
            "--all",
            help=_say(
                "找到设备后继续试其余参数和地址。",
                "Go on with the other settings and addresses when something was found.",
            ),
        ),
    ] = False,
    fit: Annotated[bool, typer.Option(help=_say("辨认是哪种产品。", "Recognise the products."))] = True,
    lang: Lang = HERE,
    json: Json = False,
) -> None:
    from gateway.tools import run  # noqa: PLC0415

    run.scan(
        run.screen(lang.value, as_json=json),
        port=port, net=net, baud=baud, parity=parity, stop_bits=stop_bits, unit=unit, protocol=protocol,
        tcp_ports=tcp_ports, patience=patience, every=every, fit=fit,
    )  # fmt: skip


def guess(
    *,
    words: Annotated[
        str | None, typer.Option(help=_say('寄存器（十六进制）："4366 E666"。', 'Registers in hex: "4366 E666".'))
    ] = None,
    expect: Annotated[
        float | None,
        typer.Option(help=_say("表上显示的大约数值，如 230。", "About what the display shows, such as 230.")),
    ] = None,
    lang: Lang = HERE,
    json: Json = False,
) -> None:
    from gateway.tools import run  # noqa: PLC0415

    run.guess(run.screen(lang.value, as_json=json), words=words, expect=expect)


COMMANDS: dict[Any, str] = {
    scan: _say(
        "在串口或网段上找设备，并辨认是哪种产品。", "Find devices on a serial line or a subnet, and recognise them."
    ),
    guess: _say(
        "寄存器按四种字节序并排显示，标出最可能的。", "Show registers in all four byte orders, the likeliest marked."
    ),
}
"""By the order in which help shows them."""
