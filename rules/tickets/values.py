"""What is filled into the fields of a piece of work: whether it fits the field, and how it is kept."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date

from contract.texts import Text
from rules.tickets.kinds import Kind, WorkField

FieldValue = str | float | list[str]
"""As it is kept: text, code, day (ISO 8601), id; a number; files by their SHA-256."""

LONGEST_TEXT = 4000
MOST_FILES = 20

_TEXT = Text("应为文字", "expected a text")
_EMPTY = Text("请填写", "must be filled in")
_NUMBER = Text("应为数字", "expected a number")
_DAY = Text("应为日期，如 2026-12-31", "expected a day, like 2026-12-31")
_FILES = Text(f"应为 1 到 {MOST_FILES} 个文件", f"expected 1 to {MOST_FILES} files")
_UNKNOWN = Text("此类工单没有这一项", "This kind of work has no such field")


def checked(field: WorkField, value: object, *, today: date) -> FieldValue | Text:
    """The value as it is kept, or what was expected instead. A day lies within 100 years of `today`."""
    match field.type:
        case "number":
            return _number(field, value)
        case "choice":
            codes = [code for code, _ in field.choices]
            if value in codes and isinstance(value, str):
                return value
            return Text("应为其中之一：" + "、".join(codes), "expected one of " + ", ".join(codes))
        case "date":
            return _day(value, today)
        case "photo" | "signature":
            return _files(value)
        case _:
            return _text(field, value)


def checked_all(
    kind: Kind, asked: tuple[str, ...], values: Mapping[str, object], *, today: date
) -> tuple[dict[str, FieldValue], dict[str, Text]]:
    """What may be kept of what was filled in with a step that asks for `asked`, and what is wrong, by field."""
    kept: dict[str, FieldValue] = {}
    wrong: dict[str, Text] = {}
    for id_, value in values.items():
        field = kind.fields.get(id_)
        if field is None or id_ not in asked:
            wrong[id_] = _UNKNOWN
            continue
        if value is None or (isinstance(value, str | list) and not value):
            continue  # left empty; the flow says whether it may be
        found = checked(field, value, today=today)
        if isinstance(found, Text):
            wrong[id_] = found
        else:
            kept[id_] = found
    return kept, wrong


def _text(field: WorkField, value: object) -> str | Text:
    if not isinstance(value, str):
        return _TEXT
    text = value.strip()
    most = LONGEST_TEXT if field.most is None else int(field.most)
    if len(text) > most:
        return Text(f"最多 {most} 个字符", f"at most {most} characters")
    if not text or (field.least is not None and len(text) < field.least):
        return _EMPTY if not text else Text(f"至少 {field.least:g} 个字符", f"at least {field.least:g} characters")
    return text


def _number(field: WorkField, value: object) -> float | Text:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return _NUMBER
    if field.least is not None and value < field.least:
        return Text(f"不能小于 {field.least:g}", f"expected {field.least:g} or more")
    if field.most is not None and value > field.most:
        return Text(f"不能大于 {field.most:g}", f"expected {field.most:g} or less")
    return value


def _day(value: object, today: date) -> str | Text:
    try:
        day = date.fromisoformat(value) if isinstance(value, str) and len(value) == 10 else None
    except ValueError:
        day = None
    if day is None or abs(day.year - today.year) > 100:
        return _DAY
    return day.isoformat()


def _files(value: object) -> list[str] | Text:
    if not isinstance(value, list) or not 0 < len(value) <= MOST_FILES:
        return _FILES
    if not all(isinstance(each, str) and len(each) == 64 and set(each) <= set("0123456789abcdef") for each in value):
        return _FILES
    return list(dict.fromkeys(value))
