"""Which product answers here: what each profile expects is held against what a unit says. Pure.

Every expectation is a piece of evidence, weighed in bits: how much likelier what was seen is if this is the product
than if it is any other device. An address that answers says a little, a valid label of a long enumeration more, a
float of sensible size in the middle of a map more still; a refused address or an impossible value speaks against it.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from contract.texts import Text
from drivers.modbus.decode import Decoder, bit_at, raw
from drivers.modbus.plan import MULTIPLIER, Block, Limits, plan, spans_of
from drivers.modbus.product import RegisterSource
from drivers.profiles.profile import Point, Profile
from drivers.profiles.wording import number, unit

MOST_READS = 5
"""Of one product: a handful is enough to tell it, and a line has many units."""

MOST_REGISTERS = 24
"""Of one read: short enough to be quick at 9600 baud."""

CERTAIN_BITS = 4.0
"""Evidence by which half of the remaining doubt is gone."""

LIKELY, POSSIBLE = 70, 35
"""Scores from which a product is likely, and from which it may be."""

_STRONG, _WEAK = 5.0, -5.0

FOREIGN_REFUSED, FOREIGN_READ = 0.15, -0.4
"""Bits for each address of other products that is refused, as it should be, and that holds something none the less."""

FOREIGN_LIMITS = -4.0, 3.0
"""Profiles do not list every register of a product: this evidence stays small."""


class Read(NamedTuple):
    """One question to a unit."""

    fc: int
    start: int
    size: int


Answer = bytes | int | None
"""The registers (or packed bits), the code of a refusal, or silence."""

SENSIBLE: Mapping[str, tuple[float, float]] = {
    "V": (10, 1000),
    "Hz": (1, 400),
    "A": (0.01, 2000),
    "W": (0.5, 2e6),
    "VA": (0.5, 2e6),
    "kW": (0.001, 5000),
    "kWh": (0.01, 1e8),
    "m3": (0.001, 1e7),
    "m3/h": (0.01, 5000),
    "bar": (0.01, 60),
    "kPa": (0.1, 6000),
    "degC": (-40, 200),
    "%": (0.1, 110),
    "%RH": (1, 100),
    "MPa": (0.001, 60),
    "mA": (0.1, 100),
    "L": (0.01, 1e9),
    "rpm": (1, 20_000),
    "h": (1, 500_000),
    "m": (0.001, 500),
    "mm": (1, 20_000),
}
"""By unit: what a value that is not zero usually is."""


@dataclass(slots=True)
class Fit:
    """How well one product fits. `agreed` of `checked` things were as its profile says; `bits`: the evidence."""

    profile: Profile
    bits: float = 0.0
    checked: int = 0
    agreed: int = 0
    reads: int = 0
    readable: int = 0
    labels: list[Text] = field(default_factory=list)
    values: list[Text] = field(default_factory=list)
    doubts: list[Text] = field(default_factory=list)
    factory: bool = False

    @property
    def score(self) -> int:
        """0 to 100: the share that agrees, as far as there is evidence at all."""
        if self.bits <= 0 or not self.checked:
            return 0
        return round(100 * (self.agreed / self.checked) ** 2 * (1 - 2 ** (-self.bits / CERTAIN_BITS)))

    @property
    def why(self) -> list[Text]:
        """What speaks for it, in words."""
        said = [
            Text(f"{self.readable}/{self.reads} 段地址可读", f"{self.readable} of {self.reads} address ranges readable")
        ]
        if self.labels:
            zh, en = "、".join(t.zh for t in self.labels[:3]), ", ".join(t.en for t in self.labels[:3])
            said.append(Text(f"状态值有效（{zh}）", f"valid states ({en})"))
        if self.values:
            zh, en = "、".join(t.zh for t in self.values[:3]), ", ".join(t.en for t in self.values[:3])
            said.append(Text(f"数值合理（{zh}）", f"sensible values ({en})"))
        if self.factory:
            said.append(Text("串口参数与出厂设置一致", "the line is set as it leaves the factory"))
        return said

    @property
    def against(self) -> list[Text]:
        """What speaks against it."""
        return self.doubts[:3]

    def _seen(self, agrees: bool, likely: float, otherwise: float) -> None:
        """One expectation: its chance to hold for this product, and for any other device."""
        weight = math.log2(likely / otherwise) if agrees else math.log2((1 - likely) / (1 - otherwise))
        self.bits += min(max(weight, _WEAK), _STRONG)
        self.checked += 1
        self.agreed += agrees


def questions(profile: Profile) -> list[Read]:
    """The few reads that say most about whether a unit is this product, the most telling first."""
    return [Read(block.fc, block.start, block.size) for block in _blocks(profile)]


def _blocks(profile: Profile) -> list[Block]:
    spans = [span._replace(group="normal") for span in spans_of(profile) if not span.key.startswith(MULTIPLIER)]
    limits = Limits(min(MOST_REGISTERS, profile.limits.registers), min(64, profile.limits.bits), 0)
    ranked = sorted(plan(spans, limits), key=lambda block: -_worth(profile, block))
    return ranked[:MOST_READS]


def _worth(profile: Profile, block: Block) -> float:
    """How much a block can tell, roughly, in bits."""
    total = 1.5
    for span in block.spans:
        point = profile.points[span.key]
        source = point.source
        if not isinstance(source, RegisterSource):
            continue
        if source.enum:
            total += 2.0
        elif source.type in {"f32", "f64"}:
            total += 2.5
        elif point.unit in SENSIBLE or point.high is not None:
            total += 1.0
        else:
            total += 0.1
    return total


def judge(profile: Profile, answers: Mapping[Read, Answer], factory: bool = False) -> Fit:
    """What the answers that came so far say about one product. `factory`: unit and line are set as it is delivered."""
    fit = Fit(profile, factory=factory)
    decoder = Decoder(profile, dict.fromkeys(profile.multipliers, 1.0))
    for block in _blocks(profile):
        asked = Read(block.fc, block.start, block.size)
        if asked not in answers:
            continue
        answer = answers[asked]
        fit.reads += 1
        readable = isinstance(answer, bytes)
        fit._seen(readable, 0.97, _any_answers(block, answer))
        if isinstance(answer, bytes):
            fit.readable += 1
            _values(fit, decoder, block, answer)
        else:
            fit.doubts.append(_unreadable(block, answer))
    fit.bits += _foreign(profile, answers)
    if factory:
        fit.bits += 1.0
    return fit


def _foreign(profile: Profile, answers: Mapping[Read, Answer]) -> float:
    """What the unit says at addresses that only other products have."""
    own = [(span.fc, span.address, span.end) for span in spans_of(profile)]
    total = 0.0
    for read, answer in answers.items():
        if any(fc == read.fc and start < read.start + read.size and read.start < end for fc, start, end in own):
            continue
        if isinstance(answer, int):
            total += FOREIGN_REFUSED
        elif answer is not None and any(answer):
            total += FOREIGN_READ
    return min(max(total, FOREIGN_LIMITS[0]), FOREIGN_LIMITS[1])


def _any_answers(block: Block, answer: Answer) -> float:
    """How often any device answers such a read. Coils are rarer than registers; zeros many give for everything."""
    if block.fc <= 2:
        return 0.2
    return 0.35 if not isinstance(answer, bytes) or any(answer) else 0.75


def _unreadable(block: Block, answer: int | None) -> Text:
    where = f"fc {block.fc} {block.start}" + (f"–{block.end - 1}" if block.size > 1 else "")
    if answer is None:
        return Text(f"{where} 没有应答", f"{where} gave no answer")
    return Text(f"{where} 被拒绝（异常码 {answer}）", f"{where} was refused (exception {answer})")


def _values(fit: Fit, decoder: Decoder, block: Block, data: bytes) -> None:
    worths = {worth.point: worth for worth in decoder.read(block, data)}
    told: set[tuple[int, int]] = set()
    for span in block.spans:
        point = fit.profile.points[span.key]
        source = point.source
        if not isinstance(source, RegisterSource) or source.bit is not None:
            if isinstance(source, RegisterSource) and block.fc > 2 and (source.fc, source.address) not in told:
                told.add((source.fc, source.address))
                _undefined_bits(fit, source, data, span.address - block.start)
            continue
        value = worths[span.key].value
        figure = raw(source, data, span.address - block.start)
        if source.enum:
            _label(fit, point, source, int(figure), value)
        elif isinstance(figure, float) or figure not in source.invalid:
            _figure(fit, point, source, figure, value)


def _undefined_bits(fit: Fit, source: RegisterSource, data: bytes, at: int) -> None:
    """A status word: bits that the product does not have should be clear."""
    word = int(raw(source, data, at))
    if word == 0 or word in source.invalid:
        return
    defined = 0
    for point in fit.profile.points.values():
        other = point.source
        if isinstance(other, RegisterSource) and (other.fc, other.address) == (source.fc, source.address):
            defined |= 1 << other.bit if other.bit is not None else 0
    inside = not word & ~defined
    share = defined.bit_count() / (16 * source.width)
    fit._seen(inside, 0.8, min(0.75, max(0.05, share ** (word.bit_count()))))
    if not inside:
        fit.doubts.append(
            Text(
                f"地址 {source.address} 有未定义的位（{word:#06x}）",
                f"address {source.address} has undefined bits ({word:#06x})",
            )
        )


def _label(fit: Fit, point: Point, source: RegisterSource, figure: int, value: object) -> None:
    if source.mask is not None:
        figure = (figure & source.mask) // (source.mask & -source.mask)
    if figure == 0:
        if value is None:
            fit._seen(False, 0.9, 0.6)
            fit.doubts.append(Text(f"{point.name.zh} 为 0，未定义", f"{point.name.en} is 0, which is not defined"))
        return
    largest = (1 << source.mask.bit_count() if source.mask is not None else 1 << 16 * source.width) - 1
    chance = sum(1 / raw_ for raw_ in source.enum if raw_ > 0) / math.log(max(largest, 3))
    fit._seen(value is not None, 0.95, min(0.85, max(0.03, chance)))
    if isinstance(value, str) and value in point.labels:
        label = point.labels[value]
        fit.labels.append(Text(f"{point.name.zh} {label.zh}", f"{point.name.en} {label.en}"))
    elif value is None:
        fit.doubts.append(
            Text(f"{point.name.zh} 为 {figure}，不在列表里", f"{point.name.en} is {figure}, which is not in its list")
        )


def _figure(fit: Fit, point: Point, source: RegisterSource, figure: int | float, value: object) -> None:
    held = any(fit.profile.multipliers[name].source is not None for name in source.times)
    if figure == 0 or held:
        # Zero is everywhere; what a multiplier of the device's own makes of a number is not known here.
        return
    sensible = isinstance(value, int | float) and not isinstance(value, bool) and _sensible(point, float(value))
    if isinstance(figure, float):
        fit._seen(sensible, 0.95, 0.05 if point.unit in SENSIBLE else 0.12)
    else:
        chance = _chance(point, source)
        if chance is None:
            return
        fit._seen(sensible, 0.9, chance)
    if sensible:
        shown = f"{number(value)} {unit(point.unit)}".rstrip()  # type: ignore[arg-type]
        fit.values.append(Text(f"{point.name.zh} {shown}", f"{point.name.en} {shown}"))
    else:
        shown = f"{_scaled(source, figure)} {unit(point.unit)}".rstrip()
        fit.doubts.append(Text(f"{point.name.zh} {shown} 不合理", f"{point.name.en} {shown} is not sensible"))


def _scaled(source: RegisterSource, figure: int | float) -> str:
    return number(float(figure) * source.scale + source.offset) if math.isfinite(figure) else str(figure)


def _band(point: Point) -> tuple[float, float] | None:
    band = SENSIBLE.get(point.unit)
    low, high = point.low, point.high
    if band is None:
        return None if high is None else (low or 0.0, high)
    return (band[0] if low is None else min(band[0], low), band[1] if high is None else min(band[1], high))


def _sensible(point: Point, value: float) -> bool:
    if not math.isfinite(value) or (value != 0 and not 1e-6 <= abs(value) <= 1e12):
        return False
    band = _band(point)
    if band is None:
        return True
    low, high = band
    # Power and current flow both ways.
    size = value if low < 0 else abs(value)
    return low <= size <= high


def _chance(point: Point, source: RegisterSource) -> float | None:
    """How often any number but zero in such a register would seem sensible; None: nothing is expected of it."""
    band = _band(point)
    if band is None:
        return None
    largest = (1 << 16 * source.width) - 1
    # Numbers in devices are small more often than large: their logarithms are spread evenly.
    ends = sorted(max(0.0, (end - source.offset) / source.scale) for end in band)
    low, high = max(1.0, ends[0]), min(float(largest), max(1.0, ends[1]))
    share = (math.log(high + 1) - math.log(low)) / math.log(largest)
    return min(0.85, max(0.03, share))


def rank(fits: Iterable[Fit]) -> list[Fit]:
    """The best first; products that nothing speaks for are left out."""
    return sorted((fit for fit in fits if fit.score > 0), key=lambda fit: (-fit.score, -fit.bits, fit.profile.id))


def alike(fits: Sequence[Fit]) -> list[Fit]:
    """The best and those that cannot be told from it."""
    return [fit for fit in fits if fits and fit.score >= fits[0].score - 3 and fit.bits >= fits[0].bits - 1.0]


def words_of(data: bytes) -> tuple[int, ...]:
    """Registers of an answer."""
    return struct.unpack(f">{len(data) // 2}H", data[: len(data) // 2 * 2])


def bits_of(data: bytes, count: int) -> list[int]:
    """Bits of an answer."""
    return [bit_at(data, at) for at in range(count)]
