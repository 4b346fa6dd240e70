"""Setting the key of one reader, because a person asked for it: the only way in which a key ever gets to a reader.

    prepared (on the disk) ─▶ sent inside the secure channel that it has ───────┐
              └─ it has none: by the default key, in install mode ─▶ sent ──────┴▶ proved by joining with it ─▶ settled

By the default key, which everybody knows, whoever listens on the wire learns the new one: readers are best given their
keys on a bench, and one that has its own is never spoken to by the default key: to cut its change short gains nothing.
What fails leaves the key on the disk if it may have been sent, and it is tried at the next joining.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from drivers.bus import CommandFailed
from drivers.osdp.keys import Keys, KeyStore, KeysUnreadable
from drivers.osdp.reader import Reader

log = structlog.get_logger(__name__)

Begin = Callable[[Callable[[bool], None], float], None]
"""Begins an attempt; calls back once with how it ended."""

PREPARED_ANEW: Final = 3
"""So often at the most: a reader that joins meanwhile may settle its keys."""


class Keying:
    """Sets keys, one reader at a time."""

    def __init__(self, store: KeyStore) -> None:
        self._store = store
        self._one = asyncio.Lock()

    async def set_key(self, reader: Reader, turn: Callable[[], None], within_s: float) -> None:
        """A new key for `reader`. `turn` lets the line go on. `CommandFailed` says what to do."""
        if self._one.locked():
            raise CommandFailed("another key is being set on this line", "此线路正在设置另一密钥")
        async with self._one:
            try:
                keys = await self._prepared(reader)
            except (OSError, KeysUnreadable) as wrong:
                raise CommandFailed(f"the key cannot be kept: {wrong}", f"密钥无法保存：{wrong}") from wrong
            reader.key_sent = False
            changed = reader.keyed
            try:
                async with asyncio.timeout(within_s):
                    done = await (self._change if changed else self._install)(reader, keys, turn)
            except TimeoutError:
                done = False
            if not done:
                await self._undo(reader, turn)
                raise _not_changed(reader) if changed else _not_installed(reader)
            log.info("a reader has a new key", reader=reader.id)

    async def _prepared(self, reader: Reader) -> Keys:
        """The keys of `reader`, with a new one: they are on the disk when this returns."""
        for _ in range(PREPARED_ANEW):
            keys = await asyncio.to_thread(self._store.prepare, reader.id)
            if self._store.of(reader.id) == keys:
                return keys
        raise OSError("it was settled meanwhile")

    async def _change(self, reader: Reader, keys: Keys, turn: Callable[[], None]) -> bool:
        return await _ended(lambda watch, now: reader.change(keys, watch, now), turn)

    async def _install(self, reader: Reader, keys: Keys, turn: Callable[[], None]) -> bool:
        assert keys.pending is not None
        held = keys.pending
        if not await _ended(lambda watch, now: reader.install(keys, watch, now), turn):
            return False
        return await _ended(lambda watch, now: reader.verify(held, watch, now), turn)

    async def _undo(self, reader: Reader, turn: Callable[[], None]) -> None:
        """Back to the keys that it may hold; one that was never sent is forgotten, and cannot be sent any more."""
        reader.rest()
        if not reader.key_sent:
            try:
                await asyncio.to_thread(self._store.withdraw, reader.id)
            except (OSError, KeysUnreadable):  # it is offered again the next time
                log.exception("a key that was never sent could not be forgotten", reader=reader.id)
        reader.begin(asyncio.get_running_loop().time())
        turn()


def _not_changed(reader: Reader) -> CommandFailed:
    return CommandFailed(
        f"{reader.id} did not confirm its new key: it keeps the one that it has, both are tried; try again",
        f"{reader.id} 未确认新密钥：新旧密钥都会尝试，请稍后重试",
    )


def _not_installed(reader: Reader) -> CommandFailed:
    return CommandFailed(
        f"{reader.id} does not answer, or does not take a key by the default key:"
        " put it into install mode (factory reset) and try again",
        f"{reader.id} 没有应答，或不接受默认密钥：请将读头恢复出厂（安装模式）后重试",
    )


async def _ended(begin: Begin, turn: Callable[[], None]) -> bool:
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[bool] = loop.create_future()

    def watch(well: bool) -> None:
        if not ended.done():
            ended.set_result(well)

    begin(watch, loop.time())
    loop.call_soon(turn)
    return await ended
