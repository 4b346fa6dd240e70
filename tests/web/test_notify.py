"""systemd's notification protocol: one datagram a state, over a path or an abstract socket."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path

import pytest

from web.systemd import keep_watchdog_fed, notify, watchdog_s


def listener(address: str | bytes) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listening.bind(address)
    listening.settimeout(5)
    return listening


def test_ready_reaches_the_supervisor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(tmp_path / "notify")
    with listener(path) as listening:
        monkeypatch.setenv("NOTIFY_SOCKET", path)
        assert notify("READY=1") is True
        assert listening.recv(100) == b"READY=1"


def test_an_abstract_socket_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"gatehouse-test-{os.getpid()}"
    with listener("\0" + name) as listening:
        monkeypatch.setenv("NOTIFY_SOCKET", "@" + name)
        assert notify("STOPPING=1") is True
        assert listening.recv(100) == b"STOPPING=1"


def test_without_a_supervisor_nothing_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert notify("READY=1") is False
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody-here"))
    assert notify("READY=1") is False


@pytest.mark.parametrize(
    ("usec", "pid", "seconds"),
    [("10000000", "", 10.0), ("10000000", "1", None), ("", "", None), ("soon", "", None)],
    ids=["asked", "another process is watched", "not asked", "nonsense"],
)
def test_how_often_a_sign_of_life_is_wanted(
    usec: str, pid: str, seconds: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", usec)
    monkeypatch.setenv("WATCHDOG_PID", pid)
    assert watchdog_s() == seconds


async def test_the_watchdog_is_fed_from_the_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(tmp_path / "notify")
    with listener(path) as listening:
        listening.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", path)
        monkeypatch.setenv("WATCHDOG_USEC", "20000")
        monkeypatch.delenv("WATCHDOG_PID", raising=False)
        feeding = asyncio.create_task(keep_watchdog_fed())
        loop = asyncio.get_running_loop()
        for _ in range(3):
            assert await asyncio.wait_for(loop.sock_recv(listening, 100), 5) == b"WATCHDOG=1"
        feeding.cancel()
