"""`python -m deploy.console_types`: the console's types, made from what both servers say of themselves.

Every shape of the documents of hub and gateway (`/api/openapi.json`) becomes one in `web/console/src/api/shapes.ts`;
where both have one of a name it is the same one, or this ends with an error. The contract adds what events hold and
what a site consists of. `reasons.json` beside it has the quick reasons. A test makes both again and compares.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import msgspec
from fastapi import APIRouter, FastAPI

from contract.cards import PrintedForm
from contract.commands import CommandKind
from contract.desired import CredentialKind, CredentialState, HolderKind, Role
from contract.facts.alarms import Severity
from contract.facts.entry import Access, CarArrived, CarLeft, HitAcknowledged, PassageMade, PlateSeen
from contract.facts.gateway import CommandResult
from contract.facts.hub import ChangedKind
from contract.facts.people import RecordsRead, RequestRefused
from contract.layout import SiteLayout
from contract.readings import Quality
from gateway.web.app import ROUTERS as GATEWAY
from hub.domains import ROUTERS as HUB
from rules.abilities import Ability
from rules.alarms.rule import AlarmState
from rules.quick_reasons import OFFERED, QUICK_REASONS
from rules.tickets.steps import PersonStep, TicketState
from web.app import EVERYWHERE
from web.language import Language
from web.shapes import Agg, CommandState

FILE = Path(__file__).parents[1] / "web" / "console" / "src" / "api" / "shapes.ts"

REASONS_FILE = FILE.with_name("reasons.json")

WORDS: Mapping[str, Any] = {
    "Role": Role,
    "Language": Language,
    "Severity": Severity,
    "AlarmState": AlarmState,
    "TicketState": TicketState,
    "Ability": Ability,
    "Step": PersonStep,
    "CommandKind": CommandKind,
    "CommandState": CommandState,
    "Quality": Quality,
    "Aggregate": Agg,
    "CredentialKind": CredentialKind,
    "CardForm": PrintedForm,
    "CredentialState": CredentialState,
    "HolderKind": HolderKind,
    "ChangedKind": ChangedKind,
}
"""Words that the console calls by a name: each is a list there, and the type of what is in it."""

FACTS: tuple[type[msgspec.Struct], ...] = (
    Access, CarArrived, CarLeft, HitAcknowledged, PassageMade, PlateSeen, CommandResult, RecordsRead, RequestRefused,
)  # fmt: skip
"""What the console reads of the data of events. A field with a default may be missing: others recorded it before."""

ANSWERED: tuple[type[msgspec.Struct], ...] = (SiteLayout,)
"""Parts of the contract that the servers answer with: every field is there."""

_HEAD = """/** Made by `python -m deploy.console_types` from what both servers say of themselves. Not to be edited. */
"""
_REF = "#/components/schemas/"
_NOT_OURS = frozenset({"HTTPValidationError", "ValidationError"})

Schema = Mapping[str, Any]


def document(routers: Sequence[APIRouter]) -> dict[str, Any]:
    """What a server with these routers, and those that every server has, says of itself."""
    app = FastAPI()
    for router in (*EVERYWHERE, *routers):
        app.include_router(router)
    return app.openapi()


def made() -> str:
    """The file as it shall be. `ValueError` names a shape that the servers have in two ways."""
    shapes: dict[str, tuple[str, str]] = {}
    for name, schema in _every_shape():
        short = name.removesuffix("Shape")
        found = _interface(short, schema)
        if shapes.setdefault(short, found)[1] != found[1]:
            raise ValueError(f"there are two shapes {short}:\n{shapes[short][1]}\n{found[1]}")
    words = (_words(name, get_args(literal)) for name, literal in WORDS.items())
    return "\n".join((_HEAD, *words, *(f"{said}{body}" for _, (said, body) in sorted(shapes.items()))))


def made_reasons() -> str:
    """The quick reasons as the console has them: `words` by code, and which are `offered` for what, as numbered."""
    words = {code: {"zh": text.zh, "en": text.en} for code, text in QUICK_REASONS.items()}
    return json.dumps({"words": words, "offered": OFFERED}, ensure_ascii=False, indent=2) + "\n"


def _every_shape() -> Iterator[tuple[str, Schema]]:
    for routers in (HUB, GATEWAY):
        whole = document(routers)
        every = whole["components"]["schemas"]
        asked = frozenset(_named([each for _, _, each in operations(whole)], every, "requestBody"))
        for name, schema in every.items():
            if name not in _NOT_OURS and not name.startswith("Page_"):
                yield name, schema if name in asked else _answered(schema)
    for structs, told in ((FACTS, False), (ANSWERED, True)):
        _, parts = msgspec.json.schema_components(structs, ref_template=f"{_REF}{{name}}")
        yield from ((name, _answered(schema) if told else schema) for name, schema in parts.items())


def _answered(schema: Schema) -> Schema:
    """The same where a server has filled in what has a default; that of what may be null is not in the document."""
    needed = {*schema.get("required", ())}
    filled = (
        name
        for name, one in schema["properties"].items()
        if "default" in one or {"type": "null"} in one.get("anyOf", ())
    )
    return {**schema, "required": [*needed.union(filled)]}


def operations(document: Schema) -> Iterator[tuple[str, str, Schema]]:
    """(method, path, what it says) of each route in a document."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def _named(found: Any, every: Schema, within: str = "") -> Iterator[str]:
    """The names of the shapes that stand somewhere in there (`within`: in a part of that name), and in those."""
    if isinstance(found, list):
        for each in found:
            yield from _named(each, every, within)
    elif isinstance(found, Mapping):
        if not within and str(found.get("$ref", "")).startswith(_REF):
            name = found["$ref"].removeprefix(_REF)
            yield name
            yield from _named(every[name], every)
        for key, each in found.items():
            yield from _named(each, every, "" if key == within else within)


