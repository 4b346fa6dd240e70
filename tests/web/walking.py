"""Walks over all routes of a server: what it does not know, it refuses by name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
from fastapi import FastAPI

METHODS = ("get", "post", "put", "patch", "delete")
NOBODYS = "no_such_parameter"


def routes(app: FastAPI) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """(method, path, operation) of every route of the API."""
    for path, operations in app.openapi()["paths"].items():
        if path.startswith("/api/"):
            for method, operation in operations.items():
                assert method in METHODS
                yield method, path, operation


def open_bodies(app: FastAPI) -> list[str]:
    """Objects in request bodies that would let an unknown field pass: `<METHOD path>: <schema>`."""
    schemas = app.openapi()["components"]["schemas"]
    found = []
    for method, path, operation in routes(app):
        content = operation.get("requestBody", {}).get("content", {})
        for schema in content.values():
            found += [f"{method.upper()} {path}: {name}" for name in _open(schema["schema"], schemas, set())]
    return found


def _open(schema: Mapping[str, Any], schemas: Mapping[str, Any], seen: set[str]) -> Iterator[str]:
    if ref := schema.get("$ref"):
        name = ref.rpartition("/")[2]
        if name in seen:
            return
        seen.add(name)
        schema = schemas[name]
        if "properties" in schema and schema.get("additionalProperties") is not False:
            yield name
    for inner in (
        *schema.get("properties", {}).values(),
        *schema.get("anyOf", ()),
        *schema.get("prefixItems", ()),
        *([schema["items"]] if isinstance(schema.get("items"), Mapping) else ()),
    ):
        yield from _open(inner, schemas, seen)


async def lenient_routes(app: FastAPI, client: httpx.AsyncClient) -> list[str]:
    """Routes that do not refuse a query parameter that nobody declared, with what they answered."""
    found = []
    for method, path, _ in routes(app):
        url = re.sub(r"\{[^}]*\}", "x", path)
        answer = await client.request(method, url, params={NOBODYS: "1"})
        refused = answer.status_code == 422 and NOBODYS in answer.json()["error"]["fields"]
        if not refused:
            found.append(f"{method.upper()} {path}: {answer.status_code}")
    return found
