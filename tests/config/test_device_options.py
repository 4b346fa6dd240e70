"""What a site file says of one device: leave for commands, read-back of outputs, whose wire it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from drivers.modbus.product import Output
from drivers.profiles.files import FOLDER
from tests.config.sites import SITE, broken, instead, loaded

LIFT = instead("  relay:", "  lift: {profile: invertek_elevator_core, bus: plant-line, unit: 9}\n  relay:")
DRIVE = instead("  relay:", "  fan: {profile: vacon10, bus: plant-line, unit: 9}\n  relay:")


def test_a_command_that_needs_leave_is_not_there_without_it(tmp_path: Path) -> None:
    assert "run_reverse" not in loaded(tmp_path, DRIVE).profile_of("fan").commands
    allowed = instead("unit: 9}", "unit: 9, allow_commands: [run_reverse]}", DRIVE)
    profile = loaded(tmp_path, allowed).profile_of("fan")
    assert {"run_reverse", "start", "stop"} <= profile.commands.keys()


def test_leave_for_what_is_not_there(tmp_path: Path) -> None:
    (mistake,) = broken(tmp_path, instead("unit: 9}", "unit: 9, allow_commands: [start]}", LIFT))
    assert mistake.where == "devices.lift.allow_commands.0"
    assert "a command that needs leave" in str(mistake)


def test_a_site_may_have_outputs_read_back(tmp_path: Path) -> None:
    def verifies(text: str) -> set[bool]:
        outputs = loaded(tmp_path, text).profile_of("relay").outputs.values()
        return {output.verify for output in outputs if isinstance(output, Output)}

    assert verifies(SITE) == {False}
    assert verifies(instead("bus: doors-net}", "bus: doors-net, verify: true}")) == {True}


def test_a_site_may_say_which_changes_are_worth_a_report(tmp_path: Path) -> None:
    own = loaded(tmp_path, instead("unit: 9}", "unit: 9, deadband: {current: 2.5}}", LIFT)).profile_of("lift")
    usual = loaded(tmp_path, LIFT).profile_of("lift")
    assert own.points["current"].deadband == 2.5
    assert own.points["speed"] == usual.points["speed"]
    assert own.commands == usual.commands


METER = instead(
    "  lobby-line:",
    "  meter-line: {kind: meter-serial, port: /dev/ttyS8}\n  lobby-line:",
    instead("  relay:", "  untold: {profile: PRODUCT, bus: meter-line, address: '1'}\n  relay:"),
)


def test_a_meter_that_does_not_tell_its_ratios_is_told_them_by_the_site(tmp_path: Path) -> None:
    old = instead("PRODUCT", "dlt645_1997", METER)
    (mistake,) = broken(tmp_path, old)
    assert "scale_by is missing (ct, pt)" in str(mistake)
    (mistake,) = broken(tmp_path, instead("address: '1'", "address: '1', scale_by: {pt: 1}", old))
    assert "scale_by is missing (ct)" in str(mistake)
    loaded(tmp_path, instead("address: '1'", "address: '1', scale_by: {ct: 20, pt: 1}", old))
    # One that tells them need not be given any; what it is given must be a ratio, and one that it has.
    new = instead("PRODUCT", "dlt645_2007_three_phase", METER)
    loaded(tmp_path, new)
    for wrong in ("ct: 0", "ct: -20", "ct: .nan", "ct: .inf", "current: 20"):
        assert broken(tmp_path, instead("address: '1'", f"address: '1', scale_by: {{{wrong}}}", new))


def modbus_meter(profile: str, rest: str = "") -> str:
    return instead("  relay:", f"  power: {{profile: {profile}, bus: plant-line, unit: 9{rest}}}\n  relay:")


def test_a_site_may_correct_a_meter_that_multiplies_by_itself(tmp_path: Path) -> None:
    assert loaded(tmp_path, modbus_meter("eastron_sdm630")).remarks == ()
    for profile in ("eastron_sdm630", "schneider_iem3000", "pzem_016"):
        assert loaded(tmp_path, modbus_meter(profile, ", scale_by: {ct: 20}")).remarks == ()
    # One that exists with no transformer before it takes none.
    assert broken(tmp_path, modbus_meter("eastron_sdm230", ", scale_by: {ct: 20}"))


def test_a_meter_whose_side_is_not_known_stops_no_site_and_is_asked_about(tmp_path: Path) -> None:
    """A site file of before goes on: its doors must. The meter's values are bad until somebody says the ratio."""
    (remark,) = loaded(tmp_path, modbus_meter("abb_b_series")).remarks
    assert remark.where == "devices.power.scale_by"
    assert "is missing (ct)" in str(remark)
    assert loaded(tmp_path, modbus_meter("abb_b_series", ", scale_by: {ct: 1}")).remarks == ()


def test_a_sites_own_meter_that_does_not_say_its_side_is_asked_about(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    known = (FOLDER / "meter" / "eastron_sdm230.yaml").read_text(encoding="utf-8")
    silent = known.replace("transformers: none\n", "").replace("id: eastron_sdm230", "id: own_meter")
    (own / "own_meter.yaml").write_text(silent, encoding="utf-8")
    (remark,) = loaded(tmp_path, "profiles: [own]\n" + modbus_meter("own_meter")).remarks
    assert remark.where == "devices.power.profile"
    assert "does not say `transformers`" in str(remark)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("{kind: modbus-rtu-tcp, host: 10.0.0.9, port: 4001}", "{kind: meter-tcp, host: 10.0.0.9, port: 4001}"),
        ("{kind: osdp-serial, port: /dev/ttyS7}", "{kind: modbus-rtu, port: /dev/ttyS7}"),
        ("{kind: meter-serial, port: /dev/ttyS7}", "{kind: line-serial, port: /dev/ttyS7}"),
        ("{kind: osdp-tcp, host: 10.0.0.9, port: 4001}", "{kind: line-tcp, host: 10.0.0.9, port: 4001}"),
    ],
)
def test_one_wire_has_one_owner(one: str, other: str, tmp_path: Path) -> None:
    text = instead("  lobby-line:", f"  first: {one}\n  second: {other}\n  lobby-line:")
    (mistake,) = broken(tmp_path, text)
    assert mistake.where == "buses.second.port"
    assert "the bus first already owns this line" in str(mistake)
