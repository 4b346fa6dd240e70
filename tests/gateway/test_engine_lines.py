"""Lines that stay closed because a password would go over them in clear."""

from __future__ import annotations

from pathlib import Path

from tests.gateway.engine_site import SITE, Yard, yard

UPLINK = "uplink: {host: hub.example, username: gw, password_file: p%s}\nbuses:\n"
BROKER = "  broker: {kind: mqtt, host: 192.168.10.2, username: gw, password_file: p%s}\n"


def site(uplink: str, broker: str) -> str:
    return SITE.replace("buses:\n", UPLINK % uplink + BROKER % broker)


def told(here: Yard) -> dict[str, tuple[str, str]]:
    """Source of each alarm that is there, and its words: what happened, what to do."""
    found = (alarm.cause for alarm in here.engine.alarms.alarms.values() if alarm.present)
    return {
        cause.source: (cause.message.en, "" if cause.response is None else cause.response.en)
        for cause in found
        if cause.rule == "line.in_clear"
    }


async def test_each_line_that_an_upgrade_closed_is_an_alarm_until_the_file_is_right(tmp_path: Path) -> None:
    async with yard(tmp_path, site=site("", "")) as here:
        alarms = told(here)
        assert set(alarms) == {"yard-gw", "broker"}
        for source, host, place in (("yard-gw", "hub.example", "uplink"), ("broker", "192.168.10.2", "buses.broker")):
            message, response = alarms[source]
            assert host in message
            assert f"site file at {place}," in response
            assert "ca_file" in response
    async with yard(tmp_path, here.time, site=site(", tls: true", "")) as here:
        assert set(told(here)) == {"broker"}
    async with yard(tmp_path, here.time) as here:
        assert told(here) == {}
