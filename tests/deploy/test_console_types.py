"""Both servers say what they answer, down to the last field, and the console's types are what they say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from fastapi import APIRouter

from deploy.console_types import FILE, REASONS_FILE, document, made, made_reasons, operations
from gateway.web.app import ROUTERS as GATEWAY
from hub.domains import ROUTERS as HUB
from tests.web.servers import house

FREE = {
    "Event.data": "by kind: contract.kinds says which",
    "ErrorShape.current": "the record that somebody else has changed, of whatever kind it is",
    "FieldShape.before": "the value of any field of any record",
    "FieldShape.after": "the value of any field of any record",
}
"""What an answer may hold without saying of what form it is, and why."""

NO_JSON = {
    ("GET", "/readyz"): "reasons, for who keeps the server",
    ("GET", "/metrics"): "Prometheus text",
    ("GET", "/api/pictures/{picture}"): "JPEG",
    ("GET", "/api/entries/export"): "CSV, or a workbook",
}
"""Routes that answer with something else, or with what no program of ours reads."""


def test_the_consoles_types_are_what_the_servers_say() -> None:
    assert FILE.read_text() == made(), "python -m deploy.console_types"
    assert REASONS_FILE.read_text() == made_reasons(), "python -m deploy.console_types"


@pytest.mark.parametrize("routers", [HUB, GATEWAY], ids=["hub", "gateway"])
def test_every_answer_says_of_what_form_it_is(routers: Sequence[APIRouter]) -> None:
    whole = house(routers=routers).app.openapi()
    found = list(free(whole))
    assert found
    assert [each for each in found if each not in FREE and each not in NO_JSON] == []


def test_nothing_is_excused_that_is_not_there() -> None:
    found = {each for routers in (HUB, GATEWAY) for each in free(house(routers=routers).app.openapi())}
    assert {*FREE, *NO_JSON} - found == set()


def test_a_free_form_is_found_wherever_it_stands() -> None:
    router = APIRouter()

    @router.get("/api/free")
    async def free_form() -> list[dict[str, Any]]:
        return []

    @router.get("/api/said", response_model=None)
    async def unsaid() -> Any:
        return {}

    ours = [each for each in free(document([router])) if "/api/free" in each or "/api/said" in each]
    assert ours == ["GET /api/free", ("GET", "/api/said")]


def free(whole: Mapping[str, Any]) -> Iterator[str | tuple[str, str]]:
    """What the answers of a server leave open: `<shape>.<field>`, or the route itself."""
    seen: set[str] = set()
    for method, path, operation in operations(whole):
        route = method.upper(), path
        for status, answer in operation["responses"].items():
            schemas = [content.get("schema", {}) for content in answer.get("content", {}).values()]
            if status.startswith("2") and status != "204" and not any(schemas):
                yield route
            for schema in filter(None, schemas):
                yield from _left_open(schema, " ".join(route), whole["components"]["schemas"], seen)


def _left_open(schema: Mapping[str, Any], place: str, every: Mapping[str, Any], seen: set[str]) -> Iterator[str]:
    if ref := schema.get("$ref"):
        name = ref.rpartition("/")[2]
        if name not in seen:
            seen.add(name)
            for field, inner in every[name].get("properties", {}).items():
                yield from _left_open(inner, f"{name}.{field}", every, seen)
        return
    several = [each for word in ("anyOf", "oneOf", "allOf", "prefixItems") for each in schema.get(word, ())]
    if "type" not in schema and not several and "enum" not in schema and "const" not in schema:
        yield place
    for each in several:
        yield from _left_open(each, place, every, seen)
    match schema.get("type"):
        case "array" if "prefixItems" not in schema:
            yield from _left_open(schema.get("items", {}), place, every, seen)
        case "object" if "properties" in schema:
            for field, inner in schema["properties"].items():
                yield from _left_open(inner, f"{place}.{field}", every, seen)
        case "object":
            values = schema.get("additionalProperties")
            yield from _left_open(values if isinstance(values, Mapping) else {}, place, every, seen)
        case _:
            pass
