"""Readers of one door must know a card by the same value; declared forms must be possible."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from config.__main__ import app
from tests.config.sites import SITE, broken, instead, line_of, loaded, write

READERS = """\
  lobby-in: {profile: line_reader, bus: lobby-line}
  lobby-out: {profile: line_reader_10d, bus: lobby-out-line}
  garage-in: {profile: line_reader_10d, bus: garage-line}
"""
BUSES = """\
  lobby-out-line: {kind: line-tcp, host: 10.0.0.4, port: 4001}
  garage-line: {kind: line-tcp, host: 10.0.0.5, port: 4001}
"""
DOORS = """\
  garage:
    name: {zh: 车库, en: Garage}
    reader_in: garage-in
    lock: {device: relay, output: relay_2}
    zones: [block-a]
"""


def site(**cards: str) -> str:
    """The site with three readers at two doors of one zone. `cards`: reader (with _) → its declared form."""
    text = instead("  lobby-in: {profile: line_reader, bus: lobby-line}\n", READERS)
    text = instead("  site-broker:", BUSES + "  site-broker:", text)
    text = instead("    reader_in: lobby-in\n", "    reader_in: lobby-in\n    reader_out: lobby-out\n", text)
    text = instead("lanes:\n", DOORS + "lanes:\n", text)
    for reader, form in cards.items():
        id_ = reader.replace("_", "-")
        old = next(line for line in READERS.splitlines() if line.strip().startswith(id_))
        text = instead(old, old.replace("}", f", card: {form}}}"), text)
    return text


def test_readers_that_agree(tmp_path: Path) -> None:
    assert loaded(tmp_path, site()).remarks == ()
    same = site(lobby_in="{format: 3+5}", lobby_out="{format: 10d-26}", garage_in="{format: hex, size: 3}")
    assert loaded(tmp_path, same).remarks == ()


def test_readers_of_a_door_that_can_never_agree(tmp_path: Path) -> None:
    text = site(lobby_out="{format: 3+5}", garage_in="{format: 3+5}")
    (mistake,) = broken(tmp_path, text)
    assert mistake.where == "doors.lobby.reader_out"
    assert mistake.line == line_of(text, "    reader_out:")
    assert "lobby-in gives 4/7/10 bytes of a card and lobby-out 3" in mistake.say()
    assert "10d-26" in mistake.say("zh")


def test_readers_of_a_zone_that_cannot_agree_are_remarked(tmp_path: Path) -> None:
    text = site(garage_in="{format: 3+5}")
    (remark,) = loaded(tmp_path, text).remarks
    assert remark.where == "doors.garage.reader_in"
    assert "readers of the zone block-a differ" in remark.say()
    told = CliRunner().invoke(app, ["check", str(write(tmp_path, text))])
    assert told.exit_code == 0
    assert "look at this: " in told.output


IMPOSSIBLE = [
    ("{format: w26}", "bits", "this reader sends text"),
    ("{format: 10d, size: 4}", "size", "`size` is for hex and decimal"),
    ("{format: h10302, byte_order: reversed}", "reversed", "37 bits are no whole bytes"),
]


@pytest.mark.parametrize(("form", "_what", "words"), IMPOSSIBLE)
def test_forms_that_cannot_be(form: str, _what: str, words: str, tmp_path: Path) -> None:
    mistakes = [each for each in broken(tmp_path, site(garage_in=form)) if each.where == "devices.garage-in.card"]
    assert words in str(mistakes[0])


def test_only_readers_tell_cards(tmp_path: Path) -> None:
    text = instead(
        "profile: grundfos_cim200, bus: plant-line, unit: 2}",
        "profile: grundfos_cim200, bus: plant-line, unit: 2, card: {format: hex}}",
        SITE,
    )
    (mistake,) = broken(tmp_path, text)
    assert mistake.where == "devices.pump-2.card"
    assert "only readers tell cards" in str(mistake)
