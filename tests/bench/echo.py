"""The limit of `door`: a process that does nothing between a reader's line and a relay board's frame.

`python -m tests.bench.echo`: one JSON line on standard input, {"doors": [[reader_port, board_port, coil], …]}.
"""

from __future__ import annotations

import asyncio
import json
import struct
import sys

import uvloop


async def main() -> None:
    """Dials everything and relays until it is ended."""
    doors: list[tuple[int, int, int]] = json.loads(sys.stdin.readline())["doors"]
    boards: dict[int, asyncio.StreamWriter] = {}
    for _, board, _ in doors:
        if board not in boards:
            reader, boards[board] = await asyncio.open_connection("127.0.0.1", board)
            asyncio.ensure_future(_swallow(reader))  # noqa: RUF006 - lives as long as the process
    await asyncio.gather(*(_relay(reader, boards[board], coil) for reader, board, coil in doors))


async def _swallow(reader: asyncio.StreamReader) -> None:
    while await reader.read(4096):
        pass


async def _relay(port: int, board: asyncio.StreamWriter, coil: int) -> None:
    reader, _ = await asyncio.open_connection("127.0.0.1", port)
    while line := await reader.readline():
        board.write(struct.pack(">HHHBBHH", len(line), 0, 6, 1, 5, coil, 50))


if __name__ == "__main__":
    uvloop.run(main())
