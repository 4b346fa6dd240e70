"""The queue of wishes: what may go on, what must wait behind, and what nobody waits for any more."""

from __future__ import annotations

import asyncio

import pytest

from drivers.bus import CommandFailed
from drivers.wishes import Wish, Wishes


def asked(wishes: Wishes[str], *wanted: tuple[str, str]) -> list[asyncio.Task[None]]:
    return [asyncio.create_task(wishes.ask(device, what, 60)) for device, what in wanted]


def step(wishes: Wishes[str], now: float) -> Wish[str]:
    wish = wishes.next(now)
    assert wish is not None
    return wish


async def end(wishes: Wishes[str], callers: list[asyncio.Task[None]]) -> None:
    """What waits fails; whoever asked for what is under way goes, as nobody here carries it out."""
    wishes.close()
    await asyncio.sleep(0)
    for caller in callers:
        caller.cancel()
    for outcome in await asyncio.gather(*callers, return_exceptions=True):
        assert outcome is None or isinstance(outcome, CommandFailed | asyncio.CancelledError)


async def test_a_wish_that_was_put_off_holds_up_its_own_device_only() -> None:
    wishes: Wishes[str] = Wishes("line")
    callers = asked(wishes, ("a", "on"), ("a", "off"), ("b", "on"))
    await asyncio.sleep(0)
    now = asyncio.get_running_loop().time()
    first = step(wishes, now)
    wishes.put_off(first, now + 5)
    other = step(wishes, now)
    assert (other.device, other.what) == ("b", "on")
    other.fulfil()
    assert wishes.next(now) is None
    assert step(wishes, now + 5) is first
    first.fulfil()
    assert step(wishes, now + 5).what == "off"
    await end(wishes, callers)


async def test_a_wish_that_was_put_off_is_dropped_when_nobody_waits_for_it() -> None:
    wishes: Wishes[str] = Wishes("line")
    callers = asked(wishes, ("a", "on"), ("a", "off"))
    await asyncio.sleep(0)
    now = asyncio.get_running_loop().time()
    wishes.put_off(step(wishes, now), now + 5)
    callers[0].cancel()
    await asyncio.gather(callers[0], return_exceptions=True)
    assert step(wishes, now).what == "off"
    await end(wishes, callers[1:])


async def test_rest_ends_when_a_wish_goes_on() -> None:
    wishes: Wishes[str] = Wishes("line")
    callers = asked(wishes, ("a", "on"))
    await asyncio.sleep(0)
    loop = asyncio.get_running_loop()
    await wishes.rest_until(None)  # the wish itself
    wish = step(wishes, loop.time())
    wishes.put_off(wish, loop.time() + 0.01)
    await asyncio.wait_for(wishes.rest_until(None), 60)
    assert step(wishes, wish.not_before) is wish
    await end(wishes, callers)


async def test_what_waits_when_the_wire_is_closed_fails() -> None:
    wishes: Wishes[str] = Wishes("line")
    callers = asked(wishes, ("a", "on"))
    await asyncio.sleep(0)
    now = asyncio.get_running_loop().time()
    wishes.put_off(step(wishes, now), now + 5)
    wishes.close()
    with pytest.raises(CommandFailed, match="line is being closed"):
        await callers[0]
