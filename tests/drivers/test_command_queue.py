"""The queue of commands: what may go on, what must wait behind, and what nobody waits for any more."""

from __future__ import annotations

import asyncio

import pytest

from drivers.bus import CommandFailed
from drivers.commands import CommandQueue, QueuedCommand


def asked(commands: CommandQueue[str], *wanted: tuple[str, str]) -> list[asyncio.Task[None]]:
    return [asyncio.create_task(commands.ask(device, what, 60)) for device, what in wanted]


def step(commands: CommandQueue[str], now: float) -> QueuedCommand[str]:
    command = commands.next(now)
    assert command is not None
    return command


async def end(commands: CommandQueue[str], callers: list[asyncio.Task[None]]) -> None:
    """What waits fails; whoever asked for what is under way goes, as nobody here carries it out."""
    commands.close()
    await asyncio.sleep(0)
    for caller in callers:
        caller.cancel()
    for outcome in await asyncio.gather(*callers, return_exceptions=True):
        assert outcome is None or isinstance(outcome, CommandFailed | asyncio.CancelledError)


async def test_a_command_that_was_put_off_holds_up_its_own_device_only() -> None:
    commands: CommandQueue[str] = CommandQueue("line")
    callers = asked(commands, ("a", "on"), ("a", "off"), ("b", "on"))
    await asyncio.sleep(0)
    now = asyncio.get_running_loop().time()
    first = step(commands, now)
    commands.put_off(first, now + 5)
    other = step(commands, now)
    assert (other.device, other.what) == ("b", "on")
    other.fulfil()
    assert commands.next(now) is None
    assert step(commands, now + 5) is first
    first.fulfil()
    assert step(commands, now + 5).what == "off"
    await end(commands, callers)


async def test_a_command_that_was_put_off_is_dropped_when_nobody_waits_for_it() -> None:
    commands: CommandQueue[str] = CommandQueue("line")
    callers = asked(commands, ("a", "on"), ("a", "off"))
    await asyncio.sleep(0)
    now = asyncio.get_running_loop().time()
    commands.put_off(step(commands, now), now + 5)
    callers[0].cancel()
    await asyncio.gather(callers[0], return_exceptions=True)
    assert step(commands, now).what == "off"
    await end(commands, callers[1:])


async def test_rest_ends_when_a_command_goes_on() -> None:
    commands: CommandQueue[str] = CommandQueue("line")
    callers = asked(commands, ("a", "on"))
    await asyncio.sleep(0)
    loop = asyncio.get_running_loop()
    await commands.rest_until(None)  # the command itself
    command = step(commands, loop.time())
    commands.put_off(command, loop.time() + 0.01)
    await asyncio.wait_for(commands.rest_until(None), 60)
    assert step(commands, command.not_before) is command
    await end(commands, callers)


async def test_what_waits_when_the_wire_is_closed_fails() -> None:
    commands: CommandQueue[str] = CommandQueue("line")
    callers = asked(commands, ("a", "on"))
    await asyncio.sleep(0)
    now = asyncio.get_running_loop().time()
    commands.put_off(step(commands, now), now + 5)
    commands.close()
    with pytest.raises(CommandFailed, match="line is being closed"):
        await callers[0]
