"""Who attacks a web server from outside: half-open connections that come back when they are closed."""

from __future__ import annotations

import asyncio
import contextlib
import random
import resource
from collections.abc import Sequence

HALF = b"GET /healthz HTTP/1.1\r\nX-a: "
AGAIN_S = 1.0


class HalfOpen:
    """Holds `number` connections open that never say their whole request: `async with HalfOpen(ports, 1500)`.

    `addresses`: where they come from, all of them of this machine (127.0.0.0/8).
    """

    def __init__(self, ports: Sequence[int], number: int, addresses: Sequence[str]) -> None:
        self._targets = [(ports[n % len(ports)], addresses[n % len(addresses)]) for n in range(number)]
        self._tasks: list[asyncio.Task[None]] = []
        self._tried = asyncio.Event()
        self.opened = 0

    async def __aenter__(self) -> HalfOpen:
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self._tasks = [asyncio.create_task(self._hold(*target)) for target in self._targets]
        await self._tried.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _hold(self, port: int, address: str) -> None:
        while True:
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
                self.opened += 1
                if self.opened >= len(self._targets):
                    self._tried.set()
                try:
                    writer.write(HALF)
                    while await reader.read(1024):
                        pass
                finally:
                    writer.close()
            await asyncio.sleep(AGAIN_S * random.uniform(0.5, 1.5))
