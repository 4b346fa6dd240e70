"""Conditions of alarm rules: CEL over points, compiled once.

A bare name is a point of the rule's own device (`flow < 2.0 && rotating`); another device is its id with `-` → `_`
(`pump_1.flow`). Points are doubles, booleans or texts; arithmetic therefore needs doubles (`flow + 1.0`).

The answer is true, false or None: unknown. A point that is missing, stale, bad or not a number has no name in the
evaluation, so that whatever needs it fails, as does what does not fit the values of this moment; CEL's `&&` and `||`
absorb such a failure on either side: what is true already is true whatever the other sensor says, what is false already
is false. Everything else that is unknown in part is unknown as a whole. Unknown is never taken for an answer.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import cel

from contract.readings import Quality, Value

_TEXTS = re.compile(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"")
_NAMES = re.compile(r"(?<![\w.])([A-Za-z_]\w*)((?:\s*\.\s*[A-Za-z_]\w*)*)(?!\w)")
_HAS = re.compile(r"(?<![\w.])has\s*\(")
_FAILURES = (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError)
"""What an evaluation fails with, by function: overflow, division by zero, an index out of bounds, another type …"""


class ConditionError(ValueError):
    """The text is no condition; the message says where and why, in the words of its author's text."""


class Observed(NamedTuple):
    """What a point was last worth, and how far to trust it."""

    value: Value
    quality: Quality

    @property
    def known(self) -> bool:
        """Whether the value may be taken for one."""
        value = self.value
        return self.quality == "good" and value is not None and not (isinstance(value, float) and math.isnan(value))


class PointName(NamedTuple):
    """A point as a condition names it; `device` "" is the rule's own."""

    device: str
    point: str

    def __str__(self) -> str:
        return f"{self.device}.{self.point}" if self.device else self.point


@dataclass(frozen=True, slots=True)
class Condition:
    """A compiled condition. `names`: the points it looks at; `bound`: each one's `device.point`."""

    text: str
    names: tuple[PointName, ...]
    bound: tuple[tuple[PointName, str], ...] = ()
    _program: cel.Program = field(kw_only=True, repr=False, compare=False)

    def bind(self, own: str, devices: Mapping[str, str]) -> Condition:
        """This condition for the device `own`; `devices`: name in conditions → device id."""
        bound = tuple((name, f"{devices[name.device] if name.device else own}.{name.point}") for name in self.names)
        return Condition(self.text, self.names, bound, _program=self._program)

    @property
    def points(self) -> tuple[str, ...]:
        """The `device.point` of every name."""
        return tuple(point for _, point in self.bound)

    def answer(self, observed: Mapping[str, Observed]) -> bool | None:
        """True or false by what is observed (`device.point` → value), None: unknown."""
        values: dict[PointName, Value] = {}
        for name, point in self.bound:
            seen = observed.get(point)
            if seen is not None and seen.known:
                values[name] = seen.value
        try:
            return self.checked(values)
        except ConditionError:
            return None

    def checked(self, values: Mapping[PointName, Value]) -> bool:
        """True or false by `values`; `ConditionError` if the expression fails on them or is no yes-or-no question."""
        context: dict[str, object] = {}
        for name, value in values.items():
            cel_value = float(value) if isinstance(value, int) and not isinstance(value, bool) else value
            if name.device:
                of_device = context.setdefault(name.device, {})
                assert isinstance(of_device, dict)
                of_device[name.point] = cel_value
            else:
                context[name.point] = cel_value
        try:
            found = self._program.execute(context)
        except _FAILURES as error:
            raise ConditionError(_first_sentence(error)) from error
        if not isinstance(found, bool):
            raise ConditionError(f"its value is {found!r}, not true or false")
        return found


def compile_condition(text: str) -> Condition:
    """The condition in `text` (CEL); `ConditionError` says what is wrong with it."""
    try:
        program = cel.compile(text)
    except ValueError as error:
        raise ConditionError(_syntax(text, error)) from error
    if _HAS.search(_TEXTS.sub("''", text)):
        raise ConditionError("has(…) is not for conditions: a point that is not known is unknown, not absent")
    names = _names(text, frozenset(program.variables()))
    return Condition(text, names, _program=program)


def identifier(device: str) -> str:
    """A device's id as conditions write it."""
    return device.replace("-", "_")


def _names(text: str, roots: frozenset[str]) -> tuple[PointName, ...]:
    names: dict[PointName, None] = {}
    for match in _NAMES.finditer(_TEXTS.sub("''", text)):
        root, rest = match[1], [part.strip() for part in match[2].split(".") if part.strip()]
        if root not in roots:
            continue
        if len(rest) > 1:
            raise ConditionError(f"{root}.{'.'.join(rest)}: a point is written device.point, with one dot")
        names[PointName(root, rest[0]) if rest else PointName("", root)] = None
    for name in names:
        if name.device and PointName("", name.device) in names:
            raise ConditionError(f"{name.device} is a point here and a device there; write the device in both places")
    return tuple(names)


def _syntax(text: str, error: ValueError) -> str:
    at = re.search(r"<input>:(\d+):(\d+)", str(error))
    if at is None:
        return "not a condition"
    column = int(at[2])
    line = text.splitlines()[int(at[1]) - 1] if text.strip() else ""
    if column > len(line):
        return "it ends too early" if line else "it is empty"
    return f"not understood at {line[column - 1 :][:20]!r} (column {column})"


def _first_sentence(error: Exception) -> str:
    return str(error).split(". ")[0]
