"""The reader of the console's sources sees what is written there."""

from __future__ import annotations

from tests.web.console_asks import asks_in, console_asks

WRITTEN = """
const a = api.get<Page<Item>>("/api/events", { site, kind: [a, b], limit: LIMIT });
const b = () => `/api/pictures/${encodeURIComponent(id)}${tries > 0 ? `?again=${tries}` : ""}`;
const c = `/api/${name}/${encodeURIComponent(id)}?site=${site}`;
const d = api.get(`/api/${name}`, { ...asked, cursor: null });
const e = api.post("/api/session", { username });
"""


def test_paths_and_names_are_read() -> None:
    assert [(path, sorted(names)) for path, names in asks_in(WRITTEN)] == [
        ("/api/events", ["kind", "limit", "site"]),
        ("/api/pictures/{}{}", ["again"]),
        ("/api/{}/{}", ["site"]),
        ("/api/{}", ["cursor"]),
        ("/api/session", []),
    ]


def test_the_console_asks_for_much() -> None:
    found = console_asks()
    assert len({ask.path for ask in found}) > 20
    assert {"/api/pictures/{}", "/api/live"} <= {ask.path for ask in found}
