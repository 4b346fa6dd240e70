"""What came down and could not be understood: counted always, said at most once a minute for each kind."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from contract.errors import ContractError

log = structlog.get_logger(__name__)

QUIET_S = 60.0

OnRefused = Callable[[str, bytes], None]
"""Called with why, and the first bytes, of each message that was refused."""


class Refusals:
    """Counts by kind of message; `on_refused` (if there is one) hears of each."""

    def __init__(self, on_refused: OnRefused | None = None) -> None:
        self._on_refused = on_refused
        self._said_at: dict[str, float] = {}
        self.counts: dict[str, int] = {}

    def refuse(self, kind: str, error: ContractError | str) -> None:
        """Takes note of one message that could not be understood or taken."""
        count = self.counts[kind] = self.counts.get(kind, 0) + 1
        raw = error.raw if isinstance(error, ContractError) else b""
        now = time.monotonic()
        if now - self._said_at.get(kind, -QUIET_S) >= QUIET_S:
            self._said_at[kind] = now
            log.warning("uplink.refused", kind=kind, why=str(error), count=count, sample=raw[:80])
        if self._on_refused is not None:
            self._on_refused(f"{kind}: {error}", raw)
