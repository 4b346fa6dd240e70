"""The page of the interface works on a network without the world outside, under the servers' own rules for scripts."""

from __future__ import annotations

import re
from typing import Any, cast

import httpx
from fastapi import FastAPI

from simulators.api import build_api
from tests.web.servers import house
from web.headers import CONTENT_SECURITY


async def pages(app: FastAPI, openapi: str) -> tuple[httpx.Response, httpx.Response]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8080") as client:
        page, script = await client.get("/docs"), await client.get("/docs/page.js")
        assert (page.status_code, script.status_code) == (200, 200)
        assert openapi in page.text
        assert (await client.get(openapi)).json()["paths"]
    return page, script


async def test_the_page_asks_no_other_host_and_keeps_the_rules_for_scripts() -> None:
    page, script = await pages(house().app, "/api/openapi.json")
    for answer in (page, script):
        assert not re.search(r"(?:https?:)?//[a-z0-9-]+\.[a-z]", answer.text)
        assert answer.headers["content-security-policy"] == CONTENT_SECURITY
    # A script inside the page would be refused by those rules.
    assert re.findall(r"<script[^>]*>", page.text) == ['<script src="/docs/page.js">']
    assert script.headers["content-type"].startswith("text/javascript")


async def test_the_simulators_have_the_same_page() -> None:
    page, script = await pages(build_api(cast(Any, None)), "/openapi.json")
    assert "cdn" not in page.text + script.text
