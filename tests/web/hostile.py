"""Requests that nobody means well with, made from a server's own OpenAPI: it answers all of them, and none with 5xx.

Each request begins as one that fits its operation, so that it comes past the first check, and has then some of its
values replaced by what has broken servers before. A seed gives the same requests again.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx
from fastapi import FastAPI

from tests.web.walking import routes

EACH = int(os.environ.get("GATEHOUSE_HOSTILE", "4"))
"""Requests of each operation: a handful with the other tests; hundreds with GATEHOUSE_HOSTILE=300."""

SEEDS = (1,) if EACH < 10 else (1, 2)

ENDLESS = {"/api/live"}
"""A stream without end is asked for elsewhere."""

URL_LENGTH = 50_000
"""Longer ones do not leave the program that asks."""

TEXTS = (
    "", " ", "x", "0", "-1", "1.5", "null", "true", "\x00", "a\x00b", "\ud800", "\udc00\ud83d", "e\u0301\u202e", "😀",
    "长" * 300, "x" * 70_000, "'; DROP TABLE events; --", "%", "%_%", "\\", '"', "{}", "[]", "../../etc/passwd",
    "\r\nX: y", "9" * 400, "1e999", "NaN", "2026-02-30T00:00:00Z", "0000-00-00T00:00:00.000Z",
    "9999-12-31T23:59:59.999-23:59",
    "0001-01-01T00:00:00+23:59", "2026-01-01T00:00:00", "2026-01-01", "24:00", "25:61", "Asia/Nowhere",
    "00000000-0000-0000-0000-000000000000", "MQ", "eyJhIjoxfQ", "WzFd", "lobby-a", "demo", "pump-1.flow",
)  # fmt: skip

NUMBERS = (
    0, -1, 1, 2**31 - 1, 2**31, -(2**31) - 1, 2**53, 2**63 - 1, 2**63, -(2**63) - 1, 2**64, 10**30, 10**300,
    0.1, -0.0, 1e308, float("nan"), float("inf"), float("-inf"),
)  # fmt: skip

Document = Any
"""What json.dumps takes."""


class Asked(NamedTuple):
    """One request."""

    method: str
    url: str
    content: bytes | None
    headers: Mapping[str, str]

    def __str__(self) -> str:
        body = "" if self.content is None else f" {self.content[:400]!r}"
        return f"{self.method.upper()} {self.url[:300]}{body}"


class Hostile:
    """Makes requests for the operations of one server. `known`: ids that are there, so that something is met at all."""

    def __init__(self, app: FastAPI, seed: int, known: Sequence[str]) -> None:
        self._schemas: Mapping[str, Any] = app.openapi()["components"]["schemas"]
        self._random = random.Random(seed)
        self._known = known

    def asked(self, method: str, path: str, operation: Mapping[str, Any]) -> Asked:
        """One request of the operation."""
        query, headers = [], {}
        for parameter in operation.get("parameters", ()):
            name, schema = parameter["name"], parameter["schema"]
            if parameter["in"] == "path":
                path = path.replace("{" + name + "}", self._quoted(self._value(schema)))
            elif parameter["in"] == "query" and (parameter.get("required") or self._chance(0.5)):
                values = self._value(schema)
                for value in values if isinstance(values, list) else [values]:
                    query.append(f"{name}={self._quoted(value)}")
            elif parameter["in"] == "header" and self._chance(0.5):
                headers[name] = str(self._value(schema)).encode("ascii", "ignore").decode()[:5000].strip()
        if self._chance(0.05):
            query.append(f"{self._quoted(self._text())}={self._quoted(self._text())}")
        while sum(map(len, query)) > URL_LENGTH:
            query.pop()
        url = path + ("?" + "&".join(query) if query else "")
        content = None
        if body := operation.get("requestBody"):
            schema = body["content"].get("application/json", {}).get("schema", {})
            content = self._raw(json.dumps(self._value(schema)).encode())
            headers["Content-Type"] = "application/json"
        return Asked(method, url, content, {name: value for name, value in headers.items() if value.isprintable()})

    def _raw(self, content: bytes) -> bytes:
        if not self._chance(0.06):
            return content
        cut = self._random.randrange(len(content) + 1)
        return self._random.choice(
            [
                b"",
                content[:cut],
                content + content,
                b"\xff\xfe" + content,
                b"\xef\xbb\xbf" + content,
                content[:cut] + bytes([self._random.randrange(256)]) + content[cut:],
                b"[" * 50_000,
                b'{"a":' * 20_000,
                b"9" * 10_000,
            ]
        )

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _text(self) -> str:
        return self._random.choice(TEXTS)

    def _quoted(self, value: object) -> str:
        # Long lines are the server's own business before any route is asked.
        text = str(value)[:8000]
        return quote(text.encode("utf-8", "surrogatepass"), safe="") or "%20"

    def _anything(self, depth: int = 0) -> Document:
        what = self._random.randrange(7 if depth < 3 else 4)
        if what == 0:
            return self._text()
        if what == 1:
            return self._random.choice(NUMBERS)
        if what in (2, 3):
            return self._random.choice([None, True, False, [], {}])
        if what == 4:
            return [self._anything(depth + 1) for _ in range(self._random.choice([1, 3, 30]))]
        return {self._text()[:60_000]: self._anything(depth + 1) for _ in range(self._random.choice([1, 3]))}

    def _value(self, schema: Mapping[str, Any], depth: int = 0) -> Document:
        if self._chance(0.1):
            return self._anything()
        return self._fitting(schema, depth)

    def _fitting(self, schema: Mapping[str, Any], depth: int) -> Document:
        if depth > 6:
            return None
        if ref := schema.get("$ref"):
            return self._fitting(self._schemas[ref.rpartition("/")[2]], depth)
        for several in ("anyOf", "oneOf", "allOf"):
            if several in schema:
                return self._fitting(self._random.choice(schema[several]), depth + 1)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._random.choice(schema["enum"])
        match schema.get("type"):
            case "object":
                return self._object(schema, depth)
            case "array":
                return self._array(schema, depth)
            case "string":
                return self._string(schema)
            case "integer":
                return self._whole(schema)
            case "number":
                return self._random.choice([*NUMBERS, 1.5, 30.0])
            case "boolean":
                return self._chance(0.5)
            case "null":
                return None
            case _:
                return self._anything()

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Document]:
        required = schema.get("required", ())
        found = {
            name: self._value(inner, depth + 1)
            for name, inner in schema.get("properties", {}).items()
            if name in required or self._chance(0.6)
        }
        more = schema.get("additionalProperties")
        if isinstance(more, Mapping):
            found |= {self._text()[:60_000]: self._value(more, depth + 1) for _ in range(self._random.randrange(3))}
            found |= {
                name: self._value(more, depth + 1) for name in ("mode", "for_s", "value", "note") if self._chance(0.5)
            }
        elif self._chance(0.05):
            found[self._text()] = self._anything()
        return found

    def _array(self, schema: Mapping[str, Any], depth: int) -> list[Document]:
        if prefix := schema.get("prefixItems"):
            return [self._value(inner, depth + 1) for inner in prefix]
        least = schema.get("minItems", 0)
        items = schema.get("items", {})
        return [self._value(items, depth + 1) for _ in range(least + self._random.choice([0, 0, 1, 2, 40]))]

    def _string(self, schema: Mapping[str, Any]) -> str:
        if self._chance(0.25):
            return self._text()
        match schema.get("format"):
            case "date-time":
                return self._random.choice(
                    ["2026-03-01T00:00:00Z", "2026-03-01T08:00:00.5+08:00", "1970-01-01T00:00:00Z"]
                )
            case "date":
                return "2026-03-01"
            case _:
                known = self._random.choice(self._known)
                return known[: schema.get("maxLength", len(known))].ljust(schema.get("minLength", 0), "x")

    def _whole(self, schema: Mapping[str, Any]) -> int | float:
        if self._chance(0.4):
            return self._random.choice(NUMBERS)
        return self._random.randint(int(schema.get("minimum", 0)), int(min(schema.get("maximum", 1000), 10**9)))


class Answered(NamedTuple):
    """What a server made of one request. `broken`: it failed, or the connection did."""

    asked: Asked
    status: int

    @property
    def broken(self) -> bool:
        return self.status >= 500


async def answers(
    app: FastAPI, client: httpx.AsyncClient, sign_in: Callable[[], Awaitable[None]], *, seed: int, known: Sequence[str]
) -> AsyncIterator[Answered]:
    """What each operation answers to hostile requests; a session that one of them ended is opened again."""
    hostile = Hostile(app, seed, known)
    for method, path, operation in _operations(app):
        for _ in range(EACH):
            asked = hostile.asked(method, path, operation)
            answer = await client.request(asked.method, asked.url, content=asked.content, headers=dict(asked.headers))
            yield Answered(asked, answer.status_code)
            if path == "/api/session" and method == "delete":
                await sign_in()


def _operations(app: FastAPI) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    return ((method, path, operation) for method, path, operation in routes(app) if path not in ENDLESS)


def report(found: Sequence[Answered], seed: int) -> str:
    """Which requests broke the server, to be read by whoever mends it."""
    broken = [f"{one.status} {one.asked}" for one in found if one.broken]
    return "\n".join([f"seed {seed}: {len(broken)} of {len(found)} broke it", *broken[:20]])
