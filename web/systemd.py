"""Tells systemd how the service fares (sd_notify, systemd's notification protocol), without a library."""

from __future__ import annotations

import asyncio
import os
import socket


def notify(state: str) -> bool:
    """Sends one state (`READY=1`, `STOPPING=1`, `WATCHDOG=1`); False where no supervisor listens."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return False
    if address[0] == "@":  # Linux's abstract sockets begin with a zero byte
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as to:
            to.connect(address)
            to.sendall(state.encode())
    except OSError:
        return False
    return True


def watchdog_s() -> float | None:
    """How often the supervisor wants a sign of life, in seconds; None if it does not ask."""
    asked = os.environ.get("WATCHDOG_USEC", "")
    watched = os.environ.get("WATCHDOG_PID", "")
    if not asked.isdigit() or (watched and watched != str(os.getpid())):
        return None
    return int(asked) / 1_000_000


async def keep_watchdog_fed() -> None:
    """Signs of life from the event loop, twice as often as asked: a loop that hangs stops them."""
    every = watchdog_s()
    if every is None:
        return
    while True:
        notify("WATCHDOG=1")
        await asyncio.sleep(every / 2)
