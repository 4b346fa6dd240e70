"""How much of all requests' bodies a server holds at once. Pure.

Each body has a limit of its own; so many at once must not add up to the machine's memory. No address has all of it, or
one would shut out the others.
"""

from __future__ import annotations

from collections import Counter

from web.addresses import subscriber


class Bodies:
    """Bytes that are held `in_all` and for each address."""

    def __init__(self, in_all: int, each: int) -> None:
        self.in_all = in_all
        self.each = each
        self.held = 0
        self._by_address: Counter[str] = Counter()

    def take(self, address: str, size: int) -> bool:
        """Whether there is room for so many bytes more; then they count until `give_back`."""
        key = subscriber(address)
        if self.held + size > self.in_all or self._by_address[key] + size > self.each:
            if not self._by_address[key]:
                del self._by_address[key]
            return False
        self.held += size
        self._by_address[key] += size
        return True

    def give_back(self, address: str, size: int) -> None:
        """So many bytes are held no more."""
        key = subscriber(address)
        self.held -= size
        self._by_address[key] -= size
        if self._by_address[key] <= 0:
            del self._by_address[key]
