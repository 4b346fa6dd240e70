"""Which words of a device confirm a command, and which say nothing of it."""

from __future__ import annotations

import pytest

from drivers.bus import CommandFailed
from drivers.changes import Worth
from drivers.mqtt.commands import CommandMessage
from drivers.mqtt.mapping import Values
from drivers.mqtt.waiting import LIMIT, Waiting

OPEN = CommandMessage("gate/set", b"OPEN", "gate", ("open",), 0.0, repeats=False)
SAID = Values("lane", (Worth("gate", "open", "good"),))


async def test_only_what_a_device_says_now_confirms() -> None:
    waiting = Waiting("site")
    with waiting.word_of("lane", OPEN) as word:
        waiting.hear(SAID, retained=True, kept_true=True)
        assert not word.done()
        waiting.hear(Values("other", SAID.seen), retained=False, kept_true=True)
        assert not word.done()
        waiting.hear(SAID, retained=False, kept_true=True)
        assert word.done()


@pytest.mark.parametrize(
    ("retained", "kept_true", "counts"), [(False, False, True), (True, True, True), (True, False, False)]
)
async def test_what_was_said_before_counts_while_it_is_kept_true(retained: bool, kept_true: bool, counts: bool) -> None:
    waiting = Waiting("site")
    waiting.hear(SAID, retained=retained, kept_true=kept_true)
    assert waiting.said_before("lane", OPEN) is counts
    assert not waiting.said_before("other", OPEN)


async def test_after_the_connection_broke_nothing_was_said_before() -> None:
    waiting = Waiting("site")
    waiting.hear(SAID, retained=False, kept_true=True)
    with waiting.word_of("lane", OPEN) as word:
        waiting.lose()
        with pytest.raises(CommandFailed, match="result unknown"):
            await word
    assert not waiting.said_before("lane", OPEN)


async def test_one_device_that_leaves_takes_only_its_own_words() -> None:
    waiting = Waiting("site")
    for device in ("lane", "other"):
        waiting.hear(Values(device, SAID.seen), retained=False, kept_true=True)
    with waiting.word_of("other", OPEN) as word:
        waiting.forget("lane")
        assert not word.done()
    assert (waiting.said_before("lane", OPEN), waiting.said_before("other", OPEN)) == (False, True)


async def test_no_command_waits_in_a_queue_for_its_turn() -> None:
    waiting = Waiting("site")
    held = [waiting.word_of("lane", OPEN) for _ in range(LIMIT)]
    for each in held:
        each.__enter__()
    with pytest.raises(CommandFailed, match="too much to do"), waiting.word_of("lane", OPEN):
        pass
    for each in held:
        each.__exit__(None, None, None)
    with waiting.word_of("lane", OPEN):
        pass
