"""A running demo as the journeys see it: its addresses, signed-in clients, and the journal beside the hub's rows."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import httpx

from simulators.demo.programs import free_port
from tests.leftovers import ends_with_us

ROOT = Path(__file__).resolve().parents[2]
T = TypeVar("T")

JOURNAL = "SELECT stream, seq, kind FROM events JOIN streams USING (number) ORDER BY number, seq"

RESIDENT_CARD = "04A1B2C3D4E5F6"
REVOKED_CARD = "04DEADBEEF0001"
RESIDENT_PLATE = "沪A12345"
BLOCKED_PLATE = "粤B88888"


def eventually(look: Callable[[], T], *, within_s: float = 20.0, every_s: float = 0.1) -> T:
    """What `look` returns once that is true; the last answer (or error) is in the failure."""
    end = time.monotonic() + within_s
    last: object = None
    while time.monotonic() < end:
        try:
            answer = look()
        except (AssertionError, httpx.HTTPError, KeyError, sqlite3.OperationalError) as error:
            last = error
        else:
            if answer:
                return answer
            last = answer
        time.sleep(every_s)
    raise AssertionError(f"not within {within_s} s; last: {last!r}")


class Api:
    """One server, as one account."""

    def __init__(self, url: str, account: dict[str, str] | None = None) -> None:
        self.client = httpx.Client(base_url=url, timeout=15)
        if account is not None:
            answer = self.client.post("/api/session", json=account)
            assert answer.status_code in {200, 201}, answer.text
            # As an API client signs in: with the token alone.
            self.client.cookies.clear()
            self.client.headers["Authorization"] = f"Bearer {answer.json()['token']}"

    def get(self, path: str, **query: Any) -> Any:
        answer = self.client.get(path, params={key: value for key, value in query.items() if value is not None})
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def post(self, path: str, body: Any = None, *, expect: tuple[int, ...] = (200, 201, 202)) -> Any:
        answer = self.client.post(path, json=body if body is not None else {})
        assert answer.status_code in expect, f"{path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def events(self, site: str | None = "demo", **query: Any) -> list[dict[str, Any]]:
        """Every event after `after` (all without it), oldest first, all pages; `site` None: the company's own too."""
        items: list[dict[str, Any]] = []
        after = query.pop("after", 0)
        while True:
            page = self.get("/api/events", site=site, after=after, limit=500, **query)
            items += page["items"]
            if page["next"] is None:
                return items
            after = page["items"][-1]["id"]

    def last_id(self, site: str | None = "demo") -> int:
        items = self.get("/api/events", site=site, limit=1)["items"]
        return int(items[0]["id"]) if items else 0


class Demo:
    """One demo, started by `Demo.start` and ended by `close`."""

    def __init__(self, process: subprocess.Popen[bytes], announce: Path, data: Path) -> None:
        self.process = process
        self.announce = announce
        self.data = data
        self._apis: dict[tuple[str, str], Api] = {}

    @classmethod
    def start(
        cls, data: Path, *, rhythm: bool = False, within_s: float = 90.0, sites: Sequence[str] = ("demo",)
    ) -> Demo:
        """`python -m simulators demo`, ready."""
        demo = cls.launch(data, rhythm=rhythm, sites=sites)
        try:
            demo.ready(within_s)
        except AssertionError:
            demo.close()
            raise
        return demo

    @classmethod
    def launch(cls, data: Path, *, rhythm: bool = False, sites: Sequence[str] = ("demo",)) -> Demo:
        """`python -m simulators demo`, begun."""
        command = [sys.executable, "-m", "simulators", "demo", "--data", str(data), "--port", str(free_port())]
        command += ["--rhythm", "1" if rhythm else "0"]
        command += ["--site", ",".join(f"config/sites/{site}.yaml" for site in sites)]
        data.parent.mkdir(parents=True, exist_ok=True)
        with (data.parent / f"{data.name}.out").open("ab") as output:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=ends_with_us(signal.SIGTERM),  # noqa: PLW1509 - one system call, no lock
            )
        return cls(process, data.with_suffix(".json"), data)

    def ready(self, within_s: float) -> None:
        """Returns when the demo has announced itself; fails with its words if it ends."""

        def announced() -> bool:
            assert self.process.poll() is None, (self.data.parent / f"{self.data.name}.out").read_text()
            return self.announce.exists()

        eventually(announced, within_s=within_s)

    @property
    def info(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.announce.read_text())
        return found

    def hub(self, role: str = "guard") -> Api:
        """The hub, signed in."""
        return self._api("hub_url", role)

    def gateway(self, role: str = "guard") -> Api:
        """The gateway's own server, signed in with the account that the hub sent down."""
        return self._api("gateway_url", role)

    @property
    def sim(self) -> Api:
        """The simulators' control API."""
        return Api(self.info["sim_url"])

    def _api(self, server: str, role: str) -> Api:
        if (server, role) not in self._apis:
            info = self.info
            self._apis[server, role] = Api(info[server], info["accounts"][role])
        return self._apis[server, role]

    def kill(self, name: str) -> None:
        """SIGKILL; the supervisor starts it again after a second."""
        os.kill(self.info["pids"][name], signal.SIGKILL)

    def tell(self, do: str, name: str) -> None:
        """`python -m simulators demo stop|start NAME`."""
        command = [sys.executable, "-m", "simulators", "demo", do, name, "--data", str(self.data)]
        subprocess.run(command, cwd=ROOT, check=True, timeout=90)

    def act(self, *words: str) -> subprocess.CompletedProcess[str]:
        """`python -m simulators act …` on this demo."""
        command = [sys.executable, "-m", "simulators", "act", "--demo", str(self.announce), *words]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    @contextlib.contextmanager
    def down(self, name: str) -> Iterator[None]:
        """Something held down for a while."""
        self.tell("stop", name)
        try:
            yield
        finally:
            self.tell("start", name)

    def journal(self) -> list[tuple[str, int, str]]:
        """(stream, seq, kind) of everything that the gateway's journal holds, oldest first."""
        with contextlib.closing(sqlite3.connect(f"file:{self.info['journal']}?mode=ro", uri=True)) as journal:
            return [tuple(row) for row in journal.execute(JOURNAL)]

    def synced(self, within_s: float = 40.0) -> None:
        """Until the hub has acknowledged everything that the journal holds."""

        def caught_up() -> bool:
            state = self.gateway().get("/api/journal")
            return bool(state["acked"] == state["last"])

        eventually(caught_up, within_s=within_s)

    def close(self) -> int:
        """Ends it as Ctrl-C does; the exit code."""
        for api in self._apis.values():
            api.client.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
