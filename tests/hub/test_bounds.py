"""What is bounded: refusals on record, messages for a broker that is away, one gateway's share of the hand-over."""

from __future__ import annotations

import asyncio

from contract import wire
from contract.acks import Ack
from contract.instants import instant
from contract.topics import UpTopic
from hub.ingest.arrivals import Refused
from hub.ingest.downlink import MOST_WAITING, Downlink
from hub.ingest.handover import Handover, Message
from hub.ingest.refusals import Refusals
from tests.hub.senders import NOW_MS, STREAM

ACK = Ack(stream=STREAM, state="committed", seq=1, at=instant(NOW_MS))


def refused(gateway: str, fault: str = "malformed") -> Refused:
    return Refused(gateway, "events", "broken", fault=fault)


def test_of_one_gateway_and_fault_one_refusal_a_minute_is_recorded() -> None:
    lately = Refusals()
    worth = lately.worth_recording(
        [refused("gw-1"), refused("gw-1"), refused("gw-1", "version"), refused("gw-2")], NOW_MS
    )
    assert [(one.gateway, one.fault) for one in worth] == [
        ("gw-1", "malformed"),
        ("gw-1", "version"),
        ("gw-2", "malformed"),
    ]
    lately.recorded(worth, NOW_MS)
    assert lately.worth_recording([refused("gw-1")], NOW_MS + 59_999) == []
    assert lately.worth_recording([refused("gw-1")], NOW_MS + 60_000) == [refused("gw-1")]


def test_what_was_not_committed_is_tried_again() -> None:
    lately = Refusals()
    assert lately.worth_recording([refused("gw-1")], NOW_MS) == lately.worth_recording([refused("gw-1")], NOW_MS + 1)


def test_strangers_without_number_do_not_fill_the_memory_nor_the_history() -> None:
    lately = Refusals()
    for number in range(10_000):
        lately.recorded(lately.worth_recording([refused(f"gw-{number}")], NOW_MS), NOW_MS)
    assert lately.worth_recording([refused("gw-new")], NOW_MS + 1) == []
    assert lately.worth_recording([refused("gw-new")], NOW_MS + 60_000) == [refused("gw-new")]


async def test_nothing_waits_for_a_broker_that_is_away() -> None:
    downlink = Downlink()
    assert not downlink("gw-1", "ack", ACK)
    downlink.open()
    assert downlink("gw-1", "ack", ACK)
    outgoing = await downlink.next()
    assert (outgoing.topic, wire.decode(Ack, outgoing.payload)) == ("gatehouse/v1/down/gw-1/ack", ACK)
    taken = [downlink("gw-1", "ack", ACK) for _ in range(MOST_WAITING + 1)]
    assert (taken[-2], taken[-1]) == (True, False)
    downlink.shut()
    downlink.open()
    waiting = asyncio.ensure_future(downlink.next())
    await asyncio.sleep(0)
    assert not waiting.done()
    waiting.cancel()


def message(gateway: str, size: int) -> Message:
    return Message(UpTopic("s1", gateway, "events"), b"x" * size, NOW_MS)


async def test_one_gateway_cannot_fill_the_hand_over() -> None:
    lane = Handover("test", 40_000)
    assert [lane.put(message("gw-1", 4700)) for _ in range(3)] == [True, True, False]
    assert lane.put(message("gw-2", 4700))
    assert [one.topic.gateway for one in await lane.take(1_000_000)] == ["gw-1", "gw-1", "gw-2"]
    assert lane.put(message("gw-1", 4700))


async def test_a_message_larger_than_the_hand_over_still_passes_when_it_is_empty() -> None:
    lane = Handover("test", 1000)
    assert lane.put(message("gw-1", 5000))
    assert not lane.put(message("gw-1", 1))
    assert len(await lane.take(1)) == 1


async def test_taking_waits_and_takes_in_order_up_to_a_size() -> None:
    lane = Handover("test", 100_000)
    taking = asyncio.ensure_future(lane.take(1000))
    await asyncio.sleep(0)
    for number in range(4):
        lane.put(message(f"gw-{number}", 300))
    assert [one.topic.gateway for one in await taking] == ["gw-0", "gw-1"]
    assert [one.topic.gateway for one in await lane.take(1000)] == ["gw-2", "gw-3"]
