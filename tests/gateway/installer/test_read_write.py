"""`read`, `write` and `guess` on simulated devices: what the gateway sees, and what is refused before it is sent."""

from __future__ import annotations

import pytest

from tests.gateway.installer.tool import Plant, as_json, tool

LINE = ["--baud", "19200"]


def test_reads_points_as_the_gateway_does(plant: Plant) -> None:
    done = tool("read", *plant.files, "pump-1", "energy", "control_mode")
    assert done.returncode == 0, done.stderr
    assert "kWh" in done.stdout and "constant level" in done.stdout
    points = as_json(tool("read", *plant.files, "pump-1", "--json"))["points"]
    assert len(points) == 25
    assert points["energy"]["quality"] == "good" and points["energy"]["unit"] == "kWh"


@pytest.mark.parametrize(
    ("device", "point"), [("meter-1", "voltage_l1"), ("water-1", "volume_forward"), ("meter-4", "power")]
)
def test_reads_other_wires_alike(plant: Plant, device: str, point: str) -> None:
    points = as_json(tool("read", *plant.files, device, point, "--json"))["points"]
    assert points[point]["quality"] == "good"


def test_reads_registers_as_they_are(plant: Plant) -> None:
    where = ["--host", f"127.0.0.1:{plant.port('meters-net')}", "--fc", "4", "--address", "0"]
    document = as_json(tool("read", *where, "--type", "f32", "--count", "2", "--json"))
    assert 200 < document["values"][0] < 250
    assert len(document["raw"]) == 16


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["pump-9"], 2, "did you mean pump-2"),
        (["pump-1", "presure"], 2, "there is no point presure"),
        ([], 2, "--address"),
    ],
)
def test_names_that_are_not_there(plant: Plant, arguments: list[str], code: int, words: str) -> None:
    done = tool("read", *plant.files, *arguments)
    assert done.returncode == code
    assert words in done.stderr


@pytest.mark.parametrize(
    ("device", "words"), [("cam-dahua", "has no points"), ("cam-zhenshi", "pushes to the gateway and cannot be asked")]
)
def test_devices_that_cannot_be_asked_are_not_waited_for(device: str, words: str) -> None:
    done = tool("read", "--site", "config/sites/buses.yaml", device)
    assert done.returncode == 2
    assert words in done.stderr and not done.stdout


def test_a_silent_unit_is_told_in_words(plant: Plant) -> None:
    done = tool("read", "--port", plant.port("plant-line"), *LINE, "--unit", "99", "--address", "0", "--timeout", "100")
    assert done.returncode == 1
    assert "unit 99 did not answer" in done.stderr and "scan" in done.stderr


def test_a_refusal_is_told_in_words(plant: Plant) -> None:
    line = ["--port", plant.port("plant-line"), *LINE]
    done = tool("read", *line, "--unit", "1", "--address", "9000", lang="zh")
    assert done.returncode == 1
    assert "异常码 2" in done.stderr and "没有该地址" in done.stderr


def test_a_command_is_told_and_read_back(plant: Plant) -> None:
    done = tool("write", *plant.files, "pump-1", "setpoint", "50", "--yes")
    assert done.returncode == 0, done.stderr
    assert "about to tell pump-1 (plant-line): Setpoint = 50 %" in done.stderr
    assert "unit 1, function 06, register 103 ← 5000" in done.stderr
    assert "registers read back: 5000" in done.stdout


def test_an_output_that_is_a_lock_is_said_to_be_one(plant: Plant) -> None:
    done = tool("write", *plant.files, "board-1", "relay_1", "on", "--yes")
    assert done.returncode == 0, done.stderr
    assert "this is the lock of door plant-door" in done.stderr
    assert "read back: yes" in done.stdout
    assert as_json(tool("write", *plant.files, "board-1", "relay_1", "off", "--yes", "--json"))["readback"] is False
    pulse = tool("write", *plant.files, "board-1", "relay_2", "--pulse", "1.5", "--yes")
    assert "on for 1.5 s, timed by the device" in pulse.stderr
    assert pulse.returncode == 0


def test_registers_are_written_and_read_back(plant: Plant) -> None:
    line = ["--port", plant.port("plant-line"), *LINE, "--unit", "1", "--address", "103"]
    done = tool("write", *line, "4000", "--yes")
    assert (done.returncode, "read back: 4000" in done.stdout) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["pump-1", "setpoint", "150", "--yes"], 2, "setpoint takes 0 … 100 %"),
        (["pump-1", "setpoint", "much", "--yes"], 2, "takes a number"),
        (["pump-1", "strat", "--yes"], 2, "did you mean start"),
        (["pump-1", "energy", "1", "--yes"], 2, "can only be read"),
        (["board-1", "relay_1", "maybe", "--yes"], 2, "on or off"),
        (["pump-1", "start", "--pulse", "1", "--yes"], 2, "--pulse is for outputs"),
        (["pump-1", "start"], 2, "no terminal"),
        (["meter-4", "power", "1", "--yes"], 2, "to write: nothing"),
    ],
)
def test_what_is_refused_before_a_byte_is_sent(plant: Plant, arguments: list[str], code: int, words: str) -> None:
    done = tool("write", *plant.files, *arguments, stdin="")
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "confirmed" not in done.stdout


@pytest.mark.parametrize("consent", [[], ["--yes"]])
def test_a_broadcast_needs_more_than_a_yes(plant: Plant, consent: list[str]) -> None:
    line = ["--port", plant.port("plant-line"), *LINE, "--unit", "0", "--address", "103"]
    done = tool("write", *line, "4000", *consent, stdin="")
    assert done.returncode == 2
    assert "every device on the line obeys" in done.stderr


def test_guess_reads_and_marks(plant: Plant) -> None:
    where = ["--host", f"127.0.0.1:{plant.port('meters-net')}", "--unit", "3", "--address", "0", "--count", "2"]
    # What the meter's own display shows: without it some of its growing counts look likely in another order, too.
    shown = as_json(tool("read", *plant.files, "meter-3", "volume_forward", "--json"))["points"]["volume_forward"][
        "value"
    ]
    best = as_json(tool("guess", *where, "--expect", str(shown), "--json"))["guesses"][0]["best"]
    assert (best["type"], best["order"]) == ("f32", "DCBA")
