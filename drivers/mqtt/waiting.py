"""Commands that were sent, until the devices say that they were carried out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from contract.readings import Value
from drivers.bus import CommandFailed
from drivers.changes import Worth
from drivers.mqtt.commands import CommandMessage
from drivers.mqtt.mapping import Values

LIMIT = 16
"""Commands of one broker at a time; more are refused, so that none waits in a queue for its turn."""


class Waiting:
    """Who waits for which word of which device, and what each device said last."""

    def __init__(self, bus: str) -> None:
        self._bus = bus
        self._waiting: dict[asyncio.Future[None], tuple[str, CommandMessage]] = {}
        self._said: dict[tuple[str, str], Value] = {}

    @contextmanager
    def word_of(self, device: str, command: CommandMessage) -> Iterator[asyncio.Future[None]]:
        """A future that is done when the device confirms the command; `CommandFailed` if too many wait already."""
        if len(self._waiting) >= LIMIT:
            raise CommandFailed(f"{self._bus} has too much to do already", f"{self._bus} 待办过多")
        word: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[word] = (device, command)
        try:
            yield word
        finally:
            del self._waiting[word]
            word.cancel()

    def said_before(self, device: str, command: CommandMessage) -> bool:
        """Whether the device says already what is asked for, and will not say it again."""
        return not command.repeats and command.met_by(self._said.get((device, command.point)))

    def hear(self, values: Values, *, retained: bool, kept_true: bool) -> None:
        """A device said something. `kept_true`: it keeps what it retains up to date, and its last will says if not."""
        for worth in values.seen:
            if worth.quality == "good" and (not retained or kept_true):
                self._said[values.device, worth.point] = worth.value
            if not retained:
                self._confirm(values.device, worth)

    def forget(self, device: str) -> None:
        """The device was away: what it said before says nothing, and what it was asked for is not confirmed."""
        self._said = {key: value for key, value in self._said.items() if key[0] != device}
        self._fail(device, f"{device} went away meanwhile: result unknown", f"{device} 执行中离线，结果未知")

    def lose(self) -> None:
        """The connection broke."""
        self._said.clear()
        self._fail(None, "the site's broker went away meanwhile: result unknown", "执行中与现场消息服务断开，结果未知")

    def _confirm(self, device: str, worth: Worth) -> None:
        for word, (asked, command) in self._waiting.items():
            if (asked, command.point) == (device, worth.point) and command.met_by(worth.value) and not word.done():
                word.set_result(None)

    def _fail(self, device: str | None, en: str, zh: str) -> None:
        for word, (asked, _) in self._waiting.items():
            if device in (None, asked) and not word.done():
                word.set_exception(CommandFailed(en, zh))
                # Whoever asked may already have given up: then nobody fetches it, and that is no fault.
                word.exception()
