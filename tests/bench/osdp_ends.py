"""The ends of an OSDP line for the bench, each a process: a reader, and what reads it.

`python -m tests.bench.osdp_ends reader PORT`        libosdp's reader; answers as soon as a frame is whole
`python -m tests.bench.osdp_ends bare PORT MS`       libosdp's control panel alone, refreshed every MS milliseconds
`python -m tests.bench.osdp_ends ours PORT BAUD FOLDER`   our driver alone, on uvloop; its keys are in FOLDER

All hold `KEY`. Each prints "ready" when the secure channel stands (the reader: at once). Lines on standard input: the
reader shows its card so often at random moments for "go N SEED" and answers with the moments (s, monotonic) at which it
was given to the library; the others answer "cards" with those at which it came, and "cpu" with their CPU seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import select
import sys
import threading
import time
import tty
from collections.abc import Callable
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import osdp_sys  # type: ignore[import-not-found]

from drivers.osdp.codec import Frame, Frames
from drivers.osdp.panel import Panel  # noqa: F401 - it seeds the library and quiets it

KEY = bytes(range(16))
CARD = "0DC3AB"
BITS = bytes.fromhex("86e1d580")
LEAST_S, MOST_S = 0.12, 0.28
"""Between two cards: longer than a reader is asked for news, and at no fixed moment of that."""


def say(**fields: Any) -> None:
    """One line of JSON."""
    print(json.dumps(fields), flush=True)


def opened(port: str) -> int:
    """The port as bare as can be."""
    fd = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    tty.setraw(fd)
    return fd


def reader(port: str) -> None:
    """A reader at address 0."""
    from simulators.osdp.pd import Pd  # noqa: PLC0415 - the other ends do without

    pd = Pd(0, KEY, {9: 1}, serial_number=1, obey=lambda command: True, states=lambda of: bytes(2))
    fd, frames = opened(port), Frames()
    cards: list[float] = []
    left, due, rng = 0, 0.0, Random(0)
    print("ready", flush=True)
    while True:
        wait = max(0.0, due - time.monotonic()) if left else None
        readable, _, _ = select.select([fd, 0], [], [], wait)
        if fd in readable:
            for found in frames.feed(os.read(fd, 4096), time.monotonic()):
                if isinstance(found, Frame) and not found.reply:
                    os.write(fd, pd.heard(found))
        if 0 in readable:
            words = os.read(0, 1024).split()
            if not words:
                return
            left, rng, cards = int(words[1]), Random(int(words[2])), []
            due = time.monotonic() + rng.uniform(LEAST_S, MOST_S)
        if left and time.monotonic() >= due:
            cards.append(time.monotonic())
            assert pd.card(BITS, 26)
            left -= 1
            due = cards[-1] + rng.uniform(LEAST_S, MOST_S)
            if not left:
                say(cards=cards)


class Whole:
    """A channel that hands whole frames over; the library loses what comes in two reads."""

    id = 0

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._buffer = b""

    def read(self, most: int) -> bytes:
        with contextlib.suppress(BlockingIOError):
            self._buffer += os.read(self._fd, 4096)
        at = self._buffer.find(0x53)
        if at < 0 or len(self._buffer) < at + 4:
            return b""
        end = at + int.from_bytes(self._buffer[at + 2 : at + 4], "little")
        if len(self._buffer) < end:
            return b""
        frame, self._buffer = self._buffer[at:end], self._buffer[end:]
        return frame

    def write(self, data: bytes) -> int:
        return os.write(self._fd, data)

    def flush(self) -> None:
        self._buffer = b""


def answers(cards: list[float]) -> None:
    """Obeys standard input until it ends."""
    for line in sys.stdin:
        if line.strip() == "cards":
            say(cards=cards)
            cards.clear()
        else:
            say(cpu=time.process_time())
    os._exit(0)


def bare(port: str, refresh_ms: str) -> None:
    """The library's own loop."""
    cards: list[float] = []
    info = {
        "name": "r",
        "address": 0,
        "flags": osdp_sys.FLAG_ENFORCE_SECURE,
        "scbk": KEY,
        "channel": Whole(opened(port)),
    }
    panel = osdp_sys.ControlPanel([info])
    panel.set_event_callback(lambda _, event: cards.append(time.monotonic()) if event["event"] == 1 else None)
    pause, standing = float(refresh_ms) / 1000, False
    threading.Thread(target=answers, args=(cards,), daemon=True).start()
    while True:
        panel.refresh()
        time.sleep(pause)
        if not standing and panel.sc_status():
            standing = True
            print("ready", flush=True)


def ours(port: str, baud: str, folder: str) -> None:
    """Our driver, and a sink."""
    import uvloop  # noqa: PLC0415 - the other ends do without

    from drivers.installed import Gateway  # noqa: PLC0415
    from drivers.osdp.opening import open_wire  # noqa: PLC0415
    from drivers.osdp.wires import OsdpSerialBus  # noqa: PLC0415
    from drivers.profiles.files import load  # noqa: PLC0415
    from drivers.reports import CredentialRead, DeviceFound, Report  # noqa: PLC0415

    cards: list[float] = []

    def sink(report: Report) -> None:
        match report:
            case CredentialRead():
                cards.append(time.monotonic())
            case DeviceFound():
                print("ready", flush=True)

    async def run() -> None:
        bus = OsdpSerialBus.model_validate({"kind": "osdp-serial", "port": port, "baud": int(baud)})
        device = SimpleNamespace(unit=0, card=None, secure=True)
        gateway = Gateway(sink, lambda: time.time_ns() // 1_000_000, Path(folder))
        asyncio.get_running_loop().run_in_executor(None, answers, cards)
        await open_wire("line", bus, {"in": (device, load("osdp_reader"))}, gateway).run()

    uvloop.run(run())


if __name__ == "__main__":
    ends: dict[str, Callable[..., None]] = {"reader": reader, "bare": bare, "ours": ours}
    ends[sys.argv[1]](*sys.argv[2:])
