"""The attackers of `strain`, each a process of its own: `python -m tests.bench.flood half-open|bodies NUMBER PORT…`."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Sequence

from tests.floods import HalfOpen

ADDRESSES = [f"127.0.3.{number}" for number in range(1, 9)]
BODY = b'{"username": "' + b"x" * 900_000 + b'", "password": "y"}'
PATHS = ("/api/session", "/api/commands", "/push/cam")


async def half_open(number: int, ports: Sequence[int]) -> None:
    """Holds so many connections open for ever."""
    async with HalfOpen(ports, number, ADDRESSES):
        print("floods", flush=True)
        await asyncio.Event().wait()


async def bodies(number: int, ports: Sequence[int]) -> None:
    """So many at once, each again as soon as it is answered."""
    print("floods", flush=True)
    await asyncio.gather(*(_bodies(ports[each % len(ports)], each) for each in range(number)))


async def _bodies(port: int, each: int) -> None:
    path, address = PATHS[each % len(PATHS)], ADDRESSES[each % len(ADDRESSES)]
    head = (
        f"POST {path} HTTP/1.1\r\nHost: site\r\nContent-Type: application/json\r\nContent-Length: {len(BODY)}\r\n\r\n"
    )
    while True:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
            try:
                writer.write(head.encode() + b"\r\n" + BODY)
                await writer.drain()
                await reader.read(4096)
            finally:
                writer.close()
        await asyncio.sleep(0.5)


if __name__ == "__main__":
    what, number, *ports = sys.argv[1:]
    flood = half_open if what == "half-open" else bodies
    asyncio.run(flood(int(number), [int(port) for port in ports]))
