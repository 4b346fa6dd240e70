"""Options that several of the tools have, with their help in the installer's language."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from contract.commandline import say


class Tongue(StrEnum):
    """Languages of the tools."""

    zh = "zh"
    en = "en"


class Parity(StrEnum):
    """Parities of a serial line."""

    N = "N"
    E = "E"
    O = "O"  # noqa: E741 - the field's own letter


class Type(StrEnum):
    """Types of a value in registers."""

    u16 = "u16"
    i16 = "i16"
    u32 = "u32"
    i32 = "i32"
    u64 = "u64"
    i64 = "i64"
    f32 = "f32"
    f64 = "f64"


class ByteOrder(StrEnum):
    """Orders of the bytes of a value."""

    ABCD = "ABCD"
    CDAB = "CDAB"
    BADC = "BADC"
    DCBA = "DCBA"


def option(zh: str, en: str, *names: str, **more: Any) -> Any:
    """An option with its help in the installer's language."""
    return typer.Option(*names, help=say(zh, en), **more)


HERE = Tongue(say.language)
Lang = Annotated[Tongue, option("语言：zh 或 en。", "Language: zh or en.", "--lang", show_default=False)]
Json = Annotated[bool, option("给程序看：每行一个 JSON。", "For machines: a JSON document a line.", "--json")]
Serial = Annotated[str | None, option("串口，如 /dev/ttyS1。", "Serial port, such as /dev/ttyS1.", "--port")]
Host = Annotated[
    str | None,
    option("Modbus TCP：主机或 主机:端口。", "Modbus TCP: host, or host:port.", "--host"),
]
OverTcp = Annotated[
    bool,
    option("--host 是透传的串口服务器（RTU over TCP）。", "--host is a converter that passes RTU through.", "--rtu"),
]
Baud = Annotated[int, option("波特率。", "Speed.", min=300, max=4_000_000)]
OneParity = Annotated[Parity, option("校验。", "Parity.")]
StopBits = Annotated[int, option("停止位。", "Stop bits.", min=1, max=2)]
Unit = Annotated[int, option("设备地址。", "The unit's address.", min=0, max=255)]
Fc = Annotated[
    int,
    option(
        "功能码：1 线圈、2 离散输入、3 保持寄存器、4 输入寄存器。",
        "Function: 1 coils, 2 inputs, 3 holding, 4 input registers.",
        min=1,
        max=4,
    ),
]
Address = Annotated[int | None, option("起始地址（从 0 起）。", "First address, counted from 0.", min=0, max=65535)]
TimeoutMs = Annotated[int, option("等应答几毫秒。", "Milliseconds to wait for an answer.", min=20, max=60_000)]
Site = Annotated[Path | None, option("项目配置。", "The site file.", "--site", envvar="GATEHOUSE_SITE")]
Wires = Annotated[Path | None, option("各线路实际在哪里（JSON）。", "Where each bus really is (JSON).", "--wires")]
Data = Annotated[
    Path,
    option(
        "网关的数据文件夹（密码、密钥）。",
        "The gateway's data folder (passwords, keys).",
        "--data",
        envvar="GATEHOUSE_DATA",
    ),
]
Within = Annotated[float, option("最多等几秒。", "Seconds to wait at most.", "--within", min=0.5, max=300)]
OneType = Annotated[Type, option("数值类型。", "Type of the values.", "--type")]
OneOrder = Annotated[ByteOrder, option("字节序。", "Byte order.", "--order")]
DATA = Path("var/gateway")
