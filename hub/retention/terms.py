"""What the hub keeps how long: settings with defaults that fit Chinese law and the trade's practice. Pure.

Pictures: 30 days, as recordings of public places are kept (video ≥ 30 days). Plates and card numbers: a year, as the
records of entries are (≥ 365 days); the events themselves are the log and the proof of the site (≥ 6 months) and stand
without them. Values of edits: three years, as records of how personal data was handled are (PIPL art. 56), and no
longer than the person themself (art. 19, 47).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import NamedTuple

from contract.texts import Text

AT = time(3, 30)
"""When what is kept no longer goes, by the hub's own clock: the quietest hour of a site."""


@dataclass(frozen=True, slots=True)
class Terms:
    """In days; 0: until there is no room, by hand."""

    pictures: int = 30
    changes: int = 1095
    numbers: int = 365


class RetentionTerm(NamedTuple):
    """One kind of data. `days`: None as long as what it belongs to."""

    what: str
    text: Text
    days: int | None


_PICTURES = Text("相机抓拍的图片", "Pictures of cameras")
_CHANGES = Text("变更记录中的旧值和新值", "Old and new values of changes")
_PEOPLE = Text(
    "人员姓名、房号、门禁介质（删除人员时立即删除）",
    "Names, units and credentials (gone when the person is deleted)",
)
_ANSWERS = Text("防重复提交的应答", "Answers kept against double sending")
_NUMBERS = Text("通行记录中的车牌和卡号", "Plates and card numbers in the history of passages")
_EVENTS = Text("通行与告警等事件，不含姓名", "Events of passages and alarms, without names")


def kept(terms: Terms) -> list[RetentionTerm]:
    """Everything that says something of people, and how long it is kept."""
    return [
        RetentionTerm("pictures", _PICTURES, terms.pictures or None),
        RetentionTerm("numbers", _NUMBERS, terms.numbers or None),
        RetentionTerm("changes", _CHANGES, terms.changes or None),
        RetentionTerm("answers", _ANSWERS, 1),
        RetentionTerm("people", _PEOPLE, None),
        RetentionTerm("events", _EVENTS, None),
    ]


def next_time(now: datetime) -> datetime:
    """When to prune next. `now`, and the answer: the hub's own clock, without a zone."""
    today = datetime.combine(now.date(), AT)
    return today if today > now else today + timedelta(days=1)
