"""The peers' environments: what the Makefile asks for is what is locked, and a wrong name is said to be wrong."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
PEERS = ROOT / "deploy" / "peers"


def test_the_makefile_names_every_peer_that_is_locked() -> None:
    makefile = (ROOT / "Makefile").read_text()
    named = [name for line in re.findall(r"^\w+_PEERS := (.+)$", makefile, re.MULTILINE) for name in line.split()]
    assert sorted(named) == sorted(path.stem for path in PEERS.glob("*.in"))


def test_an_unknown_peer_is_refused_by_name() -> None:
    made = subprocess.run([PEERS / "make", "nobody"], capture_output=True, text=True, check=False)
    assert made.returncode == 2
    assert "there is no peer nobody" in made.stderr
    (ROOT / "var" / "peers" / "nobody.guard").unlink(missing_ok=True)


def test_what_a_peer_is_wanted_for_is_locked_in_just_that_version() -> None:
    for wanted in PEERS.glob("*.in"):
        locked = wanted.with_suffix(".lock").read_text().lower().splitlines()
        for line in wanted.read_text().splitlines():
            if "==" in line:
                assert f"{line.lower()} \\" in locked
