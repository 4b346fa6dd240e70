"""Wires that are ended send nothing more, and serial lines are read with their parity."""

from __future__ import annotations

import asyncio
import os
import socket
import termios
import tty
from collections.abc import Iterator
from typing import Any

import pytest
import serial_asyncio_fast

from drivers.errors import WireDown
from drivers.meters.wire import STRAY_LIMIT, OpenedLine
from drivers.ports import SerialOpener, TcpOpener


async def test_a_line_that_takes_no_bytes_is_given_up_with_all_that_was_sent() -> None:
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as far:
        line = OpenedLine(TcpOpener("127.0.0.1", far.getsockname()[1]), remote=True)
        await line.open()
        taken, _ = far.accept()
        line.send(bytes(64_000_000))
        with pytest.raises(WireDown, match="takes no bytes"):
            await line.received(loop.time() + 0.05)
        assert not line.connected
        taken.settimeout(10)
        with taken, pytest.raises(ConnectionResetError):
            while await loop.run_in_executor(None, taken.recv, 1_000_000):
                pass


async def test_a_connection_that_the_other_end_has_closed_is_ended_without_a_fault() -> None:
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as far:
        line = OpenedLine(TcpOpener("127.0.0.1", far.getsockname()[1]), remote=True)
        await line.open()
        far.accept()[0].close()
        with pytest.raises(WireDown, match="closed by the other end"):
            await line.received(loop.time() + 10)
        await asyncio.sleep(0)
        line.close()


async def test_what_comes_while_nobody_listens_is_bounded() -> None:
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as far:
        line = OpenedLine(TcpOpener("127.0.0.1", far.getsockname()[1]), remote=True)
        await line.open()
        chatter, _ = far.accept()
        with chatter:
            chatter.settimeout(10)
            await loop.run_in_executor(None, chatter.sendall, bytes(8_000_000))
            assert 0 < len(line.send(b"?")) <= STRAY_LIMIT
        line.close()


@pytest.fixture
def pty() -> Iterator[tuple[int, str]]:
    """A line's far end, and the name of its near one."""
    far, near = os.openpty()
    tty.setraw(near)
    yield far, os.ttyname(near)
    os.close(far)
    os.close(near)


async def test_what_a_serial_port_has_not_sent_is_not_sent_later(
    pty: tuple[int, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pseudo terminal has delivered at once: that the kernel is told to drop the rest is all that can be seen."""
    dropped: list[int] = []
    monkeypatch.setattr(termios, "tcflush", lambda fd, what: dropped.append(what))
    line = OpenedLine(SerialOpener(pty[1], baud=9600, parity="N"), remote=False)
    await line.open()
    line.send(b"open the valve")
    dropped.clear()
    line.close()
    assert dropped == [termios.TCOFLUSH]


@pytest.mark.parametrize(("parity", "checked"), [("E", True), ("O", True), ("N", False)])
async def test_bytes_of_wrong_parity_are_dropped(
    pty: tuple[int, str], monkeypatch: pytest.MonkeyPatch, parity: str, checked: bool
) -> None:
    _, name = pty
    create = serial_asyncio_fast.create_serial_connection

    async def without_parity(*args: Any, **settings: Any) -> Any:
        """A pseudo terminal has none."""
        return await create(*args, **settings | {"parity": "N"})

    monkeypatch.setattr(serial_asyncio_fast, "create_serial_connection", without_parity)
    line = OpenedLine(SerialOpener(name, baud=9600, parity=parity), remote=False)
    await line.open()
    wanted = termios.INPCK | termios.IGNPAR
    near = os.open(name, os.O_RDWR | os.O_NOCTTY)
    assert (termios.tcgetattr(near)[0] & wanted == wanted) is checked
    os.close(near)
    line.close()
