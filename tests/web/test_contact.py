"""Whoever finds a hole finds whom to tell, where a company names somebody."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.web.servers import house
from web.contact import contact_of, contact_router


async def test_who_is_named_is_told_in_the_form_of_rfc_9116() -> None:
    router = contact_router("mailto:security@example.com", lambda: datetime(2026, 11, 30, tzinfo=UTC))
    async with house(routers=[router]).client() as client:
        answer = await client.get("/.well-known/security.txt")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.text.splitlines() == [
        "Contact: mailto:security@example.com",
        "Expires: 2027-05-29T00:00:00Z",
        "Preferred-Languages: zh, en",
    ]


async def test_where_nobody_is_named_there_is_nothing() -> None:
    async with house(routers=[contact_router("")]).client() as client:
        assert (await client.get("/.well-known/security.txt")).status_code == 404


@pytest.mark.parametrize(
    ("text", "contact"),
    [
        (" security@example.com ", "mailto:security@example.com"),
        ("https://example.com/security", "https://example.com/security"),
        ("tel:+862112345678", "tel:+862112345678"),
        ("", ""),
    ],
)
def test_an_address_is_made_a_uri(text: str, contact: str) -> None:
    assert contact_of(text) == contact


@pytest.mark.parametrize(
    "text", ["example.com", "http://example.com", "javascript:alert(1)", "mailto:a@b\nPolicy: x", "a b@c"]
)
def test_what_is_none_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="begins with none of"):
        contact_of(text)
