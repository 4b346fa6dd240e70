"""Serial ports of this machine: which there are, who has them open, and opening one for this process alone.

Every refusal of the system is said in words: missing (and which ports exist), busy (and whose it is), forbidden (and
which group is needed).
"""

from __future__ import annotations

import errno
import grp
import itertools
import os
import re
import stat
import termios
from pathlib import Path
from typing import NamedTuple

import serial  # type: ignore[import-untyped]
from serial.tools import list_ports  # type: ignore[import-untyped]

from contract.speech import Speech
from gateway.installer.terminal.trouble import Trouble

PSEUDO = "/dev/pts/"
"""A line that another process plays: it has it open, of course."""


class Holder(NamedTuple):
    """A process that has a port open."""

    pid: int
    command: str

    @property
    def gateway(self) -> bool:
        """Whether it is a gateway of ours."""
        words = self.command.split()
        return any(pair == ("-m", "gateway") for pair in itertools.pairwise(words))


def known() -> list[tuple[str, str]]:
    """The serial ports of this machine that have hardware, each with what it is."""
    return sorted(
        (port.device, port.description if port.description != "n/a" else "") for port in list_ports.comports()
    )


def holders(port: str) -> list[Holder]:
    """Who has it open, as far as this user may see."""
    real = os.path.realpath(port)
    found = []
    for process in Path("/proc").iterdir():
        if not process.name.isdigit() or int(process.name) == os.getpid():
            continue
        try:
            if any(_points_to(handle, real) for handle in (process / "fd").iterdir()):
                command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                found.append(Holder(int(process.name), command))
        except OSError:  # another user's, or gone meanwhile
            continue
    return found


def _points_to(handle: Path, real: str) -> bool:
    try:
        return str(handle.readlink()) == real
    except OSError:
        return False


def open_port(port: str, baud: int, parity: str, stop_bits: int, *, listen_only: bool = False) -> serial.Serial:
    """The port, opened for this process alone. `listen_only`: no line of it that could key a transmitter is raised."""
    line = serial.Serial()
    line.port = port
    line.baudrate = baud
    line.parity = parity
    line.stopbits = stop_bits
    line.timeout = 0
    line.exclusive = True
    if listen_only:
        line.rts = False
        line.dtr = False
    check_exists(port)
    try:
        line.open()
        line.reset_input_buffer()
    except serial.SerialException as wrong:
        raise _trouble(port, baud, wrong.errno or _named(str(wrong)), str(wrong)) from wrong
    except (OSError, termios.error) as wrong:
        raise _trouble(port, baud, wrong.args[0] if wrong.args else 0, str(wrong)) from wrong
    except (ValueError, OverflowError) as wrong:
        raise Trouble(f"{port} 不支持 {baud} 波特：{wrong}", f"{port} cannot do {baud} baud: {wrong}") from wrong
    return line


def check_exists(port: str) -> None:
    """Raises `Trouble` in words if there is no such serial port on this machine."""
    try:
        mode = Path(port).stat().st_mode
    except FileNotFoundError:
        raise missing(port) from None
    except OSError as wrong:
        raise _trouble(port, 0, wrong.errno or 0, wrong.strerror or "") from wrong
    if not stat.S_ISCHR(mode):
        raise Trouble(f"{port} 不是串口", f"{port} is no serial port")


def missing(port: str) -> Trouble:
    """Words for a port that is not there, with those that are."""
    ports = known()
    zh = "、".join(_described(*each) for each in ports)
    en = ", ".join(_described(*each) for each in ports)
    return Trouble(
        f"没有串口 {port}；" + (f"本机有：{zh}" if ports else "本机没有任何串口（USB 转换器插好了吗？）"),
        f"there is no port {port}; "
        + (f"this machine has: {en}" if ports else "this machine has none (is the USB adapter plugged in?)"),
    )


def _described(device: str, what: str) -> str:
    return f"{device} ({what})" if what and what != Path(device).name else device


def _named(words: str) -> int:
    """pyserial does not always carry the system's number over."""
    if "exclusively lock" in words:
        return errno.EWOULDBLOCK
    number = re.search(r"\((\d+),", words)
    return int(number[1]) if number else 0


def _trouble(port: str, baud: int, number: int, words: str) -> Trouble:
    if number in {errno.EWOULDBLOCK, errno.EBUSY}:
        return busy(port)
    if number in {errno.EACCES, errno.EPERM}:
        return _forbidden(port)
    if number in {errno.EIO, errno.ENXIO, errno.ENODEV, errno.ENOTTY}:
        return Trouble(
            f"{port} 后面没有串口硬件（{os.strerror(number)}）",
            f"{port} has no serial hardware behind it ({os.strerror(number)})",
        )
    if number == errno.EINVAL:
        return Trouble(f"{port} 不支持这样的波特率或校验", f"{port} cannot do this speed or parity")
    return Trouble(f"打不开 {port}：{words}", f"{port} cannot be opened: {words}")


def busy(port: str) -> Trouble:
    """Words for a port that another process owns."""
    owners = holders(port)
    gateway = next((owner for owner in owners if owner.gateway), None)
    if gateway is not None:
        return Trouble(
            f"{port} 正由网关使用（进程 {gateway.pid}）：一条线路只能有一个主人。"
            "先停网关（systemctl stop gatehouse-gateway），或用 watch --gateway 从网关看这条线路",
            f"{port} is in use by the gateway (process {gateway.pid}): a line has one owner. Stop the gateway first "
            f"(systemctl stop gatehouse-gateway), or look at the line through it: watch --gateway",
        )
    said = ", ".join(f"{owner.command.split()[0] if owner.command else '?'} ({owner.pid})" for owner in owners)
    return Trouble(
        f"{port} 正被其他程序使用" + (f"：{said}" if said else "") + "；请先关掉它",
        f"{port} is in use by another program" + (f": {said}" if said else "") + "; close it first",
    )


def _forbidden(port: str) -> Trouble:
    group = _group(port)
    return Trouble(
        f"没有权限打开 {port}：它属于用户组 {group}。运行 sudo usermod -aG {group} $USER，然后重新登录",
        f"no permission to open {port}: it belongs to the group {group}. "
        f"Run sudo usermod -aG {group} $USER and log in again",
    )


def _group(port: str) -> str:
    try:
        return grp.getgrgid(Path(port).stat().st_gid).gr_name
    except (OSError, KeyError):
        return "dialout"


def others(port: str, say: Speech) -> str | None:
    """A warning if somebody has the port open without having locked it, else None."""
    if os.path.realpath(port).startswith(PSEUDO):
        return None
    owners = holders(port)
    if not owners:
        return None
    said = say.listed([f"{owner.command.split()[0] if owner.command else '?'} ({owner.pid})" for owner in owners[:3]])
    return say(
        f"{port} 同时被 {said} 打开：收到的数据可能不全", f"{said} has {port} open too: some bytes may be missed"
    )
