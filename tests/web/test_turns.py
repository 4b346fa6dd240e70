"""Whose request begins next: each address in turn, and a flood has its share of the loop's time and no more."""

from __future__ import annotations

import asyncio
import time

import pytest

from web.server.turns import PAGE_S, Turns

HOLDS_S = 0.005


async def test_addresses_take_turns_and_each_keeps_its_own_order() -> None:
    turns, begun, all_begun = Turns(rests=0.0), [], asyncio.Event()

    def ask(address: str, what: str) -> None:
        def begin() -> None:
            begun.append(what)
            if len(begun) == 6:
                all_begun.set()

        turns.ask(address, begin)

    for what in ("a1", "a2", "a3", "a4"):
        ask("a", what)
    ask("b", "b1")
    ask("c", "c1")
    async with asyncio.timeout(20):
        await all_begun.wait()
    assert begun == ["a1", "a2", "b1", "c1", "a3", "a4"]


async def test_whoever_comes_alone_begins_at_once() -> None:
    turns, begun = Turns(rests=9.0), []
    turns.ask("a", lambda: begun.append("a"))
    assert begun == ["a"]


@pytest.mark.parametrize("rests", [1.0, 9.0])
async def test_a_flood_has_its_share_of_the_loops_time(rests: float) -> None:
    """Bounds from below: a slow machine makes what is measured larger."""
    number = round(2 * PAGE_S / HOLDS_S)
    turns, left, done = Turns(rests), iter(range(number)), asyncio.Event()

    def hold() -> None:
        time.sleep(HOLDS_S)
        if next(left, None) == number - 1:
            done.set()

    began = time.monotonic()
    for each in range(number):
        turns.ask(f"attacker-{each % 8}", hold)
    async with asyncio.timeout(60):
        await done.wait()
    took = time.monotonic() - began
    assert took >= number * HOLDS_S * 1.9, "after each the loop belongs to others for as long"
    if rests > 1.0:
        beyond = number * HOLDS_S - PAGE_S / (1 - 1 / (rests + 1))
        assert took >= beyond * rests


async def test_one_that_fails_takes_no_turn_from_others() -> None:
    turns, begun = Turns(rests=0.0), asyncio.Event()

    def fail() -> None:
        raise RuntimeError("a protocol's own fault")

    with pytest.raises(RuntimeError):
        turns.ask("a", fail)
    turns.ask("b", begun.set)
    async with asyncio.timeout(20):
        await begun.wait()
