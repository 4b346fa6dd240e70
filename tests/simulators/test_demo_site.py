"""What a demo of several sites keeps by site, and what it says no to before anything starts."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from config import SiteErrors, load_site
from simulators.demo.demo import DemoError, demo_of, read_sites
from simulators.demo.site import DemoKeys

SITES = Path(__file__).parents[2] / "config" / "sites"
BOTH = f"{SITES / 'demo.yaml'},{SITES / 'annex.yaml'}"


def kept(folder: Path, *sites: str) -> DemoKeys:
    names: list[Any] = [SimpleNamespace(site=site) for site in sites]
    return DemoKeys.load(folder / "kept.json", names)


def test_what_is_kept_goes_with_the_site_in_whatever_order_they_are_named(tmp_path: Path) -> None:
    alone = kept(tmp_path, "demo")
    both = kept(tmp_path, "demo", "annex")
    swapped = kept(tmp_path, "annex", "demo")
    assert both.homes == swapped.homes == {"demo": ".", "annex": "sites/annex"}
    assert alone.ports.items() <= both.ports.items()
    assert (both.ports, both.passwords) == (swapped.ports, swapped.passwords)
    assert len(set(both.ports.values())) == 9
    assert len(set(both.passwords.values())) == len(both.passwords)


def test_a_demo_from_before_there_were_several_keeps_its_folder(tmp_path: Path) -> None:
    ports = {"gateway": 21001, "simulators": 21002, "broker": 21003, "site_broker": 21004}
    (tmp_path / "kept.json").write_text(json.dumps({"ports": ports, "passwords": {"guard": "as-it-was"}}))
    found = kept(tmp_path, "demo")
    assert (found.homes, found.passwords["guard"], found.mark("demo")) == ({"demo": "."}, "as-it-was", "")


def test_the_first_site_has_plain_names(tmp_path: Path) -> None:
    sites = read_sites(BOTH)
    demo = demo_of(
        tmp_path, sites, DemoKeys.load(tmp_path / "kept.json", [of.site for of in sites]), 8080, rhythm=False
    )
    first, second = demo.sites
    assert [of.gateway().name for of in demo.sites] == ["gateway", "gateway:annex"]
    assert [of.site_broker().program.name for of in demo.sites] == ["site_broker", "site_broker:annex"]
    assert (first.data, second.data) == (tmp_path / "gateway", tmp_path / "sites" / "annex" / "gateway")
    assert second.uplink_user().publish == ("gatehouse/v1/up/s1/annex-gw/#",)
    assert second.uplink_user().subscribe == ("gatehouse/v1/down/annex-gw/#",)
    assert first.reached().keys() == {"gateway", "gateway_url", "push_url", "sim_url", "site_broker", "journal"}


def test_two_sites_must_differ_and_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    twin = tmp_path / "twin.yaml"
    text = (SITES / "annex.yaml").read_text().replace("annex-gw", "demo-gw")
    twin.write_text(text.replace("../rules", str(SITES.parent / "rules")))
    with pytest.raises(DemoError, match=r"gateway demo-gw .*each site needs its own"):
        read_sites(f"{SITES / 'demo.yaml'}, {twin}")
    with pytest.raises(DemoError, match="no site file"):
        read_sites(" , ")
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text("site: [")
    with pytest.raises(ExceptionGroup) as caught:
        read_sites(f"{tmp_path / 'one.yaml'},{tmp_path / 'two.yaml'}")
    said = "\n".join(str(error) for error in caught.value.exceptions)
    assert caught.group_contains(SiteErrors)
    assert all(name in said for name in ("one.yaml", "two.yaml"))
    assert load_site(SITES / "annex.yaml").site.site == "annex"
