"""Orders for a camera that can only be answered: each waits for the camera to ask, and never longer than it is valid.

One order a camera at a time. What was handed out once is never handed out again, and nothing is handed out while more
than one address speaks for the camera: whoever asks in its name would take the order, and the barrier stay down.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from drivers.bus import CommandFailed
from drivers.camera.zhenshi import COMET_GAP_S, Order

HOLD_S = 0.5
"""How long a camera that asks all the time is kept waiting for an order: it need not ask more often then."""

ALONE_S = 30.0
"""A camera that speaks from another address is given orders when nobody else has spoken for it for so long."""


@dataclass(slots=True, eq=False)
class Wish:
    """An order on its way. `handed`: done when the answer that carries it has been sent."""

    order: Order
    handed: asyncio.Future[None]
    taken: bool = False


class Wishes:
    """The one order that may wait for a camera, and whether the camera asks for orders at all."""

    def __init__(self, camera: str) -> None:
        self._camera = camera
        self._wish: Wish | None = None
        self._wished = asyncio.Event()
        self._answered_at: float | None = None
        self._source: str | None = None
        self._alone_from = float("-inf")
        self.asks = False
        """Whether the camera's heartbeats come as fast as only those do whose answers it heeds."""

    async def ask(self, order: Order, within_s: float) -> None:
        """Returns when the answer with the order has been sent; `CommandFailed` if no answer carried it in time."""
        if self._wish is not None:
            raise CommandFailed(
                f"{self._camera} has not fetched the order before", f"{self._camera} 尚未取走上一条指令"
            )
        wish = self._wish = Wish(order, asyncio.get_running_loop().create_future())
        self._wished.set()
        try:
            await asyncio.wait((wish.handed,), timeout=within_s)
        finally:
            if self._wish is wish:
                self._wish = None
                self._wished.clear()
        if wish.handed.done():
            return
        if wish.taken:
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
        """Returns when there is an order, or after so many seconds."""
        if self._wish is None:
            wished = asyncio.ensure_future(self._wished.wait())
            try:
                await asyncio.wait((wished,), timeout=seconds)
            finally:
                wished.cancel()

    def take(self) -> Wish | None:
        """The order to hand out now, if there is one; it is nobody else's from now on."""
        if self.contested:
            return None
        wish, self._wish = self._wish, None
        self._wished.clear()
        if wish is not None:
            wish.taken = True
        return wish

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


def handed(wish: Wish) -> None:
    """The answer with this order has been sent."""
    if not wish.handed.done():
        wish.handed.set_result(None)
