"""The supervisor's processes and files: for nobody else's eyes, and its socket for nobody else's hands."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from simulators.demo import demo
from simulators.demo.programs import EngineError, Program, refuse_foreign
from simulators.demo.supervisor import Supervisor, ask_control, serve_control

WRITES = """
import pathlib, time
pathlib.Path("made").write_text("")
time.sleep(600)
"""


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_what_programs_write_is_for_their_owner_only(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path / "log", lambda: None)
    made = tmp_path / "made"
    try:
        await supervisor.start(Program("one", (sys.executable, "-c", WRITES), tmp_path), made.exists)
        control = await serve_control(supervisor, tmp_path / "control")
        assert (mode(made), mode(tmp_path / "log"), mode(tmp_path / "control")) == (0o600, 0o700, 0o600)
        assert mode(supervisor.log_of("one")) == 0o600
        pid = supervisor.pids()["one"]
        await ask_control(tmp_path / "control", "stop", "one")
        assert supervisor.pids() == {"one": None}
        await ask_control(tmp_path / "control", "start", "one")
        assert supervisor.pids()["one"] not in {None, pid}
        for do, name in (("stop", "two"), ("kill", "one")):
            with pytest.raises(ValueError, match=r"two|expected"):
                await ask_control(tmp_path / "control", do, name)
        control.close()
    finally:
        await supervisor.close()
    assert supervisor.pids() == {"one": None}


@pytest.mark.parametrize(
    "line",
    [
        ["--data", "{mine}", "stop", "one"],
        ["stop", "one", "--data", "{mine}"],
        ["--data", "{mine}", "stop", "one", "--data", "{mine}"],
    ],
)
def test_the_demo_that_is_named_is_the_one_that_obeys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: list[str]
) -> None:
    asked: list[tuple[Path, str, str]] = []

    async def ask(path: Path, do: str, name: str) -> None:
        asked.append((path, do, name))

    monkeypatch.setattr(demo, "ask_control", ask)
    mine = tmp_path / "mine"
    found = CliRunner().invoke(demo.app, [word.format(mine=mine) for word in line])
    assert (found.exit_code, asked) == (0, [(mine / "control", "stop", "one")])


def test_two_demos_named_at_once_are_an_error(tmp_path: Path) -> None:
    line = ["--data", str(tmp_path / "a"), "stop", "one", "--data", str(tmp_path / "b")]
    found = CliRunner().invoke(demo.app, line)
    assert found.exit_code == 1
    assert "two places" in found.output


def test_a_folder_that_is_a_link_is_a_trap(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    refuse_foreign(mine, None)
    trap = tmp_path / "trap"
    trap.symlink_to(mine)
    with pytest.raises(EngineError, match="is a link"):
        refuse_foreign(trap, None)
