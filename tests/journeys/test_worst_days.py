"""What may happen to a site in its worst week: killed engines, an old disk put back, a killed supervisor.

It has a demo of its own, because it damages what others would stand on.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.journeys.running import RESIDENT_CARD, ROOT, Demo, eventually
from tests.journeys.traffic import (
    assert_hub_holds_the_journal,
    decisions,
    hold_down,
    present_each,
    walk_while,
)
from tests.leftovers import folder_of_this_process


@pytest.fixture(scope="module")
def own() -> Iterator[Demo]:
    """A demo that this module may damage."""
    running = Demo.start(folder_of_this_process() / "worst")
    yield running
    running.close()


def test_the_database_killed_in_mid_traffic(own: Demo) -> None:
    hub = own.hub("admin")
    own.synced()
    before = hub.last_id()
    presented = walk_while(own, lambda: hold_down(own, "postgres", 3))
    own.synced(60)
    assert decisions(own, before) == presented
    assert_hub_holds_the_journal(own)


def test_an_older_journal_copied_back_loses_nothing(own: Demo, tmp_path: Path) -> None:
    """The hub keeps what the older journal does not know; what is recorded after it goes on in a new stream."""
    own.synced()
    before = own.hub().last_id()
    known, lost, later = (cards(kind, 6) for kind in ("A1", "B2", "C3"))
    with own.down("hub"):
        # In the copy these wait for the hub, which will get them from the other journal.
        present_each(own, known)
        with own.down("gateway"):
            copied(own.data / "gateway", tmp_path)
    present_each(own, lost)
    own.synced()
    # A device may be found at any moment: what is asked for below is what the hub has for certain.
    of_the_lost = own.journal()
    own.synced()
    with own.down("gateway"):
        copied(tmp_path, own.data / "gateway")
    assert len(own.journal()) < len(of_the_lost)
    present_each(own, later)
    own.synced(60)

    hub = own.hub("admin")
    seen = Counter(event["data"]["credential"]["value"] for event in hub.events(after=before, kind="access.denied"))
    assert seen == Counter(known + lost + later)
    held = [(event["stream"], event["seq"], event["kind"]) for event in hub.events()]
    assert len(held) == len(set(held))
    assert set(of_the_lost) <= set(held)
    assert set(own.journal()[-len(later) :]) <= set(held)
    [forked] = hub.events(after=before, kind="stream.forked")
    assert forked["data"]["old_stream"] == of_the_lost[-1][0]
    assert forked["stream"] == own.journal()[-1][0] != of_the_lost[-1][0]
    # The first event of the new stream, and it says how far the old one is shared.
    assert forked["seq"] == 1
    assert forked["data"]["agreed"] < of_the_lost[-1][1]
    assert_hub_holds_the_journal(own)
    verified = subprocess.run(
        [sys.executable, "-m", "hub", "verify"],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": own.info["database_url"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr


def cards(kind: str, count: int) -> list[str]:
    """Cards that nobody has, each told from all others."""
    return [f"04{kind}0000000{number:03X}" for number in range(count)]


def copied(source: Path, target: Path) -> None:
    """The journal's files put into another folder, instead of those that are there."""
    for old in target.glob("journal.sqlite*"):
        old.unlink()
    for file in source.glob("journal.sqlite*"):
        shutil.copy2(file, target)


def test_every_device_lost_and_found(own: Demo) -> None:
    """Simulators gone are a site whose wires are all cut: said once of each device, and over when they are back."""
    hub = own.hub("admin")
    own.synced()
    before = hub.last_id()
    devices = {"relay-doors", "relay-gates", "barrier-in", "pump-1", "pump-2", "sump-1", "meter-main", "lift-1"}
    devices |= {"lobby-a-in", "garage-in", "garage-co", "fan-1"}
    with own.down("simulators"):
        eventually(lambda: devices <= sources(own, before, "device.lost"), within_s=40)
    eventually(lambda: sources(own, before, "device.lost") <= sources(own, before, "device.found"), within_s=60)
    lost = Counter(event["source"] for event in hub.events(after=before, kind="device.lost"))
    assert set(lost.values()) == {1}
    before = hub.last_id()
    present_each(own, [RESIDENT_CARD], "lobby-a-in")
    eventually(lambda: hub.events(after=before, kind="access.granted"))
    eventually(lambda: own.sim.get("/sim/devices")["doors"]["lobby-a"]["lock"] == "released", within_s=5)


def sources(demo: Demo, after: int, kind: str) -> set[str]:
    """Of whom the hub was told this."""
    return {event["source"] for event in demo.hub().events(after=after, kind=kind)}


@pytest.mark.parametrize("server", ["hub", "gateway"])
def test_a_wrong_password_ten_times(own: Demo, server: str) -> None:
    # Refused sign-ins are for who looks after accounts.
    api = own.hub("admin") if server == "hub" else own.gateway("manager")
    account = own.info["accounts"]["installer"]
    wrong = account | {"password": "not this one"}
    before = api.last_id(site=None)
    stranger = type(api)(str(api.client.base_url))
    answers = [stranger.client.post("/api/session", json=wrong) for _ in range(10)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429] * 5
    assert answers[-1].json()["error"]["code"] == "too_many"
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 15
    # The right one is not even looked at; another person at the same place is not kept out.
    assert stranger.client.post("/api/session", json=account).status_code == 429
    assert stranger.client.post("/api/session", json=own.info["accounts"]["guard"]).status_code in {200, 201}
    refused = eventually(lambda: api.events(site=None, after=before, kind="session.refused"))
    assert len(refused) == 5
    assert "not this one" not in str(api.events(site=None, after=before))


def test_a_second_demo_in_the_same_folder_is_refused_in_words(own: Demo) -> None:
    before = own.info
    second = subprocess.run(
        [sys.executable, "-m", "simulators", "demo", "--data", str(own.data), "--port", "0"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == 1
    assert "已在运行" in second.stderr
    assert "already running" in second.stderr
    assert str(own.data) in second.stderr
    assert "Traceback" not in second.stderr
    assert own.info == before
    assert own.hub().client.get("/readyz").status_code == 200


def test_the_supervisor_killed_leaves_nobody_behind_and_the_next_start_goes_on(own: Demo) -> None:
    own.synced()
    processes = [psutil.Process(pid) for pid in own.info["pids"].values()]
    processes += [child for process in processes for child in process.children(recursive=True)]
    assert len(processes) > len(own.info["pids"])
    journal, last = own.journal(), own.hub().last_id()
    own.process.send_signal(signal.SIGKILL)
    own.process.wait(10)
    _, alive = psutil.wait_procs(processes, timeout=30)
    assert not alive
    # It could not take its announcement away: the next one does, before somebody believes it.
    assert own.announce.exists()
    again = Demo.launch(own.data)
    try:
        eventually(lambda: not own.announce.exists(), within_s=20, every_s=0.02)
        again.ready(within_s=90)
        assert again.journal()[: len(journal)] == journal
        assert again.hub().last_id() >= last
        present_each(again, [RESIDENT_CARD], "lobby-a-in")
        eventually(lambda: again.hub().events(after=last, kind="access.granted"))
        again.synced()
        assert_hub_holds_the_journal(again)
    finally:
        assert again.close() == 0
