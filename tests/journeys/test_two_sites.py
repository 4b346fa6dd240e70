"""Two sites on one hub, started together: each is its own, and neither disturbs the other."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import aiomqtt
import pytest
from playwright.sync_api import expect

from tests.journeys.browser import Screen, chromium
from tests.journeys.running import RESIDENT_CARD, Demo, eventually
from tests.leftovers import folder_of_this_process

ANNEX_CARD = "04C0FFEE0A1B2C"
SITES = ("demo", "annex")


@pytest.fixture(scope="module")
def both() -> Iterator[Demo]:
    """A demo of two sites."""
    running = Demo.start(folder_of_this_process() / "both", sites=SITES, within_s=150)
    yield running
    assert running.close() == 0


def test_each_site_is_reached_and_stays_online(both: Demo) -> None:
    info = both.info
    assert list(info["sites"]) == list(SITES)
    first = info["sites"]["demo"]
    assert {key: info[key] for key in first} == first
    assert {"gateway:annex", "simulators:annex", "site_broker:annex", "gateway", "hub"} <= info["pids"].keys()
    assert len({of[key] for of in info["sites"].values() for key in ("gateway_url", "sim_url", "journal")}) == 6

    hub = both.hub("manager")

    def births() -> dict[str, int]:
        return {site: len(hub.events(site, kind="gateway.connected")) for site in SITES}

    def online() -> dict[str, bool]:
        return {gateway["id"]: gateway["online"] for gateway in hub.get("/api/gateways")["items"]}

    eventually(lambda: online() == {"demo-gw": True, "annex-gw": True})
    before, until = births(), time.monotonic() + 3
    while time.monotonic() < until:
        assert online() == {"demo-gw": True, "annex-gw": True}
        time.sleep(0.2)
    assert births() == before
    assert {site["id"] for site in hub.get("/api/sites")["items"]} == set(SITES)
    assert {gateway["site"] for gateway in both.hub("guard").get("/api/gateways")["items"]} == {"demo"}


def test_what_is_told_to_one_site_reaches_no_other(both: Demo) -> None:
    hub = both.hub("manager")
    before = {site: hub.last_id(site) for site in SITES}

    def told(site: str, kind: str) -> list[Any]:
        return [event["source"] for event in hub.events(site, after=before[site], kind=kind)]

    # The same id at both sites.
    asked = hub.post("/api/commands", {"site": "annex", "target": "lobby-a", "kind": "door.unlock", "reason": "试门"})
    eventually(lambda: hub.get(f"/api/commands/{asked['id']}")["state"] == "done")
    eventually(lambda: told("annex", "door.released") == ["lobby-a"])

    assert act(both, "--site", "annex", "present", "lobby-a-in", ANNEX_CARD)
    eventually(lambda: told("annex", "access.granted") == ["lobby-a"])
    assert act(both, "present", "lobby-a-in", ANNEX_CARD)
    eventually(lambda: told("demo", "access.denied") == ["lobby-a"])
    assert act(both, "present", "lobby-a-in", RESIDENT_CARD)
    eventually(lambda: told("demo", "access.granted") == ["lobby-a"])
    assert told("annex", "access.denied") == []
    assert [len(told(site, "access.granted")) for site in SITES] == [1, 1]
    assert not act(both, "--site", "nowhere", "devices")


def test_one_site_held_down_is_no_matter_of_the_other(both: Demo) -> None:
    hub = both.hub("manager")
    pids = both.info["pids"]
    with both.down("gateway:annex"):
        states = {gateway["id"]: gateway["online"] for gateway in hub.get("/api/gateways")["items"]}
        assert states["demo-gw"]
        eventually(lambda: not {g["id"]: g["online"] for g in hub.get("/api/gateways")["items"]}["annex-gw"])
    eventually(lambda: {g["id"]: g["online"] for g in hub.get("/api/gateways")["items"]}["annex-gw"])
    after = both.info["pids"]
    assert {name for name in pids if pids[name] != after[name]} == {"gateway:annex"}


@pytest.mark.browser
def test_where_all_sites_stand_together_nothing_is_opened_of_an_unnamed_one(both: Demo) -> None:
    info = both.info
    hub = both.hub("manager")
    names = {site["id"]: site["name"]["zh"] for site in hub.get("/api/sites")["items"]}
    with chromium() as browser:
        screen = Screen(browser, info["hub_url"], "zh")
        screen.sign_in(info["accounts"]["manager"])
        screen.page.goto(f"{info['hub_url']}/guard?site=*")
        expect(screen.at("shell")).to_have_attribute("data-link", "live")
        for site, lane in (("demo", "gate-in"), ("annex", "yard-in")):
            expect(screen.at(f"lane-{lane}")).to_contain_text(names[site])
        assert act(both, "--site", "annex", "present", "lobby-a-in", ANNEX_CARD)
        row = screen.page.locator('[data-testid="entry"][data-place="lobby-a"]').first
        expect(row).to_contain_text(names["annex"])

        # The same door at both sites, and a key that each of them has: it is asked of which.
        screen.page.keyboard.press("1")
        expect(screen.at("which-site")).to_be_visible()
        expect(screen.at("ask-dialog")).to_have_count(0)
        screen.shot("which-site")
        screen.page.keyboard.press(str(list(names).index("annex") + 1))
        expect(screen.at("ask-dialog")).to_contain_text(names["annex"])
        screen.page.keyboard.press("1")
        screen.page.keyboard.press("Enter")
        command = screen.page.locator('[data-testid="command"][data-target="yard-in"]')
        expect(command).to_contain_text(names["annex"])
        expect(command.first).to_have_attribute("data-state", "done", timeout=20_000)
        expect(screen.at("lane-yard-in")).to_have_attribute("data-barrier", "up")
        expect(screen.at("lane-gate-in")).to_have_attribute("data-barrier", "down")
        screen.at("lane-close-yard-in").click()
        screen.at("ask-reason-1").click()
        screen.at("ask-send").click()
        expect(screen.at("lane-yard-in")).to_have_attribute("data-barrier", "down", timeout=30_000)
        screen.close()


async def test_a_sites_accounts_reach_its_own_topics_only(both: Demo) -> None:
    info = both.info
    kept = json.loads((both.data / "kept.json").read_text())
    hub_port = int(info["broker"].rpartition(":")[2])
    password = kept["passwords"]["broker:gateway:annex"]
    hub = aiomqtt.Client("127.0.0.1", hub_port, username="hub", password=kept["passwords"]["broker:hub"])
    annex = aiomqtt.Client("127.0.0.1", hub_port, username="annex-gw", password=password)
    async with hub, annex:
        up = [f"gatehouse/v1/up/s1/{gateway}/test" for gateway in ("demo-gw", "annex-gw")]
        for topic in up:
            await hub.subscribe(topic, qos=1)
        for topic in up:
            await annex.publish(topic, b"{}", qos=1)
        assert await heard_until(hub, up[1]) == [up[1]]
        down = [f"gatehouse/v1/down/{gateway}/test" for gateway in ("demo-gw", "annex-gw")]
        for topic in down:
            await annex.subscribe(topic, qos=1)
        for topic in down:
            await hub.publish(topic, b"{}", qos=1)
        assert await heard_until(annex, down[1]) == [down[1]]

    # The brokers of the sites' own devices know their own people only.
    ports = {site: int(info["sites"][site]["site_broker"].rpartition(":")[2]) for site in SITES}
    secrets = {"demo": "site_broker:gateway", "annex": "site_broker:gateway:annex"}
    for site in SITES:
        for whose in SITES:
            client = aiomqtt.Client(
                "127.0.0.1", ports[site], username="gateway", password=kept["passwords"][secrets[whose]]
            )
            if site == whose:
                async with client:
                    pass
            else:
                with pytest.raises(aiomqtt.MqttError):
                    async with client:
                        pass


async def heard_until(client: aiomqtt.Client, last: str) -> list[str]:
    """The topics of what a client hears, up to the first message of `last`."""
    heard: list[str] = []
    async with asyncio.timeout(20):
        async for message in client.messages:
            heard.append(message.topic.value)
            if heard[-1] == last:
                break
    return heard


def act(demo: Demo, *words: str) -> bool:
    """`python -m simulators act` for this demo; whether it was done."""
    return demo.act(*words).returncode == 0
