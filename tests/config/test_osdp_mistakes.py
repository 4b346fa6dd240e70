"""What can be wrong with OSDP readers in a site file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.sites import broken, instead, line_of, loaded

OSDP = instead(
    "  lobby-line: {kind: line-tcp, host: 10.0.0.3, port: 4001}",
    "  lobby-line: {kind: osdp-serial, port: /dev/ttyS2, baud: 9600}\n"
    "  yard-line: {kind: osdp-tcp, host: 10.0.0.9, port: 4001}",
)
OSDP = instead(
    "  lobby-in: {profile: line_reader, bus: lobby-line}",
    "  lobby-in: {profile: osdp_reader, bus: lobby-line, unit: 0}\n"
    "  lobby-out: {profile: osdp_keypad_reader, bus: lobby-line, unit: 1, card: {format: w26}}",
    OSDP,
)

ONE_THING: dict[str, tuple[str, str, str, list[str]]] = {
    "the address for everybody": ("unit: 0}", "unit: 127}", "devices.lobby-in.unit", ["0 to 126"]),
    "two alike on a line": ("unit: 0}", "unit: 1}", "devices.lobby-out.unit", ["lobby-in already has this address"]),
    "a speed that readers do not have": ("baud: 9600}", "baud: 12345}", "buses.lobby-line.baud", ["9600, 19200"]),
    "cards in a form of text": ("{format: w26}", "{format: 10d}", "devices.lobby-out.card", ["10d"]),
    "a port that is another bus's": ("/dev/ttyS2", "/dev/ttyS1", "buses.lobby-line.port", ["already owns"]),
    "on a wire of text": (
        "profile: osdp_reader, bus: lobby-line",
        "profile: osdp_reader, bus: plant-line",
        "devices.lobby-in.bus",
        ["osdp-serial/osdp-tcp"],
    ),
    "in the clear, where nothing is secure": (
        "bus: plant-line, unit: 2}",
        "bus: plant-line, unit: 2, secure: false}",
        "devices.pump-2.secure",
        ["only OSDP readers"],
    ),
}


@pytest.mark.parametrize("name", ONE_THING)
def test_one_thing(tmp_path: Path, name: str) -> None:
    old, new, place, words = ONE_THING[name]
    text = instead(old, new, OSDP)
    found = next(mistake for mistake in broken(tmp_path, text) if mistake.where.startswith(place))
    assert all(word in str(found) for word in words), str(found)
    assert found.line >= line_of(text, new)


def test_addresses_of_other_lines_are_their_own(tmp_path: Path) -> None:
    other = "  yard-in: {profile: osdp_reader, bus: yard-line, unit: 0, secure: false}\n"
    site = loaded(tmp_path, instead("zones:\n", other + "zones:\n", OSDP)).site
    assert site.devices["lobby-in"].secure
    assert not site.devices["yard-in"].secure
