"""What is bounded: refusals on record, messages for a broker that is away, one gateway's share of the hand-over."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from contract import wire
from contract.acks import Ack
from contract.instants import instant
from contract.topics import UpTopic
from hub.downlink import MOST_WAITING, Downlink
from hub.ingest.arrivals import MessageRefused
from hub.ingest.handover import Handover, Message
from hub.ingest.refusals import Refusals
from tests.hub.senders import NOW_MS, STREAM

ACK = Ack(stream=STREAM, state="committed", seq=1, at=instant(NOW_MS))


def refused(gateway: str, fault: str = "malformed") -> MessageRefused:
    return MessageRefused(gateway, "events", "broken", fault=fault)


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
    assert [one.topic.gateway for one in await lane.take(1_000_000)] == ["gw-1", "gw-2", "gw-1"]
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


# --- Turns


def numbered(gateway: str, number: int, size: int = 100) -> Message:
    return Message(UpTopic("s1", gateway, "events"), str(number).encode().ljust(size), NOW_MS)


def named(messages: Sequence[Message]) -> list[tuple[str, int]]:
    return [(one.topic.gateway, int(one.payload)) for one in messages]


async def test_whoever_has_cost_much_waits_for_the_others() -> None:
    lane = Handover("test", 100_000)
    for number in range(3):
        lane.put(numbered("gw-flood", number))
    assert named(await lane.take(1)) == [("gw-flood", 0)]
    lane.charge("gw-flood", 1_000_000)
    for number in range(5):
        lane.put(numbered("gw-1", number))
        lane.put(numbered("gw-2", number))
    order = named(await lane.take(100_000))
    assert order[-2:] == [("gw-flood", 1), ("gw-flood", 2)]
    assert [one for one in order if one[0] == "gw-1"] == [("gw-1", number) for number in range(5)]


async def test_whoever_was_quiet_has_saved_nothing_up() -> None:
    lane = Handover("test", 100_000)
    for number in range(20):
        lane.put(numbered("gw-1", number))
        await lane.take(1)
    for number in range(4):
        lane.put(numbered("gw-1", number))
        lane.put(numbered("gw-2", number))
    order = [gateway for gateway, _ in named(await lane.take(100_000))]
    assert order[:2].count("gw-1") == order[2:4].count("gw-1") == 1


@given(
    st.lists(st.tuples(st.sampled_from(["gw-1", "gw-2", "gw-3"]), st.integers(1, 900)), max_size=40),
    st.lists(st.tuples(st.integers(1, 4000), st.integers(0, 5), st.integers(0, 100_000)), min_size=1, max_size=10),
)
def test_whatever_is_taken_given_back_and_charged_each_gateway_keeps_its_order(
    sent: list[tuple[str, int]], takes: list[tuple[int, int, int]]
) -> None:
    async def played() -> None:
        lane = Handover("test", 1_000_000)
        for number, (gateway, size) in enumerate(sent):
            assert lane.put(numbered(gateway, number, size))
        came: list[tuple[str, int]] = []
        for most, back, cost in [*takes, (10_000_000, 0, 0)]:
            if len(came) == len(sent):
                break
            taken = await lane.take(most)
            kept = max(1, len(taken) - back)
            lane.give_back(taken[kept:])
            for one in taken[:kept]:
                lane.charge(one.topic.gateway, cost)
            came += named(taken[:kept])
        for gateway in ("gw-1", "gw-2", "gw-3"):
            assert [number for name, number in came if name == gateway] == [
                number for number, (name, _) in enumerate(sent) if name == gateway
            ]

    asyncio.run(played())
