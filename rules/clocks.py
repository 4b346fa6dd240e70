"""How wrong a clock is, in words."""

from __future__ import annotations

from contract.texts import Text

_UNITS = (
    (2 * 86_400, 86_400, "天", "d"),
    (2 * 3_600, 3_600, "小时", "h"),
    (2 * 60, 60, "分钟", "min"),
    (0, 1, "秒", "s"),
)
"""From so many seconds on: the unit, in seconds, and its name."""


def how_long(ms: int) -> Text:
    """So many milliseconds in the largest unit that says it well."""
    seconds = ms / 1000
    _, unit, zh, en = next(each for each in _UNITS if seconds >= each[0])
    by = round(seconds / unit)
    return Text(f"{by} {zh}", f"{by} {en}")


def how_far(error_ms: int) -> Text:
    """How far a clock is ahead, or behind if negative, in the largest unit that says it well."""
    by = how_long(abs(error_ms))
    return Text(f"{'快' if error_ms > 0 else '慢'} {by.zh}", f"{by.en} {'ahead' if error_ms > 0 else 'behind'}")
