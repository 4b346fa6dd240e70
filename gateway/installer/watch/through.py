"""`watch --gateway --bus`: what is said on a wire that a running gateway owns, as the gateway hears it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import httpx

from drivers.listening import Seen
from drivers.tallies import Tallies
from gateway.installer.terminal.screen import Screen
from gateway.installer.terminal.trouble import FAILED, Trouble
from gateway.installer.terminal.wording import lost

SILENT_S = 20.0
"""The gateway sends an empty line wherever nothing is said; without one for so long it is gone."""

SEEN = frozenset({"at", "way", "unit", "latency_ms", "words", "raw"})


class MayNotSee(Exception):
    """The account may see what is counted on the wire, not what is said there."""


class Through:
    """One wire, as its gateway tells it. `tallies`: counted from what is told."""

    def __init__(self, client: httpx.AsyncClient, bus: str, screen: Screen) -> None:
        self.tallies = Tallies()
        self._client = client
        self._bus = bus
        self._screen = screen

    async def lines(self) -> AsyncIterator[list[Seen]]:
        """What is said, as it comes; an empty list now and then where nothing is. Raises `MayNotSee`, `Trouble`."""
        try:
            async with self._client.stream(
                "GET",
                f"/api/wires/{self._bus}/frames",
                timeout=httpx.Timeout(5.0, read=SILENT_S),
            ) as answer:
                if answer.status_code == 403:
                    raise MayNotSee
                if answer.status_code != 200:
                    await answer.aread()
                    why = refused(answer)
                    raise Trouble(f"网关不给看这条线路：{why}", f"the gateway does not show this line: {why}", FAILED)
                async for line in answer.aiter_lines():
                    yield [seen for seen in [self._seen(json.loads(line))] if seen] if line else []
        except httpx.HTTPError as wrong:
            why = str(wrong) or type(wrong).__name__
            raise Trouble(f"网关断开了：{why}", f"the gateway is gone: {why}", FAILED) from wrong
        raise Trouble("网关结束了显示", "the gateway ended it", FAILED)

    def _seen(self, said: dict[str, Any]) -> Seen | None:
        if "lost" in said:
            count = said["lost"]
            self._screen.warn(f"来不及显示，略过 {count} 段", f"too slow: {count} pieces were left out")
            return None
        raw = bytes.fromhex(said["raw"])
        fields = {name: value for name, value in said.items() if name not in SEEN}
        latency_s = None if said["latency_ms"] is None else said["latency_ms"] / 1000
        words = said["words"]
        if fields.get("kind") == "fault":
            words = f"{fields['device']} {lost(words, self._screen.say)}".strip()
        at = datetime.fromisoformat(said["at"]).timestamp()
        seen = Seen(at, said["way"], said["unit"], words, latency_s, raw, fields)
        self._count(seen)
        return seen

    def _count(self, seen: Seen) -> None:
        tallies = self.tallies
        tallies.bytes += max(1, len(seen.raw))
        match seen.fields.get("kind"):
            case "fault":
                return
            case "noise":
                tallies.damaged(seen.unit or None)
                return
        tallies.frames += 1
        if seen.way == "ask":
            tallies.request(seen.unit)
        else:
            tallies.answer(seen.unit, seen.latency_s, refused=seen.fields.get("kind") == "exception")


def refused(answer: httpx.Response) -> str:
    """Why the gateway refuses, in its words."""
    try:
        return f"{answer.json()['error']['message']} ({answer.status_code})"
    except (ValueError, KeyError):
        return str(answer.status_code)
