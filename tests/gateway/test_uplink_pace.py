"""How the uplink paces itself, and what it says of messages that it refuses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import Malformed
from gateway.uplink.pace import FIRST_S, MOST_S, pause_s
from gateway.uplink.refusals import Refusals


@pytest.mark.parametrize(("failures", "longest"), [(0, 1), (1, 2), (2, 4), (3, 8), (4, 16), (5, 30), (50, 30)])
def test_pauses_grow_to_half_a_minute(failures: int, longest: float) -> None:
    assert pause_s(failures, 1.0) == longest


@given(st.integers(0, 10_000), st.floats(0, 1))
def test_a_pause_is_never_shorter_nor_longer(failures: int, jitter: float) -> None:
    assert FIRST_S <= pause_s(failures, jitter) <= MOST_S


def test_gateways_that_fell_together_come_back_apart() -> None:
    assert pause_s(5, 0.0) == 15
    assert pause_s(5, 0.5) == 22.5


def test_every_refusal_is_counted_and_told() -> None:
    told: list[tuple[str, bytes]] = []
    refusals = Refusals(lambda why, raw: told.append((why, raw)))
    refusals.refuse("ack", Malformed("not an Ack", b"junk"))
    refusals.refuse("ack", Malformed("not an Ack", b"junk"))
    refusals.refuse("desired", "too many steps wait")
    assert refusals.counts == {"ack": 2, "desired": 1}
    assert told[0] == ("ack: not an Ack", b"junk")
    assert told[2] == ("desired: too many steps wait", b"")
