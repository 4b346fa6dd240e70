"""Small products for tests, written as profile files are."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from drivers.profiles.files import parse
from drivers.profiles.profile import Profile
from drivers.profiles.words import CardFormat

HEAD = """
id: probe
kind: test
protocol: modbus
name: {zh: 测试, en: Test}
confidence: own
sources: [these tests]
"""


def product(body: str, head: str = HEAD) -> Profile:
    """The profile in `head` and `body`."""
    return parse((head + body).encode(), Path("probe.yaml"))


@dataclass
class Installed:
    """What a site file says of a device."""

    unit: int = 1
    address: str | None = None
    topic: str | None = None
    poll_s: float | None = None
    scale_by: dict[str, float] = field(default_factory=dict)
    card: CardFormat | None = None
    password_file: str | None = None
    secure: bool = True


def registers(count: int, *, fc: int = 3, first: int = 0, period_s: float = 0.02) -> str:
    """`count` points r0, r1, … in consecutive registers, read every `period_s`."""
    points = "\n".join(
        f"  r{at}: {{fc: {fc}, address: {first + at}, name: {{zh: 值 {at}, en: Value {at}}}}}" for at in range(count)
    )
    return f"poll: {{alarm: {period_s}, normal: {period_s}, meter: {period_s}}}\npoints:\n{points}\n"
