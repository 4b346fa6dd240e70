"""Who has been heard lately, for devices that speak by themselves: found when heard, lost when silent or said to be."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping

from drivers.reports import DeviceFound, DeviceLost, Sink


class Presence:
    """Which devices of one wire are there. `silent_s`: the silence after which each is lost; None: never by silence.

    Reports `DeviceFound` and `DeviceLost` once each turn. `when_lost` is called just before a device is told lost.
    """

    def __init__(
        self,
        silent_s: Mapping[str, float | None],
        sink: Sink,
        *,
        when_lost: Callable[[str], None] = lambda device: None,
    ) -> None:
        self._silent_s = dict(silent_s)
        self._sink = sink
        self._when_lost = when_lost
        self._online: dict[str, bool] = {}
        self._watches: dict[str, asyncio.TimerHandle] = {}

    def online(self, device: str) -> bool:
        """Whether the device was heard lately."""
        return self._online.get(device, False)

    def lost(self, device: str) -> bool:
        """Whether the device is known to be away; one that nobody has heard of yet is not."""
        return self._online.get(device) is False

    def heard(self, device: str) -> None:
        """The device gave a sign of life."""
        if not self._online.get(device, False):
            self._online[device] = True
            self._sink(DeviceFound(device))
        self.watch([device])

    def watch(self, devices: Iterable[str] | None = None) -> None:
        """From now on the silence of these devices (of all, if none are named) counts anew."""
        for device in self._silent_s if devices is None else devices:
            self._forget(device)
            silent_s = self._silent_s[device]
            if silent_s is not None:
                why = f"nothing heard for {silent_s:g} s"
                self._watches[device] = asyncio.get_running_loop().call_later(silent_s, self.lose, device, why)

    def lose(self, device: str, why: str) -> None:
        """The device is not there; told once."""
        self._forget(device)
        if self._online.get(device) is not False:
            self._online[device] = False
            self._when_lost(device)
            self._sink(DeviceLost(device, why))

    def lose_all(self, why: str) -> None:
        """None of the wire's devices is there."""
        for device in self._silent_s:
            self.lose(device, why)

    def rest(self) -> None:
        """Nobody listens any more: silence says nothing."""
        for watch in self._watches.values():
            watch.cancel()
        self._watches.clear()

    def _forget(self, device: str) -> None:
        watch = self._watches.pop(device, None)
        if watch is not None:
            watch.cancel()
