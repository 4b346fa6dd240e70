"""How the tools say speeds, refusals and times. Pure."""

from __future__ import annotations

import re

from contract.speech import Speech
from contract.texts import Text
from drivers.profiles.profile import Profile


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
    (r"it does not answer", "没有应答"),
    (r"nobody answers at (\S+)", r"\1 没有任何应答"),
    (r"(?:the site's broker .*: )?the password file (\S+) cannot be read(: .*)?", r"读不到密码文件 \1\2"),
    (r"the site's broker (\S+) cannot be reached(: .*)?", r"现场消息服务 \1 连不上\2"),
    (r"(\S+) was closed(?: by the other end)?(: .*)?", r"\1 被对方关闭\2"),
    (r"(\S+) broke the stream off", r"\1 被对方关闭"),
    (r"(\S+) sent bytes that are no Modbus answer", r"\1 发来的不是 Modbus 报文"),
    (r"(\S+) takes no bytes", r"\1 发不出数据"),
    (r"(\S+) (?:cannot be opened|is not open)(: .*)?", r"打不开 \1\2"),
    (r"(\S+) cannot be reached(: .*)?", r"连不上 \1\2"),
    (r"(\S+) is gone(: .*)?", r"\1 断开了\2"),
    (r"nothing heard for ([\d.]+) s", r"\1 秒没有消息"),
    (r"it says that it is offline", "设备自己报告已离线"),
    (r"Frigate says that it gives no frames", "Frigate 报告收不到相机画面"),
    (r"the camera refuses the name or the password \((\d+)\)", r"相机不接受用户名或密码（\1）"),
    (r"the camera answers (\d+) and gives no events", r"相机回答 \1，不提供事件"),
    (r"it ended the stream", "相机结束了事件流"),
    (r"the device answers late", "应答太迟"),
    (r"the converter has no way to the device", "转换器无法连到设备"),
    (r"the device behind the converter does not answer", "转换器后面的设备没有应答"),
    (r".*the answer is another .*", "应答来自别的从站地址：地址可能冲突"),
    (r"\S+: the meter (\S+) .*answers instead of (\S+)", r"应答的是 \1 号表，不是 \2：请核对表号"),
    (r"the meter (\S+) says of itself that it is another one.*", r"\1 号表自报的表号不同：可能换过表"),
    (r"the meter's data are encrypted.*", "表的数据已加密，读不了"),
    (r"it has no key yet: set one \(install\)", "还没有密钥：先安装密钥"),
    (r"it answers, but not with its key: .*", "有应答，但不接受本网关的密钥：可能被复位、调换，或线路被动过手脚"),
    (r"the key file (\S+) cannot be read(: .*)?", r"读不了密钥文件 \1\2"),
    (r"(\S+) is no key file", r"\1 不是密钥文件"),
    (r"it refuses (.+)", r"读头拒绝了指令 \1"),
    (r"a fault inside the gateway", "网关内部故障"),
    (r"(a damaged answer or echo|.*\[(?:[0-9a-f]{2} ?)+\])", r"应答内容有误：\1"),
)
"""What drivers say when they lose a device (`drivers.reports.DeviceLost`), for those who read Chinese.

`tests/drivers/losses.json` names every reason that there is; the console has the same in `areas/machines/losses.ts`.
"""


def lost(why: str, say: Speech) -> str:
    """Why a device does not answer."""
    if say.language == "en":
        return why
    for pattern, words in _WHYS:
        match = re.fullmatch(pattern, why)
        if match is not None:
            return match.expand(words)
    return why


def name_of(profile: Profile, say: Speech) -> str:
    """The product's name."""
    return say.of(profile.name)