def _words(name: str, words: Sequence[str]) -> str:
    every = "".join(f"_{sign}" if sign.isupper() and place else sign for place, sign in enumerate(name)).upper()
    every = f"{every[:-1]}IES" if every.endswith("Y") else f"{every}S"
    listed = ", ".join(f'"{word}"' for word in words)
    return f"export const {every} = [{listed}] as const;\nexport type {name} = (typeof {every})[number];\n"


def _interface(name: str, schema: Schema) -> tuple[str, str]:
    """(what is said of it, the type)"""
    words = " ".join(str(schema.get("description", "")).split())
    needed = schema.get("required", ())
    fields = "".join(
        f"  {field}{'' if field in needed else '?'}: {_type(inner)};\n" for field, inner in schema["properties"].items()
    )
    return (f"/** {words} */\n" if words else ""), f"export interface {name} {{\n{fields}}}\n"


def _type(schema: Schema) -> str:
    """The schema as TypeScript says it."""
    if ref := schema.get("$ref"):
        return str(ref).removeprefix(_REF).removesuffix("Shape")
    if "enum" in schema or "const" in schema:
        return _literal(tuple(schema.get("enum", [schema.get("const")])))
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return _union([_type(each) for each in schema[several]])
    match schema.get("type"):
        case "string":
            return "string"
        case "integer" | "number":
            return "number"
        case "boolean":
            return "boolean"
        case "null":
            return "null"
        case "array":
            return _array(schema)
        case "object":
            return _object(schema)
        case list() as types:
            return _union([_type({**schema, "type": one}) for one in types])
        case _:
            return "unknown"


def _literal(words: tuple[str, ...]) -> str:
    named = next((name for name, literal in WORDS.items() if set(get_args(literal)) == set(words)), None)
    return named or " | ".join(f'"{word}"' for word in words)


def _union(types: Sequence[str]) -> str:
    parts = dict.fromkeys(part for each in types for part in ([each] if each.endswith("]") else each.split(" | ")))
    return " | ".join([part for part in parts if part != "null"] + ["null"] * ("null" in parts))


def _array(schema: Schema) -> str:
    if "prefixItems" in schema:
        return f"[{', '.join(_type(each) for each in schema['prefixItems'])}]"
    inner = _type(schema.get("items") or {})
    return f"({inner})[]" if " | " in inner and not inner.endswith("]") else f"{inner}[]"


def _object(schema: Schema) -> str:
    if "properties" in schema:
        needed = schema.get("required", ())
        fields = (f"{name}{'' if name in needed else '?'}: {_type(one)}" for name, one in schema["properties"].items())
        return f"{{ {'; '.join(fields)} }}"
    key = _type(schema["propertyNames"]) if "enum" in schema.get("propertyNames", {}) else "string"
    inner = schema.get("additionalProperties")
    return f"Record<{key}, {_type(inner) if isinstance(inner, Mapping) else 'unknown'}>"


if __name__ == "__main__":
    FILE.write_text(made())
    REASONS_FILE.write_text(made_reasons())
    sys.stderr.write(f"{FILE} is made\n")
