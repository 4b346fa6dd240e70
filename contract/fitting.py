"""What is to be recorded, brought within the contract's limits: texts that are too long end in a mark.

A device or a person may say more than a record can hold. What they did say must still be recorded, so whoever writes
an event has it fitted here, and no event that this house writes is ever refused for its size.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import TypeVar

import msgspec
from msgspec import inspect

from contract.errors import Malformed
from contract.kinds import data_limit, decode_data, encode_data
from contract.limits import ID_LENGTH

MARK = "…"
"""Stands where the rest of a text was left out."""

_TIGHTER = (1, 4, 16, 64)
"""By how much less than its limit each thing may be, tried in turn until all of it together fits."""

_FEWEST = 20
"""Of rows and named values so many are kept, however tight it gets."""

_HALVES = re.compile("[\ud800-\udfff]")

S = TypeVar("S", bound=msgspec.Struct)


def recorded_data(kind: str, data: msgspec.Struct) -> bytes:
    """The JSON of an event's data, within its limits. `ValueError` if it states more things than its kind may."""
    try:
        text = bytes(encode_data(data))
        decode_data(kind, text)
        if len(text) <= data_limit(kind):
            return text
    except (Malformed, UnicodeEncodeError):
        pass
    for tighter in _TIGHTER:
        text = bytes(encode_data(fitted(data, tighter)))
        if len(text) <= data_limit(kind):
            return text
    raise ValueError(f"data of {kind} is {len(text)} bytes, at most {data_limit(kind)} are recorded")


def fitted(data: S, tighter: int = 1) -> S:
    """The same with every text, row of values and map within its limit (a part of it, if that is `tighter`).

    Of texts the beginning and a mark, of rows and maps the first. Lists of things are left: what they state is all.
    """
    found = _fitted(data, _type_of(type(data)), tighter)
    assert isinstance(found, type(data))
    return found


def shortened(text: str, most: int) -> str:
    """The text, or so much of its beginning that it has `most` characters with the mark."""
    return text if len(text) <= most else text[: most - len(MARK)] + MARK


def writable(text: str) -> str:
    """The text without halves of surrogate pairs, which the JSON of a device may name and no UTF-8 can hold."""
    return text.encode("utf-8", "replace").decode() if _HALVES.search(text) else text


@cache
def _type_of(kind: type) -> inspect.Type:
    return inspect.type_info(kind)


def _fitted(value: object, kind: inspect.Type, tighter: int) -> object:
    choices = kind.types if isinstance(kind, inspect.UnionType) else (kind,)
    for one in choices:
        match value, one:
            case msgspec.Struct(), inspect.StructType() if one.cls is type(value):
                fields = {field.name: _fitted(getattr(value, field.name), field.type, tighter) for field in one.fields}
                return msgspec.structs.replace(value, **fields)
            case str(), inspect.StrType():
                text = writable(value)
                return text if one.max_length is None else shortened(text, _part(one.max_length, tighter, ID_LENGTH))
            case list() | tuple(), inspect.ListType() | inspect.VarTupleType():
                rows = value if isinstance(one.item_type, inspect.StructType) else value[: _most(one, tighter)]
                return type(value)(_fitted(each, one.item_type, tighter) for each in rows)
            case tuple(), inspect.TupleType():
                return tuple(_fitted(each, its, tighter) for each, its in zip(value, one.item_types, strict=True))
            case Mapping(), inspect.DictType():
                named = list(value.items())[: _most(one, tighter)]
                return {
                    _fitted(name, one.key_type, tighter): _fitted(each, one.value_type, tighter) for name, each in named
                }
    return value


def _most(kind: inspect.ListType | inspect.VarTupleType | inspect.DictType, tighter: int) -> int | None:
    return None if kind.max_length is None else _part(kind.max_length, tighter, _FEWEST)


def _part(limit: int, tighter: int, least: int) -> int:
    return min(limit, max(limit // tighter, least))
