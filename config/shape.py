"""Whether a part of a file has the shape that its model asks for; the validator's errors in plain words."""

from __future__ import annotations

import copy
import types
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError

from config.document import Document, Place
from config.mistakes import Mistake, closest, one_of
from contract.texts import Text

_KINDS: dict[str, Text] = {
    "string_type": Text("应为文字", "expected a text"),
    "int_type": Text("应为整数", "expected a whole number"),
    "int_parsing": Text("应为整数", "expected a whole number"),
    "int_from_float": Text("应为整数", "expected a whole number"),
    "float_type": Text("应为数字", "expected a number"),
    "float_parsing": Text("应为数字", "expected a number"),
    "finite_number": Text("应为有限的数字", "expected a finite number"),
    "bool_type": Text("应为 true 或 false", "expected true or false"),
    "bool_parsing": Text("应为 true 或 false", "expected true or false"),
    "dict_type": Text("应为若干“名称: 内容”行", "expected lines of `name: …`"),
    "model_type": Text("应为若干“名称: 内容”行", "expected lines of `name: …`"),
    "model_attributes_type": Text("应为若干“名称: 内容”行", "expected lines of `name: …`"),
    "list_type": Text("应为列表：[a, b]", "expected a list: [a, b]"),
    "missing": Text("缺少此项", "is missing"),
    "string_too_short": Text("不能为空", "must not be empty"),
}
_PATTERNS = {
    r"^[a-z0-9_-]{1,64}$": Text(
        "编号只能用小写字母、数字、- 和 _，最多 64 个字符", "an id has lower-case letters, digits, - and _, at most 64"
    ),
    r"^[a-z0-9_-]{1,64}\.[a-z0-9_-]{1,64}$": Text(
        "应写成 设备.点，如 pump-1.flow", "expected device.point, like pump-1.flow"
    ),
}
_BOUNDS: dict[str, tuple[str, Text]] = {
    "greater_than": ("gt", Text("应大于 {bound}", "expected more than {bound}")),
    "greater_than_equal": ("ge", Text("不能小于 {bound}", "expected {bound} or more")),
    "less_than": ("lt", Text("应小于 {bound}", "expected less than {bound}")),
    "less_than_equal": ("le", Text("不能大于 {bound}", "expected {bound} or less")),
    "string_too_long": ("max_length", Text("最多 {bound} 个字符", "at most {bound} characters")),
}


_MENDING_ROUNDS = 4
_STAND_INS: dict[str, Any] = {
    **dict.fromkeys((*_BOUNDS, "int_type", "int_parsing", "int_from_float", "float_type", "float_parsing"), 1),
    **dict.fromkeys(("finite_number", "bool_type", "bool_parsing"), 1),
    "dict_type": {},
    "list_type": [],
}


def validated(kind: Any, document: Document, place: Place, mistakes: list[Mistake]) -> Any | None:
    """The part at `place` as `kind` (a model or an annotation), or None with its errors added to `mistakes`."""
    try:
        return _adapter(kind).validate_python(document.at(place))
    except ValidationError as wrong:
        mistakes += [_mistake(kind, document, place, error) for error in wrong.errors(include_url=False)]
        return None


def mended(kind: Any, document: Document, place: Place) -> tuple[Any | None, frozenset[Place]]:
    """The part at `place` with stand-ins for what has not its shape, and the places where they stand.

    For checks that want to go on; None where too little of the part is left.
    """
    data = copy.deepcopy(document.at(place))
    stand_ins: set[Place] = set()
    for _ in range(_MENDING_ROUNDS):
        try:
            return _adapter(kind).validate_python(data), frozenset(stand_ins)
        except ValidationError as wrong:
            for error in wrong.errors(include_url=False):
                where = _mend(data, error)
                if where is None:
                    return None, frozenset(stand_ins)
                stand_ins.add((*place, *where))
    return None, frozenset(stand_ins)


def _mend(data: Any, error: Any) -> Place | None:
    """Puts a stand-in where `error` points; its place, or None if there is nothing to stand on."""
    path: list[str | int] = []
    for step in error["loc"][:-1]:
        # Steps that are no key of the file are the names of choices.
        if step in (data if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ()):
            data = data[step]
            path.append(step)
    last = error["loc"][-1] if error["loc"] else None
    if isinstance(data, list) and isinstance(last, int):
        data[last] = _STAND_INS.get(error["type"], "-")
    elif not isinstance(data, dict) or last is None or last == "[key]":
        return None
    elif error["type"] == "extra_forbidden":
        del data[last]
    elif error["type"] == "literal_error":
        data[last] = _first_choice(error["ctx"]["expected"])
    elif error["type"].startswith("union_tag"):
        # Which kind was meant is not known, so nothing below it can be checked.
        return None
    else:
        data[last] = _STAND_INS.get(error["type"], "-")
    return (*path, last)


