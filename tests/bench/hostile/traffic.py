"""What goes on at the site and at the hub meanwhile: cards, cars, pumps that trip, commands, rights that change."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Callable

import httpx

from tests.bench.hostile.site import HostileSite

READERS = ("lobby-b-in", "garage-in", "garage-out", "pump-house-in", "lobby-a-out")


class Traffic:
    """Threads that go on whatever happens to the site; `with Traffic(site, seed)`."""

    def __init__(self, site: HostileSite, seed: int, *, each_s: float) -> None:
        self._site = site
        self._each_s = each_s
        self._over = threading.Event()
        self.commands: list[str] = []
        self.presented = 0
        jobs: list[Callable[[], None]] = [lambda reader=reader: self._present(reader) for reader in READERS]  # type: ignore[misc]
        jobs += [self._drive, self._trip, self._command, self._change_rights]
        self._random = random.Random(seed)
        self._threads = [threading.Thread(target=self._for_ever, args=(job,), daemon=True) for job in jobs]

    def __enter__(self) -> Traffic:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(30)
        self._site.sim.client.delete("/sim/faults")

    def _for_ever(self, job: Callable[[], None]) -> None:
        while not self._over.is_set():
            try:
                job()
            except (httpx.HTTPError, AssertionError, KeyError, OSError):
                self._over.wait(1)  # somebody is down at the moment

    def _present(self, reader: str) -> None:
        sim = self._site.sim
        while not self._over.is_set():
            # A card that nobody has, told from all others: its decision can be found again.
            card = f"04{uuid.uuid4().hex[:12].upper()}"
            if sim.client.post(f"/sim/readers/{reader}/present", json={"card": card}).status_code == 200:
                self.presented += 1
            self._over.wait(self._each_s)

    def _drive(self) -> None:
        lane = self._random.choice(("gate-in", "gate-out"))
        plate = self._random.choice(("沪A12345", "粤B88888", f"浙C{self._random.randrange(10_000, 99_999)}"))
        self._site.sim.client.post(f"/sim/lanes/{lane}/drive-up", json={"plate": plate})
        self._over.wait(4)

    def _trip(self) -> None:
        device, fault = self._random.choice((("pump-1", "trip"), ("pump-2", "dry-run"), ("pump-2", "silent")))
        body = {"device": device, "fault": fault, "for_s": self._random.uniform(2, 8)}
        self._site.sim.client.post("/sim/faults", json=body)
        self._over.wait(self._random.uniform(4, 12))

    def _command(self) -> None:
        guard = self._site.hub("guard")
        while not self._over.is_set():
            command = {"site": "demo", "target": "garage", "kind": "door.unlock", "reason": uuid.uuid4().hex}
            asked = guard.client.post("/api/commands", json=command)
            if asked.status_code == 202:
                self.commands.append(asked.json()["id"])
            self._over.wait(1)

    def _change_rights(self) -> None:
        manager = self._site.hub("manager")
        while not self._over.is_set():
            name = f"h-{uuid.uuid4().hex[:8]}"
            manager.post("/api/holders", {"site": "demo", "id": name, "name": "访客", "kind": "visitor"})
            card = {"kind": "card", "value": f"05{uuid.uuid4().hex[:12].upper()}", "holder": name}
            manager.post("/api/credentials", {"site": "demo", "id": f"c-{name}", **card})
            self._over.wait(1)
            body = {**card, "state": "revoked"}
            path = f"/api/credentials/c-{name}?site=demo"
            manager.client.put(path, json=body, headers={"If-Match": "*"}).raise_for_status()
            self._over.wait(2)


def wait(seconds: float) -> None:
    """Lets the site go on as it is for a while."""
    time.sleep(seconds)
