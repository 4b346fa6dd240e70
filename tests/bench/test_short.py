"""The short form of a bench: it runs, every card moves its lock, its rows say what they must; no figure is judged."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.rows import Row, median, percentile

FIELDS = {"bench", "what", "unit", "ours", "peer", "limit", "ratios", "aim", "met", "runs", "machine"}


def test_door_in_short() -> None:
    # Exit 1 says that an aim was missed, which a busy machine may.
    ended = subprocess.run(
        [sys.executable, "-m", "tests.bench", "door", "--short", "--json"],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "GATEHOUSE_BENCH_S": "3"},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert ended.returncode in {0, 1}, ended.stderr
    rows = [json.loads(line) for line in ended.stdout.splitlines()]
    assert len(rows) == 3, ended.stderr
    for row in rows:
        assert row.keys() >= FIELDS
        assert row["notes"]["cards"] == 300
        assert row["ratios"]["ours/limit"] > 0


@pytest.mark.timeout(300)
def test_rights_in_short() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.bench", "rights", "--short", "--json"],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "GATEHOUSE_BENCH_S": "3"},
        capture_output=True,
        text=True,
        timeout=290,
        check=False,
    )
    assert ended.returncode in {0, 1}, ended.stderr
    rows = [json.loads(line) for line in ended.stdout.splitlines()]
    assert len(rows) == 5, ended.stderr
    assert all(row.keys() >= FIELDS for row in rows)
    assert rows[0]["notes"]["items"] >= 14_000
    assert rows[1]["notes"]["cards"] > 0


@pytest.mark.timeout(300)
def test_strain_in_short() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.bench", "strain", "--short", "--json"],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "GATEHOUSE_BENCH_S": "4"},
        capture_output=True,
        text=True,
        timeout=290,
        check=False,
    )
    assert ended.returncode in {0, 1}, ended.stderr
    doors, pushes, wire, hub = (json.loads(line) for line in ended.stdout.splitlines())
    assert all(row.keys() >= FIELDS for row in (doors, pushes, wire, hub))
    assert doors["notes"]["cards"] > 0
    # These are no timings: a busy machine is no excuse.
    assert pushes["notes"]["pushes"] > 0
    assert pushes["ours"] == 0
    assert wire["met"], "the wire did not come back"
    assert hub["notes"]["answers"] > 0


def test_percentiles_are_nearest_rank() -> None:
    values = [float(number) for number in range(1, 101)]
    assert percentile(values, 0.5) == 50
    assert percentile(values, 0.99) == 99
    assert percentile(values, 0.999) == 100
    assert percentile([7.0], 0.5) == 7
    assert median([3.0, 1.0, 2.0]) == 2


def test_a_row_knows_whether_it_met_its_aim() -> None:
    assert Row("b", "w", "ms", ours=5.0, aim=5.0).met
    assert not Row("b", "w", "ms", ours=5.1, aim=5.0).met
    assert Row("b", "w", "1/s", ours=5.1, aim=5.0, better="higher").met
