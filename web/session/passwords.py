"""Passwords: argon2id in worker threads, a bounded number at once.

19 MiB and two passes (OWASP password storage cheat sheet, argon2id) keep a small gateway within its memory.
"""

from __future__ import annotations

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher

from contract.texts import Text
from web.errors import TooMany

_BUSY = Text("登录繁忙，请稍后再试", "Too many people are signing in; try again in a moment")


class Passwords:
    """Hashes and checks passwords. `at_once`: threads; `waiting`: how many may queue before the answer is 429."""

    def __init__(self, *, at_once: int = 2, waiting: int = 32) -> None:
        self._hasher = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19_456, parallelism=1),))
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="password")
        self._room = at_once + waiting
        self._inside = 0
        self._nobodys: str | None = None

    async def hash(self, password: str) -> str:
        """The argon2id hash to keep; `TooMany` when too many are waiting."""
        return await self._run(password, None) or ""

    async def fits(self, password: str, password_hash: str | None) -> bool:
        """Whether `password` is the one behind the hash. Without a hash (no such account): False, after as long."""
        return await self._run(password, password_hash or "") is not None and password_hash is not None

    def close(self) -> None:
        """End the worker threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, password: str, against: str | None) -> str | None:
        if self._inside >= self._room:
            raise TooMany(2, _BUSY)
        self._inside += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, self._work, password, against)
        finally:
            self._inside -= 1

    def _work(self, password: str, against: str | None) -> str | None:
        # Made at the first work of any kind, so that no attempt shows by its time that it was the first of its kind.
        if self._nobodys is None:
            self._nobodys = self._hasher.hash(secrets.token_urlsafe(16))
        if against is None:
            return self._hasher.hash(password)
        against = against or self._nobodys
        try:
            return against if self._hasher.verify(password, against) else None
        except UnknownHashError:
            return None
