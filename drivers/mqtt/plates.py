"""Plate cameras that speak through the site's broker: hands their messages on, and rings when a plate is due."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from drivers.camera.frigate import Cameras, Meaning, Presence, Refused
from drivers.profiles.profile import Profile
from drivers.reports import ClockTold, InputRefused, Sink


class Plates:
    """The plate cameras of one broker. `present`: told whether a device is there, and why not."""

    def __init__(
        self,
        bus: str,
        devices: Mapping[str, tuple[str, Profile]],
        *,
        sink: Sink,
        present: Callable[[str, str | None], None],
    ) -> None:
        self._bus = bus
        self._cameras = Cameras(
            {device: topic for device, (topic, profile) in devices.items() if profile.dialect == "frigate"}
        )
        self._sink = sink
        self._present = present
        self._timer: asyncio.TimerHandle | None = None

    @property
    def topics(self) -> list[str]:
        """What to subscribe to."""
        return self._cameras.topics

    def take(self, topic: str, payload: bytes, *, retained: bool) -> int:
        """A message of the broker; one of another topic says nothing here. How much of it was refused."""
        if not self._cameras.knows(topic):
            return 0
        now = asyncio.get_running_loop().time()
        meanings = self._cameras.read(topic, payload, now, retained=retained)
        for meaning in meanings:
            self._tell(meaning, payload)
        self._arm()
        return sum(isinstance(meaning, Refused) for meaning in meanings)

    def rest(self) -> None:
        """Nobody listens any more."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None

    def _tell(self, meaning: Meaning, payload: bytes) -> None:
        match meaning:
            case Refused(device, why):
                self._sink(InputRefused(device or self._bus, why, payload[:64]))
            case Presence(device, online, why):
                self._present(device, None if online else why)
            case ClockTold():
                self._sink(meaning)
            case _:
                self._present(meaning.camera, None)
                self._sink(meaning)

    def _arm(self) -> None:
        self.rest()
        due = self._cameras.due()
        if due is not None:
            self._timer = asyncio.get_running_loop().call_at(due, self._ring)

    def _ring(self) -> None:
        for read in self._cameras.tick(asyncio.get_running_loop().time()):
            self._sink(read)
        self._arm()
