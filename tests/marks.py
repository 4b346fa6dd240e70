"""An event of every kind whose every field says which sight it takes to see it."""

from __future__ import annotations

from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from contract.desired import Role
from contract.kinds import KINDS
from contract.rights import FIELD_SIGHTS, KIND_SIGHTS, SIGHTS, Sight, shapes_in

ALL: tuple[Sight, ...] = get_args(Sight)


def mark(sight: Sight, at: str = "here") -> str:
    """What stands in a field of that sight."""
    return f"MARK{sight}{at}"


def marked(kind: str, at: str = "here") -> msgspec.Raw:
    """Data of that kind, as JSON text."""
    return msgspec.Raw(msgspec.json.encode(_marked(KINDS[kind], KIND_SIGHTS[kind], at)))


def hidden_from(role: Role, at: str = "here") -> list[str]:
    """The marks that must not reach that role."""
    return [mark(sight, at) for sight in ALL if sight not in SIGHTS[role]]


def _marked(shape: type[msgspec.Struct], whole: Sight, at: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, hint in get_type_hints(shape, include_extras=True).items():
        sight: Sight = whole if whole != "site" else _sight(shape, name)
        if words := _words(hint):
            found[name] = words[0]
            continue
        nested = next(iter(shapes_in(hint)), None)
        if nested is None or sight != whole:
            found[name] = mark(sight, at)
        else:
            steps, inner = nested
            found[name] = _marked(inner, whole, at)
            for _ in steps:
                found[name] = [found[name]]
    return found


def _words(hint: Any) -> tuple[Any, ...]:
    """The words of a field that takes no others: nothing can be hidden in it."""
    return get_args(hint) if get_origin(hint) is Literal else ()


def _sight(shape: type[msgspec.Struct], name: str) -> Sight:
    fields = FIELD_SIGHTS[shape]
    others: tuple[Sight, ...] = ("passing", "numbers", "insides")
    return next((sight for sight in others if name in getattr(fields, sight).split()), "site")
