"""Commands for a camera that can only be answered: each waits for the camera to ask, and never longer than it is valid.

One command a camera at a time. What was handed out once is never handed out again, and nothing is handed out while more
than one address speaks for the camera: whoever asks in its name would take the command, and the barrier stay down.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from drivers.bus import CommandFailed
from drivers.camera.zhenshi import COMET_GAP_S, AnswerCommand

HOLD_S = 0.5
"""How long a camera that asks all the time is kept waiting for a command: it need not ask more often then."""

ALONE_S = 30.0
"""A camera that speaks from another address is given commands when nobody else has spoken for it for so long."""


@dataclass(slots=True, eq=False)
class FetchedCommand:
    """A command on its way. `handed`: done when the answer that carries it has been sent."""

    command: AnswerCommand
    handed: asyncio.Future[None]
    taken: bool = False


class FetchedCommands:
    """The one command that may wait for a camera, and whether the camera asks for commands at all."""

    def __init__(self, camera: str) -> None:
        self._camera = camera
        self._waiting: FetchedCommand | None = None
        self._woken = asyncio.Event()
        self._answered_at: float | None = None
        self._source: str | None = None
        self._alone_from = float("-inf")
        self.asks = False
        """Whether the camera's heartbeats come as fast as only those do whose answers it heeds."""

    async def ask(self, command: AnswerCommand, within_s: float) -> None:
        """Returns when the answer with the command has been sent; `CommandFailed` if no answer carried it in time."""
        if self._waiting is not None:
            raise CommandFailed(
                f"{self._camera} has not fetched the order before", f"{self._camera} 尚未取走上一条指令"
            )
        fetched = self._waiting = FetchedCommand(command, asyncio.get_running_loop().create_future())
        self._woken.set()
        try:
            await asyncio.wait((fetched.handed,), timeout=within_s)
        finally:
            if self._waiting is fetched:
                self._waiting = None
                self._woken.clear()
        if fetched.handed.done():
            return
        if fetched.taken:
            raise CommandFailed(
                f"{self._camera} was being answered when the time ran out: whether it acts is not known",
                f"时限已到，{self._camera} 正在接收指令：结果未知",
            )
        raise CommandFailed(*self._unfetched(within_s))

    def spoke(self, source: str) -> str | None:
        """A push came from this address; the other one that spoke before, if it is not the same."""
        before, self._source = self._source, source
        if before is None or before == source:
            return None
        self._alone_from = asyncio.get_running_loop().time() + ALONE_S
        return before

    @property
    def contested(self) -> bool:
        """Whether more than one address spoke for the camera lately."""
        return asyncio.get_running_loop().time() < self._alone_from

    def asked(self) -> None:
        """The camera sent a heartbeat: how soon after the last answer tells whether it heeds the answers."""
        now = asyncio.get_running_loop().time()
        self.asks = self._answered_at is not None and now - self._answered_at < COMET_GAP_S

    def answered(self) -> None:
        """A heartbeat was answered."""
        self._answered_at = asyncio.get_running_loop().time()

    async def wait(self, seconds: float) -> None:
        """Returns when there is a command, or after so many seconds."""
        if self._waiting is None:
            woken = asyncio.ensure_future(self._woken.wait())
            try:
                await asyncio.wait((woken,), timeout=seconds)
            finally:
                woken.cancel()

    def take(self) -> FetchedCommand | None:
        """The command to hand out now, if there is one; it is nobody else's from now on."""
        if self.contested:
            return None
        fetched, self._waiting = self._waiting, None
        self._woken.clear()
        if fetched is not None:
            fetched.taken = True
        return fetched

    def _unfetched(self, within_s: float) -> tuple[str, str]:
        if self.contested:
            return (
                f"more than one address speaks for {self._camera}: no order is handed out until only one does",
                f"有多个地址以 {self._camera} 的名义推送：在只剩一个地址之前不下发指令",
            )
        if self.asks:
            return (
                f"{self._camera} did not fetch the order within {within_s:g} s",
                f"{self._camera} 未在 {within_s:g} 秒内取走指令",
            )
        return (
            f"{self._camera} did not ask for orders within {within_s:g} s: is its comet polling switched on?",
            f"{self._camera} 未在 {within_s:g} 秒内询问指令：请检查相机是否已开启 comet 轮询",
        )


def handed(fetched: FetchedCommand) -> None:
    """The answer with this command has been sent."""
    if not fetched.handed.done():
        fetched.handed.set_result(None)
