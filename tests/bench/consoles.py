"""Other people's consoles: live streams of the hub that are read as browsers read them, and counted."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx

SEEN = b'"kind":"access.granted"'


class Consoles:
    """`count` live streams, shared out between accounts, read by a thread of their own."""

    def __init__(self, url: str, accounts: Sequence[Mapping[str, str]], count: int) -> None:
        tokens = [_token(url, account) for account in accounts]
        self._address = urlsplit(url)
        self._tokens = [tokens[number % len(tokens)] for number in range(count)]
        self._loop = asyncio.new_event_loop()
        self._open = threading.Barrier(2)
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._all(),))
        self.granted = [0] * count
        """How many entries by a card each of them was told of."""

    def start(self) -> None:
        """Returns when every stream has had its snapshot."""
        self._thread.start()
        self._open.wait(60)

    def end(self) -> None:
        """Hangs up."""
        self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join(20)

    async def _all(self) -> None:
        self._ending = asyncio.Event()
        begun = [asyncio.Event() for _ in self._tokens]
        reading = [asyncio.ensure_future(self._read(number, begun[number])) for number in range(len(begun))]
        async with asyncio.timeout(60):
            await asyncio.gather(*(event.wait() for event in begun))
        self.granted = [0] * len(begun)
        self._open.wait()
        await self._ending.wait()
        for task in reading:
            task.cancel()
        await asyncio.wait(reading)

    async def _read(self, number: int, begun: asyncio.Event) -> None:
        reader, writer = await asyncio.open_connection(self._address.hostname, self._address.port)
        host = self._address.netloc
        words = f"GET /api/live HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {self._tokens[number]}\r\n\r\n"
        writer.write(words.encode())
        try:
            tail = b""
            while chunk := await reader.read(65_536):
                text = tail + chunk
                if b"event: snapshot" in text:
                    begun.set()
                self.granted[number] += text.count(SEEN) - tail.count(SEEN)
                tail = text[-len(SEEN) :]
        finally:
            writer.close()


@contextmanager
def consoles(url: str, accounts: Sequence[Mapping[str, str]], count: int) -> Iterator[Consoles]:
    """Open while the block runs."""
    them = Consoles(url, accounts, count)
    them.start()
    try:
        yield them
    finally:
        them.end()


def _token(url: str, account: Mapping[str, str]) -> str:
    answer = httpx.post(f"{url}/api/session", json=dict(account), timeout=15)
    assert answer.status_code in {200, 201}, answer.text
    return str(answer.json()["token"])
