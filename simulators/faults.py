"""What can be broken on purpose: each fault by name, what it does, and which kind of device it suits. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from contract.texts import Text
from simulators.protocols import PROTOCOLS

FAULTS: Mapping[str, Text] = {
    "silent": Text("不应答，什么也不发", "does not answer and sends nothing"),
    "late": Text("超时之后才应答", "answers only after the time-out"),
    "corrupt": Text("数据损坏（校验或内容错误）", "sends damaged data (wrong checksum or content)"),
    "foreign": Text("以别的从站地址应答", "answers in the name of another unit"),
    "exception": Text("每次都以异常码 4 应答", "answers everything with exception 4"),
    "offline": Text("断电或断网", "has no power or no network"),
    "noise": Text("线路上有干扰字节", "the serial line is full of noise"),
    "hang-up": Text("转换器断开连接", "the converter hangs up instead of answering"),
    "echo": Text("半双工转换器把请求原样回送", "a half-duplex adapter sends every request back"),
    "wrong-number": Text("换成了另一块表，表号不同", "another meter hangs in its place, with another number"),
    "clock-off": Text("时钟快两小时", "its clock is two hours ahead"),
    "stuck": Text("数值冻结，输出和闸杆不动", "values freeze; outputs and the arm do not move"),
    "dry-run": Text("水泵空转，无流量", "the pump turns without water"),
    "trip": Text("过载跳闸停机", "tripped by overload, stands still"),
    "trapped": Text("电梯停在层间，有人被困", "the lift stands between floors with people inside"),
    "flood": Text("进水远大于排水", "far more water comes in than is pumped out"),
    "leak": Text("检测到水浸", "water on the floor"),
    "smoke": Text("检测到烟雾", "smoke in the air"),
    "gas": Text("一氧化碳持续升高", "carbon monoxide keeps rising"),
    "low-battery": Text("电池电量低", "the battery is low"),
    "wrong-type": Text("数值类型错误", "sends values of the wrong type"),
    "huge": Text("发送超大报文", "sends a huge message"),
    "phase-loss": Text("A 相断电", "phase L1 is lost"),
    "replay": Text(
        "把识别结果（含最近几条）都作为离线记录发送", "sends its reads, the last ones again, as stored ones"
    ),
    "repeat": Text("同一识别结果重复发送三次", "sends every read three times"),
    "blind": Text("看不清车牌", "sees no plate"),
    "tamper": Text("外壳被拆开", "its case is open"),
    "factory-reset": Text("恢复出厂，没有密钥", "reset to factory state, without a key"),
    "wrong-key": Text("被换成另一台，密钥不同", "exchanged for another one with another key"),
    "missing": Text("上报缺少必要字段", "leaves out fields that its format demands"),
    "wrong-namespace": Text("XML 命名空间不对", "writes its XML in a foreign name space"),
    "empty-picture": Text("图片部分为空", "sends picture parts with nothing in them"),
    "stop-events": Text("事件结束也上报", "says the end of each event too"),
    "local-epoch": Text("只给本地时间戳", "counts time in its own zone and says no other"),
}

BY_ROLE: Mapping[str, tuple[str, ...]] = {
    "pump": ("dry-run", "trip"),
    "lift": ("trapped",),
    "level": ("flood",),
    "fan": ("trip",),
    "power": ("phase-loss",),
}
"""What can be broken at a machine, however it speaks."""


class Broken(NamedTuple):
    """A fault at work. `until`: monotonic seconds, None until it is taken away."""

    device: str
    fault: str
    until: float | None


@dataclass(frozen=True, slots=True)
class Suits:
    """What decides which faults a device can have: how it speaks, what it is, what its points say."""

    bus: str
    role: str
    points: frozenset[str]
    dialect: str | None = None


class Breakable(NamedTuple):
    """What can be broken at the devices of a protocol. `faults`: in the order in which they are told."""

    faults: Callable[[Suits], tuple[str, ...]]


def suitable(protocol: str, device: Suits) -> tuple[str, ...]:
    """The faults that a device can have, in the order in which they are told."""
    of = PROTOCOLS[protocol]
    return of.part("faults", Breakable).faults(device) if of.has("faults") else ("stuck",)


class Faults:
    """Every fault at work, by device. Times are the caller's monotonic seconds."""

    def __init__(self) -> None:
        self._active: dict[tuple[str, str], float | None] = {}

    def put(self, device: str, fault: str, until: float | None) -> None:
        """Breaks a device; the same fault again only moves its end."""
        self._active[device, fault] = until

    def clear(self, device: str | None = None, fault: str | None = None) -> int:
        """Takes faults away: all, those of a device, or one; tells how many there were."""
        gone = [key for key in self._active if device in (None, key[0]) and fault in (None, key[1])]
        for key in gone:
            del self._active[key]
        return len(gone)

    def expire(self, now: float) -> None:
        """Takes away what has lasted long enough."""
        for key in [key for key, until in self._active.items() if until is not None and until <= now]:
            del self._active[key]

    def has(self, device: str, fault: str) -> bool:
        """Whether a device has this fault now."""
        return (device, fault) in self._active

    def any_of(self, device: str, *faults: str) -> str | None:
        """The first of `faults` that a device has now."""
        return next((fault for fault in faults if (device, fault) in self._active), None)

    def at_work(self) -> list[Broken]:
        """Every fault at work."""
        return [Broken(device, fault, until) for (device, fault), until in self._active.items()]
