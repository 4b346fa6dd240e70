"""Topics and the ids that may stand in them."""

from __future__ import annotations

import pytest

from contract import topics


@pytest.mark.parametrize("text", ["demo-gw", "a", "site_1", "0" * 64])
def test_good_ids(text: str) -> None:
    assert topics.valid_id(text)


@pytest.mark.parametrize("text", ["", "Demo", "a.b", "a/b", "a*", "a+", "#", "ä", "a b", "0" * 65, "a\n"])
def test_bad_ids(text: str) -> None:
    assert not topics.valid_id(text)


def test_up_both_ways() -> None:
    topic = topics.up("s1", "demo-gw", "events")
    assert topic == "gatehouse/v1/up/s1/demo-gw/events"
    assert topics.parse_up(topic) == ("s1", "demo-gw", "events")


def test_down_both_ways() -> None:
    topic = topics.down("demo-gw", "ack")
    assert topic == "gatehouse/v1/down/demo-gw/ack"
    assert topics.parse_down(topic) == ("demo-gw", "ack")


@pytest.mark.parametrize(
    "topic",
    [
        "gatehouse/v1/up/s1/demo-gw/nothing",
        "gatehouse/v1/up/s1/demo-gw/events/more",
        "gatehouse/v2/up/s1/demo-gw/events",
        "gatehouse/v1/up/s1/Demo/events",
        "gatehouse/v1/up/s1/demo-gw/events\n",
        "",
    ],
)
def test_foreign_topics(topic: str) -> None:
    assert topics.parse_up(topic) is None
