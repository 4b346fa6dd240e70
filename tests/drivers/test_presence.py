"""Devices that speak by themselves: found when heard, lost when silent or when they say so, each told once."""

from __future__ import annotations

from drivers.presence import Presence
from drivers.reports import DeviceFound, DeviceLost
from tests.drivers.sinks import Heard


async def test_silence_loses_what_was_heard_and_what_never_was() -> None:
    heard = Heard()
    presence = Presence({"a": 0.02, "b": 0.02, "c": None}, heard)
    presence.watch()
    presence.heard("a")
    presence.heard("c")
    assert presence.online("a")
    await heard.until(lambda: len(heard.of(DeviceLost)) == 2)
    assert {lost.device for lost in heard.of(DeviceLost)} == {"a", "b"}
    assert [found.device for found in heard.of(DeviceFound)] == ["a", "c"]
    assert (presence.online("a"), presence.online("b"), presence.online("c")) == (False, False, True)


async def test_each_turn_is_told_once_and_the_owner_hears_it_first() -> None:
    heard = Heard()
    told_before: list[int] = []
    presence = Presence({"a": None}, heard, when_lost=lambda device: told_before.append(len(heard.reports)))
    presence.lose("a", "gone")
    presence.lose("a", "gone")
    assert told_before == [0]
    assert heard.of(DeviceLost) == [DeviceLost("a", "gone")]
    presence.heard("a")
    presence.heard("a")
    assert heard.of(DeviceFound) == [DeviceFound("a")]
    presence.lose_all("the wire is gone")
    assert heard.of(DeviceLost)[1:] == [DeviceLost("a", "the wire is gone")]


async def test_at_rest_silence_says_nothing() -> None:
    heard = Heard()
    presence = Presence({"quiet": 0.01, "other": 0.02}, heard)
    presence.watch()
    presence.rest()
    presence.watch(["other"])
    await heard.until(lambda: heard.of(DeviceLost))
    assert [lost.device for lost in heard.of(DeviceLost)] == ["other"]
