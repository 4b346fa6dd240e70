"""`python -m tests.bench NAME|all [--json] [--short]`: measures and prints; exits 1 where an aim is not met."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable, Iterable

from tests.bench.rows import Row
from tests.peers import PeerMissing

BENCHES = (
    "door",
    "screen",
    "first-load",
    "footprint",
    "modbus",
    "dead-unit",
    "rtu",
    "rtu-dead",
    "command",
    "late",
    "idle",
    "osdp",
    "rights",
    "torture",
    "strain",
    "entries",
    "feed",
)
"""Each is a module of this package (`-` is `_` there) with `run(short: bool) -> Iterable[Row]`."""


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("name", choices=(*BENCHES, "all"))
    parser.add_argument("--json", action="store_true", help="one JSON line a row")
    parser.add_argument("--short", action="store_true", help="fewer and shorter runs")
    chosen = parser.parse_args()
    missed = 0
    for name in BENCHES if chosen.name == "all" else (chosen.name,):
        run: Callable[[bool], Iterable[Row]] = importlib.import_module(f"tests.bench.{name.replace('-', '_')}").run
        try:
            for row in run(chosen.short):
                print(row.json() if chosen.json else row.words(), flush=True)
                missed += not row.met
        except PeerMissing as missing:
            print(f"{name} cannot run: {missing}", file=sys.stderr, flush=True)
            missed += 1
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
