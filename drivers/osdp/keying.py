"""Setting the key of one reader, because a person asked for it: the only way in which a key ever gets to a reader.

    prepared (on the disk) ─▶ sent inside the secure channel that it has ───────┐
              └─ it has none: by the default key, in install mode ─▶ sent ──────┴▶ proved by joining with it ─▶ settled

By the default key, which everybody knows, whoever listens on the wire learns the new one: readers are best given their
keys on a bench. What fails leaves the key on the disk if it may have been sent, and it is tried at the next joining.
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

CHANGE_WITHIN_S: Final = 4.0


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
                keys = await asyncio.to_thread(self._store.prepare, reader.id)
            except (OSError, KeysUnreadable) as wrong:
                raise CommandFailed(f"the key cannot be kept: {wrong}", f"密钥无法保存：{wrong}") from wrong
            try:
                async with asyncio.timeout(within_s):
                    done = await self._attempts(reader, keys, turn)
            except TimeoutError:
                done = False
            if not done:
                await self._undo(reader, turn)
                raise CommandFailed(
                    f"{reader.id} does not answer, or does not take a key by the default key:"
                    " put it into install mode (factory reset) and try again",
                    f"{reader.id} 没有应答，或不接受默认密钥：请将读头恢复出厂（安装模式）后重试",
                )
            log.info("a reader has a new key", reader=reader.id)

    async def _attempts(self, reader: Reader, keys: Keys, turn: Callable[[], None]) -> bool:
        assert keys.pending is not None
        held = keys.pending
        reader.key_sent = False
        if reader.keyed and keys.current is not None:
            try:
                async with asyncio.timeout(CHANGE_WITHIN_S):
                    if await _ended(lambda watch, now: reader.change(keys, watch, now), turn):
                        return True
            except TimeoutError:
                pass
        if not await _ended(lambda watch, now: reader.install(keys, watch, now), turn):
            return False
        return await _ended(lambda watch, now: reader.verify(held, watch, now), turn)

    async def _undo(self, reader: Reader, turn: Callable[[], None]) -> None:
        """Back to the keys that it may hold; one that was never sent is forgotten."""
        if not reader.key_sent:
            await asyncio.to_thread(self._store.withdraw, reader.id)
        reader.begin(asyncio.get_running_loop().time())
        turn()


async def _ended(begin: Begin, turn: Callable[[], None]) -> bool:
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[bool] = loop.create_future()

    def watch(well: bool) -> None:
        if not ended.done():
            ended.set_result(well)

    begin(watch, loop.time())
    loop.call_soon(turn)
    return await ended
