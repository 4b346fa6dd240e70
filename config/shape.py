"""Whether a part of a file has the shape that its model asks for; the validator's errors in plain words."""

from __future__ import annotations

import types
from functools import cache
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError

from config.document import Document, Place
from config.mistakes import Mistake, closest, one_of
from contract.texts import Text

P = TypeVar("P")

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


def validated(kind: Any, document: Document, place: Place, mistakes: list[Mistake]) -> Any | None:
    """The part at `place` as `kind` (a model or an annotation), or None with its errors added to `mistakes`."""
    try:
        return _adapter(kind).validate_python(document.at(place))
    except ValidationError as wrong:
        mistakes += [_mistake(kind, document, place, error) for error in wrong.errors(include_url=False)]
        return None


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
        tags = _tags(kind, error["loc"])
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


def _model_at(kind: Any, loc: tuple[Any, ...]) -> type[BaseModel] | None:
    """The model that a validator's location points at, below `kind`."""
    for step in loc:
        options = _options(kind)
        tagged = next((each for each in options if _tag(each) == step), None)
        if tagged is not None:
            kind = tagged
            continue
        for option in options:
            if isinstance(option, type) and issubclass(option, BaseModel):
                found = {field.alias or name: field.annotation for name, field in option.model_fields.items()}
                if step in found:
                    kind = found[step]
                    break
            elif get_origin(option) in {dict, list}:
                kind = get_args(option)[-1]
                break
    models = [each for each in _options(kind) if isinstance(each, type) and issubclass(each, BaseModel)]
    return models[0] if len(models) == 1 else None


def _options(kind: Any) -> list[Any]:
    """What an annotation allows, without the wrappings."""
    origin = get_origin(kind)
    if origin is Annotated:
        return _options(get_args(kind)[0])
    if origin in {Union, types.UnionType}:
        return [option for each in get_args(kind) for option in _options(each)]
    return [kind]


def _tag(kind: Any) -> str | None:
    if not (isinstance(kind, type) and issubclass(kind, BaseModel)) or "kind" not in kind.model_fields:
        return None
    annotation = kind.model_fields["kind"].annotation
    return get_args(annotation)[0] if get_origin(annotation) is Literal else None


def _tags(kind: Any, loc: tuple[Any, ...]) -> list[str]:
    for step in loc:
        for option in _options(kind):
            if isinstance(option, type) and issubclass(option, BaseModel) and step in option.model_fields:
                kind = option.model_fields[step].annotation
    return [tag for tag in (_tag(option) for option in _options(kind)) if tag is not None]
