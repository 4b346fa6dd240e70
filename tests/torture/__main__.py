"""`python -m tests.torture [NAME …] [--frames N] [--seed N]`: spoils frames; exits 1 at the first fault."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from collections.abc import Callable
from random import Random

from tests.torture.codecs import CODECS


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(CODECS)}; none: all")
    parser.add_argument("--frames", type=int, default=1_000_000, help="frames for each codec")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    if unknown := set(chosen.names) - set(CODECS):
        parser.error(f"there is no codec {', '.join(sorted(unknown))}; there are {', '.join(CODECS)}")
    for name in chosen.names or CODECS:
        began = time.monotonic()
        torture(name, chosen.frames, chosen.seed)
        print(f"{name:<16} {chosen.frames:>9} frames, seed {chosen.seed}: sound ({time.monotonic() - began:.0f} s)")
    return 0


def torture(name: str, frames: int, seed: int) -> None:
    """Gives one codec `frames` frames. A fault says at which one, so that it can be repeated."""
    one: Callable[[Random], None] = importlib.import_module(f"tests.torture.{name}").one
    for number in range(frames):
        try:
            one(Random(f"{name}:{seed}:{number}"))
        except BaseException as fault:
            fault.add_note(f"codec {name}, seed {seed}, frame {number}")
            raise


if __name__ == "__main__":
    sys.exit(main())
