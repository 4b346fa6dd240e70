"""Server-sent events: frames as bytes (WHATWG HTML, section 9.2)."""

from __future__ import annotations

HEARTBEAT = b": beat\n\n"


def frame(name: str, data: bytes, last_id: int | None = None) -> bytes:
    """One event. `data` is JSON text on one line; `last_id` is what the browser sends back when it reconnects."""
    head = b"" if last_id is None else b"id: %d\n" % last_id
    return b"%sevent: %s\ndata: %s\n\n" % (head, name.encode(), data)


def retry(wait_ms: int) -> bytes:
    """How long the browser waits before it reconnects."""
    return b"retry: %d\n\n" % wait_ms


def parse_last_id(text: str) -> int | None:
    """The id in a Last-Event-ID header, None if there is none that we could have given."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None
