"""Loading: wires over buses, the fingerprint, the demo site and its files, the command line, the schemas."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from config import LoadedSite, SiteErrors, load_site
from config.people import load_people
from contract.desired import Block, Credential, Grant, Holder
from drivers.modbus.wires import ModbusRtuBus, ModbusTcpBus
from rules.access.decision import Request, decide
from rules.access.index import AccessIndex
from rules.access.plates import LanePolicy, PlateSight, decide_plate
from tests.config.sites import RULES, instead, loaded, write

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "config" / "sites" / "demo.yaml"
PEOPLE = ROOT / "config" / "examples" / "demo-people.yaml"


@pytest.fixture(scope="module")
def demo() -> LoadedSite:
    return load_site(DEMO)


# --- Wires


def test_wires_say_where_a_bus_really_is(tmp_path: Path) -> None:
    wires = tmp_path / "wires.json"
    wires.write_text(json.dumps({"doors-net": {"host": "127.0.0.1", "port": 40123}, "plant-line": {"port": "/tmp/p"}}))
    site = load_site(write(tmp_path), wires).site
    assert site.buses["doors-net"] == ModbusTcpBus(kind="modbus-tcp", host="127.0.0.1", port=40123)
    assert isinstance(site.buses["plant-line"], ModbusRtuBus)
    assert site.buses["plant-line"].port == "/tmp/p"
    assert load_site(write(tmp_path), {"doors-net": {"port": 7}}).site.buses["doors-net"].model_dump()["port"] == 7


def test_wires_move_the_uplink(tmp_path: Path) -> None:
    moved = load_site(write(tmp_path), {"uplink": {"port": 1999}}).site.uplink
    assert moved is not None
    assert moved.port == 1999


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("{", "cannot be read"),
        ("[1]", "{bus: {"),
        ('{"dors-net": {}}', "did you mean doors-net"),
        ('{"doors-net": 7}', "{field: value}"),
        ('{"doors-net": {"port": "x"}}', "whole number"),
        ('{"doors-net": {"colour": 1}}', "no such word"),
    ],
)
def test_wires_that_cannot_be(content: str, word: str, tmp_path: Path) -> None:
    wires = tmp_path / "wires.json"
    wires.write_text(content)
    with pytest.raises(SiteErrors) as caught:
        load_site(write(tmp_path), wires)
    assert word in str(caught.value)


def test_wires_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(SiteErrors, match="cannot be read"):
        load_site(write(tmp_path), tmp_path / "none.json")


# --- Fingerprint


def test_the_fingerprint_is_of_the_site_not_of_its_wires(tmp_path: Path) -> None:
    plain = loaded(tmp_path, rules=RULES).fingerprint
    assert loaded(tmp_path, rules=RULES).fingerprint == plain
    assert load_site(tmp_path / "site.yaml", {"doors-net": {"port": 7}}).fingerprint == plain
    other_rule = loaded(tmp_path, rules=instead("severity: major", "severity: minor", RULES)).fingerprint
    other_site = loaded(tmp_path, instead("en: Lobby}", "en: Hall}"), rules=RULES).fingerprint
    assert len({plain, other_rule, other_site}) == 3


def test_a_loaded_site_answers_for_its_devices_and_zones(tmp_path: Path) -> None:
    site = loaded(tmp_path)
    assert site.profile_of("pump-1").kind == "pump"
    assert site.zones_of_places() == {"lobby": ["block-a"], "gate": []}
    with pytest.raises(KeyError):
        site.profile_of("nothing")


# --- The example sites


@pytest.mark.parametrize("path", sorted((ROOT / "config" / "sites").glob("*.yaml")), ids=lambda path: path.stem)
def test_each_example_site_is_whole_and_has_people_who_may_enter(path: Path) -> None:
    loaded = load_site(path)
    items = load_people(ROOT / "config" / "examples" / f"{loaded.site.site}-people.yaml", places=loaded.site)
    assert {type(item) for item in items} >= {Holder, Credential, Grant, Block}
    assert loaded.remarks == ()


# --- The demo site


def test_the_demo_site_is_whole(demo: LoadedSite) -> None:
    assert demo.site.site == "demo"
    assert {rule.id for rule in demo.rules} >= {
        "pump-trip",
        "pump-dry-run",
        "pump-motor-hot",
        "sump-high",
        "lift-trapped",
        "lift-fault",
        "garage-co-high",
        "garage-leak",
        "fan-fault",
        "phase-lost",
    }


def test_every_demo_rule_can_rest_says_what_to_do_and_does_not_flutter(demo: LoadedSite) -> None:
    for rule in demo.rules:
        assert rule.response is not None, rule.key
        assert rule.response.zh
        assert rule.response.en
        assert rule.for_s > 0, rule.key
        assert rule.clear_for_s > 0 or rule.id == "barrier-needs-calibration", rule.key


def test_trapped_people_are_critical(demo: LoadedSite) -> None:
    assert {rule.severity for rule in demo.rules if rule.id == "lift-trapped"} == {"critical"}


def test_the_demo_people_meet_the_demo_site(demo: LoadedSite) -> None:
    items = load_people(PEOPLE, places=demo.site)
    index = AccessIndex.of(items, zones=demo.zones_of_places(), timezone=demo.site.timezone)
    now = 1_780_000_000_000
    assert not index.mistakes
    resident = decide(index, Request("lobby-a", "card", "04A1B2C3D4E5F6"), now)
    assert (resident.granted, resident.reason.code) == (True, "granted")
    assert decide(index, Request("lobby-a", "card", "04DEADBEEF0001"), now).reason.code == "revoked"
    entry = LanePolicy("gate-in", "in", visitors=demo.site.lanes["gate-in"].visitors)
    met = {
        plate: decide_plate(index, entry, PlateSight(plate), (), now).reason.code
        for plate in ("沪A12345", "粤B88888", "苏E0Q7X5")
    }
    assert met == {"沪A12345": "granted", "粤B88888": "blocked_plate", "苏E0Q7X5": "visitor_admitted"}
    kinds = [type(item) for item in items]
    assert kinds.count(Holder) >= 30
    assert kinds.count(Credential) > kinds.count(Holder)
    assert Grant in kinds
    assert Block in kinds
    cards = [item.value for item in items if isinstance(item, Credential) and item.kind == "card"]
    assert all(len(card) == 14 for card in cards)
    assert len(cards) == len(set(cards))


# --- For those who write site files


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "config", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_check_says_what_it_found(tmp_path: Path) -> None:
    fine = run("check", str(DEMO), "--people", str(PEOPLE))
    assert fine.returncode == 0, fine.stderr
    assert "doors 4" in fine.stdout
    path = write(tmp_path, instead("bus: doors-net", "bus: door-net"))
    for language, words in (("en", "did you mean doors-net?"), ("zh", "是否想写 doors-net？")):
        bad = run("check", str(path), "--language", language)
        assert bad.returncode == 1
        assert f"{path}:12: devices.relay.bus" in bad.stderr
        assert words in bad.stderr
        assert "Traceback" not in bad.stderr


def test_check_speaks_as_the_machine_does_and_both_languages_where_it_says_none(tmp_path: Path) -> None:
    path = write(tmp_path, instead("gateway: spruce-gw", "gateway: spruce-gw\ntimezone: Asia/Beijing"))
    for locale, languages in (("zh_CN.UTF-8", "zh"), ("en_GB.UTF-8", "en"), ("C.UTF-8", "zh en")):
        environ = {**os.environ, "LC_ALL": locale}
        words = [sys.executable, "-m", "config", "check", str(path)]
        said = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, env=environ).stderr
        assert ("是否想写 Asia/Shanghai？" in said) == ("zh" in languages)
        assert ("did you mean Asia/Shanghai?" in said) == ("en" in languages)
        assert "Africa" not in said


def test_schemas_explain_their_words(tmp_path: Path) -> None:
    out = tmp_path / "site.schema.json"
    assert run("schema", "site", "--out", str(out)).returncode == 0
    schema = json.loads(out.read_text(encoding="utf-8"))
    assert schema["properties"]["buses"]["description"]
    unexplained = [
        f"{name}.{word}"
        for name, part in schema["$defs"].items()
        for word, field in part.get("properties", {}).items()
        if "description" not in field and word not in {"kind", "zh", "en"}
    ]
    assert not unexplained
    rules = json.loads(run("schema", "rules").stdout)
    assert "CEL" in rules["$defs"]["RulePart"]["properties"]["when"]["description"]
    assert json.loads(run("schema", "people").stdout)["properties"]["holders"]


def test_every_word_of_the_demo_site_is_in_the_schema() -> None:
    """What the schema forbids, editors would mark: it must allow what the site uses."""
    schema = json.loads(run("schema", "site").stdout)
    written = yaml.safe_load(DEMO.read_text(encoding="utf-8"))
    assert set(written) <= set(schema["properties"])
    for door in written["doors"].values():
        assert set(door) <= set(schema["$defs"]["Door"]["properties"])
