"""The demo with its gateway in our hands: the process, its files, its disk and its clock, each of which may fail."""

from __future__ import annotations

import asyncio
import contextlib
import glob
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]

from tests.bench.hostile.ledger import Content
from tests.journeys.running import RESIDENT_CARD, ROOT, Api, Demo, eventually
from tests.leftovers import ends_with_us

DISK_MB = 192
CLOCK_SETTLES_S = 1.2
"""libfaketime reads its file again after a second."""

_AT_HUB = (
    "SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') AS at, kind, source,"
    " CAST(data AS text) AS data FROM events WHERE gateway = $1"
)


def clock_library() -> Path:
    """libfaketime: it gives one process a wall clock of its own (Debian: libfaketime)."""
    found = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")  # noqa: PTH207 - the architecture's name is in it
    if not found:
        raise FileNotFoundError("libfaketime is not installed: deploy/prepare tests")
    return Path(found[0])


class HostileSite:
    """`with HostileSite(folder) as site`: a running demo site whose gateway we start, end and mistreat."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "demo" / "gateway"
        self._clock = folder / "clock"
        self._filler = self.data / "filler"
        self._process: subprocess.Popen[bytes] | None = None
        self._mounted = False
        self.demo: Demo
        self.starts = 0
        self.dead_starts: list[str] = []

    def __enter__(self) -> HostileSite:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.data.mkdir(parents=True)
        self._mount()
        self.set_clock(0)
        try:
            self.demo = Demo.start(self.folder / "demo")
            self._info = self.demo.info
            self.demo.tell("stop", "gateway")
            self.start()
        except BaseException:
            self._unmount()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.end()
            self.demo.close()
        finally:
            self._unmount()

    # --- Where things are

    @property
    def journal(self) -> Path:
        return self.data / "journal.sqlite"

    def file(self, name: str) -> Path:
        return self.data / f"{name}.sqlite"

    def hub(self, role: str) -> Api:
        return Api(self._info["hub_url"], self._info["accounts"][role])

    def gateway(self, role: str) -> Api:
        return Api(self._info["gateway_url"], self._info["accounts"][role])

    @property
    def sim(self) -> Api:
        return Api(self._info["sim_url"])

    # --- The gateway's process

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Starts the gateway and sees that a resident's card opens his door; notes it if not."""
        assert self._process is None
        environment = {
            "LD_PRELOAD": str(clock_library()),
            "FAKETIME_TIMESTAMP_FILE": str(self._clock),
            "FAKETIME_CACHE_DURATION": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "PYTHONUNBUFFERED": "1",
        }
        command = [sys.executable, "-m", "gateway", "--site", "config/sites/demo.yaml", "--data", str(self.data)]
        command += ["--wires", str(self.folder / "demo" / "wires.json")]
        for option, url in (("--port", "gateway_url"), ("--push-port", "push_url")):
            command += [option, self._info[url].rsplit(":", 1)[1]]
        with (self.folder / "gateway.log").open("ab") as output:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=os.environ | environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=ends_with_us(signal.SIGKILL),  # noqa: PLW1509 - one system call, no lock
            )
        self.starts += 1
        try:
            eventually(self._opens, within_s=40)
        except AssertionError as error:
            words = (self.folder / "gateway.log").read_text(errors="replace").strip().splitlines()
            door = self.sim.get("/sim/devices")["doors"]["lobby-a"]
            load = os.getloadavg()[0]
            last = words[-1] if words else ""
            self.dead_starts.append(f"{error}; load {load}, door {door}, last words: {last}"[:600])

    def _opens(self) -> bool:
        """Whether the resident's card releases his door's lock now."""
        sim = self.sim
        if sim.get("/sim/devices")["doors"]["lobby-a"]["lock"] != "locked":
            return False
        if sim.client.post("/sim/readers/lobby-a-in/present", json={"card": RESIDENT_CARD}).status_code != 200:
            return False
        end = time.monotonic() + 2
        while time.monotonic() < end:
            if sim.get("/sim/devices")["doors"]["lobby-a"]["lock"] == "released":
                return True
            time.sleep(0.05)
        return False

    def kill(self) -> None:
        """SIGKILL, in the middle of whatever it does."""
        self._end(signal.SIGKILL)

    def end(self) -> None:
        """As a service is ended."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(number)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(20)

    @contextlib.contextmanager
    def stopped(self, *, kill: bool) -> Iterator[None]:
        """The gateway is gone while something is done to its files."""
        self.kill() if kill else self.end()
        try:
            yield
        finally:
            self.start()

    @contextlib.contextmanager
    def frozen(self, pid: int) -> Iterator[None]:
        """A process that stands still (SIGSTOP)."""
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    # --- Its clock and its disk

    def set_clock(self, ahead_s: float) -> None:
        """The gateway's wall clock is so far ahead of the truth from now on."""
        part = self._clock.with_suffix(".part")
        part.write_text(f"{ahead_s:+.0f}\n")
        part.replace(self._clock)

    def fill_disk(self) -> None:
        """Not a byte is left."""
        with self._filler.open("ab", buffering=0) as filler, contextlib.suppress(OSError):
            while True:
                filler.write(b"\0" * 65_536)
        with self._filler.open("ab", buffering=0) as filler, contextlib.suppress(OSError):
            while True:
                filler.write(b"\0" * 512)

    def free_disk(self) -> None:
        """There is room again."""
        self._filler.unlink(missing_ok=True)

    def _mount(self) -> None:
        # A disk of its own can be full without filling the machine's. Only root may mount one.
        options = ["-t", "tmpfs", "-o", f"size={DISK_MB}m,mode=0700", "gatehouse-torture", str(self.data)]
        subprocess.run(["mount", *options], check=True)
        self._mounted = True

    def _unmount(self) -> None:
        if self._mounted:
            subprocess.run(["umount", "--lazy", str(self.data)], check=False)
            self._mounted = False

    # --- What the hub holds

    def at_hub(self) -> Counter[Content]:
        """Every event of this gateway, as often as it is there."""
        rows = asyncio.run(self._rows(_AT_HUB, self._info["gateway"]))
        return Counter(Content(row["at"], row["kind"], row["source"], row["data"]) for row in rows)

    def asked(self, query: str, *values: object) -> list[Any]:
        """Rows of the hub's database."""
        return asyncio.run(self._rows(query, *values))

    async def _rows(self, query: str, *values: object) -> list[Any]:
        pg = await asyncpg.connect(self._info["database_url"])
        try:
            rows: list[Any] = await pg.fetch(query, *values)
            return rows
        finally:
            await pg.close()

    def settled(self, within_s: float = 120.0) -> bool:
        """Whether the hub has everything within the time."""

        def caught_up() -> bool:
            state = self.gateway("guard").get("/api/journal")
            return bool(state["acked"] == state["last"])

        try:
            eventually(caught_up, within_s=within_s, every_s=0.5)
        except AssertionError:
            return False
        return True
