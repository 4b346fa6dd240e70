"""How the tools say values, speeds, refusals and times. Pure."""

from __future__ import annotations

import re

from contract.readings import Value
from contract.texts import Text
from drivers.profiles.profile import Point, Profile
from gateway.tools.language import Speech


def number(value: float | int) -> str:
    """Short, and never more digits than a person reads."""
    if isinstance(value, int):
        return str(value)
    if value == 0:
        return "0"
    return f"{value:.6g}" if 1e-4 <= abs(value) < 1e7 else f"{value:.4e}"


def value_of(point: Point, value: Value, say: Speech) -> str:
    """A point's value with its unit or its label; `—` for none."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return say("是", "yes") if value else say("否", "no")
    if isinstance(value, str):
        label = point.labels.get(value)
        return value if label is None else say.of(label)
    return f"{number(value)} {unit(point.unit)}".rstrip()


_UNITS = {"degC": "℃", "m3": "m³", "m3/h": "m³/h", "kWh": "kWh"}


def unit(short: str) -> str:
    """A unit as people write it."""
    return _UNITS.get(short, short)


def characters(parity: str, stop_bits: int) -> str:
    """`8N1`."""
    return f"8{parity}{stop_bits}"


def line(baud: int, parity: str, stop_bits: int) -> str:
    """`9600 8N1`."""
    return f"{baud} {characters(parity, stop_bits)}"


def lasting(seconds: float, say: Speech) -> str:
    """A time for people: `850 ms`, `12 s`, `3 min 20 s`."""
    if seconds < 0.9995:
        return f"{1000 * seconds:.0f} {say('毫秒', 'ms')}"
    if seconds < 10:
        return f"{seconds:.1f} {say('秒', 's')}"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} {say('秒', 's')}"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} {say('分', 'min')}" + (f" {rest} {say('秒', 's')}" if rest else "")
    hours, minutes = divmod(minutes, 60)
    return f"{hours} {say('小时', 'h')} {minutes} {say('分', 'min')}"


CONFIDENCE: dict[str, Text] = {
    "vendor-doc": Text("厂家资料", "vendor's documents"),
    "oss-tested": Text("开源实测", "tested open driver"),
    "oss": Text("开源资料", "open driver"),
    "partial": Text("部分资料", "partial"),
    "own": Text("自有格式", "own format"),
}

_WHYS: tuple[tuple[str, str], ...] = (
    (r"unit (\d+) did not answer within ([\d.]+) s", r"地址 \1 在 \2 秒内没有应答"),
    (r"(\S+) did not answer within ([\d.]+) s", r"\1 在 \2 秒内没有应答"),
    (r"(\S+) was closed by the other end", r"\1 被对方关闭"),
    (r"(\S+) cannot be opened(: .*)?", r"打不开 \1\2"),
    (r"(\S+) cannot be reached(: .*)?", r"连不上 \1\2"),
    (r"(\S+) is gone(: .*)?", r"\1 断开了\2"),
    (r"nothing heard for ([\d.]+) s", r"\1 秒没有消息"),
    (r"the device answers late", "应答迟到"),
    (r"the converter has no way to the device", "转换器无法连到设备"),
    (r"the device behind the converter does not answer", "转换器后面的设备没有应答"),
    (r"it has no key yet: set one \(install\)", "还没有密钥：先安装密钥"),
)
"""What drivers say when they lose a device (`drivers.reports.DeviceLost`), for those who read Chinese."""


def lost(why: str, say: Speech) -> str:
    """Why a device does not answer."""
    if say.language == "en":
        return why
    for pattern, words in _WHYS:
        match = re.fullmatch(pattern, why)
        if match is not None:
            return match.expand(words)
    return why


_KINDS: dict[int, Text] = {
    1: Text("线圈", "coils"),
    2: Text("离散输入", "discrete inputs"),
    3: Text("保持寄存器", "holding registers"),
    4: Text("输入寄存器", "input registers"),
}


def area(fc: int, say: Speech) -> str:
    """What a function code reads."""
    return say.of(_KINDS[fc]) if fc in _KINDS else f"fc {fc}"


def name_of(profile: Profile, say: Speech) -> str:
    """The product's name."""
    return say.of(profile.name)