def _first_choice(expected: str) -> str | int:
    """The first of pydantic's list of literals: words in quotes, or numbers."""
    first = expected.replace(" or ", ", ").split(", ")[0]
    return first.strip("'") if first.startswith("'") else int(first)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _mistake(kind: Any, document: Document, base: Place, error: Any) -> Mistake:
    loc = (*base, *error["loc"])
    what = error["type"]
    place = document.place_of(loc)
    if what == "missing":
        place = (*place, loc[-1])
        return document.mistake(place, _KINDS[what], "")
    if what == "extra_forbidden":
        model = _model_at(kind, error["loc"][:-1])
        known = [] if model is None else _words(model)
        return document.mistake(place, _unknown_word(str(loc[-1]), known), str(loc[-1]))
    if what in {"union_tag_invalid", "literal_error"}:
        return _choice(document, place, error)
    if what == "union_tag_not_found":
        tags = [tag for each in _options(_kind_at(kind, error["loc"])) if (tag := _tag(each)) is not None]
        return document.mistake((*place, "kind"), one_of(Text("类型 kind", "its kind"), tags), "")
    return document.mistake(place, _expected(error, document.at(place)))


def _expected(error: Any, value: Any) -> Text:
    what, context = error["type"], error.get("ctx", {})
    if what == "string_type" and value is not None and not isinstance(value, dict | list):
        return Text("应为文字，请加引号", "expected a text: put it in quotes")
    if what == "string_pattern_mismatch" and context["pattern"] in _PATTERNS:
        return _PATTERNS[context["pattern"]]
    if what in _BOUNDS:
        name, words = _BOUNDS[what]
        bound = f"{context[name]:g}"
        return Text(words.zh.format(bound=bound), words.en.format(bound=bound))
    if value is None and what in _KINDS:
        return Text(f"这里没有内容；{_KINDS[what].zh}", f"nothing stands here; {_KINDS[what].en}")
    return _KINDS.get(what, Text(f"不符合要求：{error['msg']}", error["msg"]))


def _choice(document: Document, place: Place, error: Any) -> Mistake:
    context = error["ctx"]
    if error["type"] == "union_tag_invalid":
        place = (*place, context["discriminator"].strip("'"))
        allowed = context["expected_tags"]
    else:
        allowed = context["expected"].replace(" or ", ", ")
    choices = [choice.strip().strip("'") for choice in allowed.split(",")]
    found = document.written(place)
    return document.mistake(place, one_of(Text("下列之一", "one of"), choices, found.strip("'")))


def _unknown_word(word: str, known: list[str]) -> Text:
    likely = closest(word, known)
    if likely is not None:
        return Text(f"没有这一项；是否想写 {likely}？", f"there is no such word here; did you mean {likely}?")
    listed = ", ".join(known)
    return Text(f"没有这一项；可写：{listed}", f"there is no such word here; known are {listed}")


def _words(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _kind_at(kind: object, loc: tuple[object, ...]) -> object:
    """The annotation that a validator's location points at, below `kind`."""
    for step in loc:
        options = _options(kind)
        tagged = next((each for each in options if _tag(each) == step), None)
        kind = (
            tagged if tagged is not None else next((found for each in options if (found := _below(each, step))), kind)
        )
    return kind


def _below(kind: object, step: object) -> object:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return next(
            (field.annotation for name, field in kind.model_fields.items() if step in {name, field.alias}), None
        )
    return get_args(kind)[-1] if get_origin(kind) in {dict, list} else None


def _model_at(kind: object, loc: tuple[object, ...]) -> type[BaseModel] | None:
    options = _options(_kind_at(kind, loc))
    models = [each for each in options if isinstance(each, type) and issubclass(each, BaseModel)]
    return models[0] if len(models) == 1 else None


def _options(kind: object) -> list[Any]:
    """What an annotation allows, without the wrappings."""
    origin = get_origin(kind)
    if origin is Annotated:
        return _options(get_args(kind)[0])
    if origin in {Union, types.UnionType}:
        return [option for each in get_args(kind) for option in _options(each)]
    return [kind]


def _tag(kind: object) -> str | None:
    if not (isinstance(kind, type) and issubclass(kind, BaseModel)) or "kind" not in kind.model_fields:
        return None
    annotation = kind.model_fields["kind"].annotation
    return get_args(annotation)[0] if get_origin(annotation) is Literal else None
