"""Who wants to hear of something. One of them that fails keeps nobody else from hearing, and nothing from going on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import structlog

log = structlog.get_logger(__name__)

T = TypeVar("T")


class Listeners(Generic[T]):
    """Told in the order in which they came. `failed`: how often one of them failed; `of`: what they hear of, for the
    log."""

    def __init__(self, of: str) -> None:
        self.failed = 0
        self._of = of
        self._calls: list[Callable[[T], None]] = []

    def add(self, call: Callable[[T], None]) -> Callable[[], None]:
        """From now on `call` hears of it, and must return at once; what is returned ends that."""
        self._calls.append(call)
        return lambda: self._calls.remove(call)

    def tell(self, what: T) -> None:
        """Says it to everybody."""
        for call in list(self._calls):
            try:
                call(what)
            except Exception:  # one bad screen must not keep a door from opening, nor the record from going on
                self.failed += 1
                log.exception("a listener failed", of=self._of)
