"""What is wrong with a field, in words for people: pydantic's error types → Chinese and English."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from contract.texts import Text


class FieldFault(ValueError):
    """Raised by a validator that can say in both languages what it expected.

    `field`: which one is at fault, where the validator looks at several.
    """

    def __init__(self, text: Text, field: str | None = None) -> None:
        super().__init__(text.en)
        self.text = text
        self.field = field


NAME_LENGTH = 200
"""Characters of a field's name in a JSON document at the most."""

_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")
_CHARACTERS = Text("含有无法保存的字符", "has characters that cannot be kept")
_LONG_NAME = Text(f"字段名最多 {NAME_LENGTH} 个字符", f"names of fields have at most {NAME_LENGTH} characters")
_NOT_FINITE = Text("应为有限的数字", "must be a finite number")


def document_fault(document: object) -> FieldFault | None:
    """What no JSON document that people send may hold, whatever its form; None if there is nothing of it.

    U+0000 (no text of people has it, and PostgreSQL takes none), halves of surrogate pairs (no UTF-8 can write them),
    names without end, and numbers that JSON does not know.
    """
    todo: list[tuple[str | None, object]] = [(None, document)]
    while todo:
        place, value = todo.pop()
        match value:
            case str() if _UNWRITABLE.search(value):
                return FieldFault(_CHARACTERS, place)
            case float() if not math.isfinite(value):
                return FieldFault(_NOT_FINITE, place)
            case list() | tuple():
                todo += [(place, one) for one in value]
            case dict():
                for name, one in value.items():
                    if isinstance(name, str) and len(name) > NAME_LENGTH:
                        return FieldFault(_LONG_NAME, place)
                    if isinstance(name, str) and _UNWRITABLE.search(name):
                        return FieldFault(_CHARACTERS, place)
                    todo.append((place or str(name), one))
    return None


MESSAGES: dict[str, Text] = {
    "missing": Text("必填", "is required"),
    "extra_forbidden": Text("没有这个字段", "is not a known field"),
    "json_invalid": Text("请求内容不是有效的 JSON", "the body is not valid JSON"),
    "string_type": Text("应为文本", "must be text"),
    "string_too_short": Text("至少 {min_length} 个字符", "must have at least {min_length} characters"),
    "string_too_long": Text("最多 {max_length} 个字符", "must have at most {max_length} characters"),
    "string_pattern_mismatch": Text("格式不正确，应符合 {pattern}", "must match {pattern}"),
    "int_type": Text("应为整数", "must be a whole number"),
    "int_parsing": Text("应为整数", "must be a whole number"),
    "int_from_float": Text("应为整数", "must be a whole number"),
    "float_type": Text("应为数字", "must be a number"),
    "float_parsing": Text("应为数字", "must be a number"),
    "finite_number": Text("应为有限的数字", "must be a finite number"),
    "bool_type": Text("应为是或否", "must be true or false"),
    "bool_parsing": Text("应为是或否", "must be true or false"),
    "greater_than": Text("应大于 {gt}", "must be greater than {gt}"),
    "greater_than_equal": Text("不能小于 {ge}", "must be at least {ge}"),
    "less_than": Text("应小于 {lt}", "must be less than {lt}"),
    "less_than_equal": Text("不能大于 {le}", "must be at most {le}"),
    "literal_error": Text("应为以下之一：{expected}", "must be one of {expected}"),
    "enum": Text("应为以下之一：{expected}", "must be one of {expected}"),
    "list_type": Text("应为列表", "must be a list"),
    "too_long": Text("最多 {max_length} 项", "must have at most {max_length} items"),
    "too_short": Text("至少 {min_length} 项", "must have at least {min_length} items"),
    "dict_type": Text("应为对象", "must be an object"),
    "model_type": Text("应为对象", "must be an object"),
    "model_attributes_type": Text("应为 JSON 对象", "must be a JSON object"),
    "datetime_parsing": Text("应为 RFC 3339 时间", "must be an RFC 3339 time"),
    "datetime_from_date_parsing": Text("应为 RFC 3339 时间", "must be an RFC 3339 time"),
    "datetime_type": Text("应为 RFC 3339 时间", "must be an RFC 3339 time"),
    "timezone_aware": Text("时间必须带时区", "must name a time zone"),
    "union_tag_invalid": Text("应为以下之一：{expected_tags}", "must be one of {expected_tags}"),
}
"""Error types of pydantic (docs, "Validation errors"); `{name}` is filled from the error's context."""

UNNAMED = Text("无效的值", "is not valid")


def field_texts(errors: Iterable[Mapping[str, Any]]) -> dict[str, Text]:
    """Field → what is wrong with it; the first fault of a field wins. The whole body is the field `body`."""
    texts: dict[str, Text] = {}
    for error in errors:
        texts.setdefault(_field([*error.get("loc", ()), *_named(error)]), _text(error))
    return texts


def _field(loc: Iterable[int | str]) -> str:
    parts = [str(part) for part in loc]
    if len(parts) > 1 and parts[0] in {"body", "query", "path", "header", "cookie"}:
        parts = parts[1:]
    # An invalid JSON text is reported at the character where it broke: that is no field.
    if len(parts) == 1 and parts[0].isdigit():
        return "body"
    return ".".join(parts) or "body"


def _named(error: Mapping[str, Any]) -> list[str]:
    cause = (error.get("ctx") or {}).get("error")
    return [cause.field] if isinstance(cause, FieldFault) and cause.field else []


def _text(error: Mapping[str, Any]) -> Text:
    context = error.get("ctx") or {}
    cause = context.get("error")
    if isinstance(cause, FieldFault):
        return cause.text
    text = MESSAGES.get(str(error.get("type")), UNNAMED)
    words = {name: str(value) for name, value in context.items()}
    try:
        return Text(text.zh.format_map(words), text.en.format_map(words))
    except KeyError:
        return UNNAMED
