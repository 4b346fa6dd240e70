"""What failed beside other tests is tried once more by itself: `python -m tests.again [options]`, in `make test`.

Four workers on two busy cores stretch a wire's 80 ms into a second now and then. A test that fails by itself too is
at fault; one that passes is named, so that it is looked at; and more than three at once are no accident.
"""

from __future__ import annotations

import json
import sys

import pytest

from tests.leftovers import ROOT

AT_MOST = 3

LAST_FAILED = ROOT / ".pytest_cache" / "v" / "cache" / "lastfailed"
"""Where pytest keeps what failed last."""


def main(options: list[str]) -> int:
    """pytest's exit code of the second try; 1 where nothing says what failed, or too much did."""
    failed = sorted(json.loads(LAST_FAILED.read_text())) if LAST_FAILED.exists() else []
    if not 0 < len(failed) <= AT_MOST:
        print(f"{len(failed)} failed beside the others: none is tried again (at most {AT_MOST} would be).")
        return 1
    code = int(pytest.main(["--last-failed", "--last-failed-no-failures=none", "-m", "not alone", *options]))
    if code == 0:
        print("Failed beside the others and passed alone; it stands on time, which a busy machine stretches:")
        print(*(f"  {test}" for test in failed), sep="\n")
    return code


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
