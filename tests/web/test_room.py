"""Who gets a place among the connections, and who has to go for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.addresses import lies_in, networks, subscriber
from web.server.bodies import Bodies
from web.server.room import MOMENT_S, REMEMBERED, Full, Guest, Limits, Room

LATER = 10 * MOMENT_S


def fill(room: Room, *addresses: str) -> list[Guest]:
    """All at the moment 0."""
    guests = [Guest(address) for address in addresses]
    for guest in guests:
        assert room.enter(guest, 0.0).leaves is None
    return guests


def test_an_address_that_is_full_replaces_the_connection_that_it_has_left_waiting_longest() -> None:
    room = Room(Limits(10, 2))
    first, second = fill(room, "10.0.0.1", "10.0.0.1")
    third, fourth = Guest("10.0.0.1"), Guest("10.0.0.1")
    assert room.enter(third, LATER) == (first, Full.ADDRESS)
    room.is_served(second)
    # Who waits for his request for no longer than it takes to come is not thrown out.
    assert room.enter(fourth, LATER) == (fourth, Full.ADDRESS)
    room.is_served(third)
    assert room.enter(fourth, LATER * 2) == (fourth, Full.ADDRESS)
    room.waits(second, LATER * 2)
    assert room.enter(fourth, LATER * 3).leaves is second
    assert room.count == 2


def test_a_full_house_replaces_a_connection_of_whoever_has_most_waiting_at_once() -> None:
    room = Room(Limits(5, 4))
    greedy = fill(room, *["10.0.0.1"] * 4)
    fill(room, "10.0.0.2")
    assert room.enter(Guest("10.0.0.3"), 0.0) == (greedy[0], Full.ALL)
    assert room.count == 5


def test_in_a_house_full_of_strangers_one_that_waits_gives_way_to_a_first_connection_at_once_and_to_more_later() -> (
    None
):
    room = Room(Limits(3, 3))
    first, second, _ = fill(room, "10.0.0.1", "10.0.0.2", "10.0.0.3")
    newcomer, again = Guest("10.0.0.4"), Guest("10.0.0.4")
    assert room.enter(newcomer, MOMENT_S / 2) == (first, Full.ALL)
    assert room.enter(again, MOMENT_S / 2) == (again, Full.ALL)
    room.is_served(newcomer)
    assert room.enter(again, MOMENT_S) == (second, Full.ALL)


def test_where_all_are_served_the_newest_of_the_greediest_gives_way_to_those_who_have_less() -> None:
    room = Room(Limits(4, 4))
    guests = fill(room, "10.0.0.1", "10.0.0.1", "10.0.0.1", "10.0.0.2")
    for guest in guests:
        room.is_served(guest)
    greedy = Guest("10.0.0.1")
    assert room.enter(greedy, LATER) == (greedy, Full.ALL)
    assert room.enter(Guest("10.0.0.3"), LATER) == (guests[2], Full.ALL)


def test_a_proxy_speaks_for_many() -> None:
    room = Room(Limits(5, 1, networks("10.0.0.0/24")))
    fill(room, *["10.0.0.1"] * 5)
    assert room.enter(Guest("10.0.0.1"), LATER).full is Full.ALL


def test_an_ipv6_subscriber_is_one_whatever_addresses_it_takes() -> None:
    assert subscriber("2001:db8::1") == subscriber("2001:db8::ffff:1") != subscriber("2001:db8:0:1::1")
    assert subscriber("::ffff:10.0.0.1") == "10.0.0.1"
    assert subscriber("unix") == "unix"
    room = Room(Limits(10, 2))
    fill(room, "2001:db8::1", "2001:db8::2")
    assert room.enter(Guest("2001:db8::3"), LATER).full is Full.ADDRESS


@given(
    st.lists(st.tuples(st.sampled_from(["enter", "wait", "serve", "leave"]), st.integers(0, 5), st.integers(0, 40))),
    st.integers(2, 8),
    st.integers(1, 8),
)
def test_whatever_comes_no_more_are_here_than_may_be(steps: list[tuple[str, int, int]], in_all: int, each: int) -> None:
    room, here = Room(Limits(in_all, each)), list[Guest]()
    for now, (what, who, which) in enumerate(steps):
        if what == "enter":
            guest = Guest(f"10.0.0.{who}")
            entry = room.enter(guest, now / 4)
            if entry.leaves is not None and entry.leaves is not guest:
                here.remove(entry.leaves)
            if entry.leaves is not guest:
                here.append(guest)
        elif here:
            guest = here[which % len(here)]
            if what == "wait":
                room.waits(guest, now / 4)
            elif what == "serve":
                room.is_served(guest)
            else:
                room.leave(guest)
                here.remove(guest)
        assert room.count == len(here) <= in_all
        assert all(sum(g.address == f"10.0.0.{n}" for g in here) <= each for n in range(6))


def test_limits_fit_the_descriptors_that_there_are() -> None:
    assert Limits(256, 64).within(1000) == Limits(256, 64)
    assert Limits(256, 64).within(100) == Limits(100, 50)
    assert Limits(256, 64).within(0) == Limits(2, 1)


def test_bodies_are_bounded_in_all_and_by_address_and_given_back() -> None:
    bodies = Bodies(100, 60)
    assert bodies.take("10.0.0.1", 60)
    assert not bodies.take("10.0.0.1", 1)
    assert bodies.take("10.0.0.2", 40)
    assert not bodies.take("10.0.0.3", 1)
    bodies.give_back("10.0.0.1", 60)
    assert bodies.take("10.0.0.3", 60)
    assert bodies.held == 100


@pytest.mark.parametrize(
    ("address", "among", "inside"),
    [
        ("127.0.0.1", "127.0.0.0/8", True),
        ("::ffff:192.168.1.9", "192.168.1.0/24", True),
        ("192.168.2.9", "192.168.1.0/24,10.0.0.0/8", False),
        ("10.9.9.9", "192.168.1.0/24, 10.0.0.0/8", True),
        ("2001:db8::1", "*", True),
        ("", "*", False),
    ],
)
def test_ranges(address: str, among: str, inside: bool) -> None:
    assert lies_in(address, networks(among)) is inside


def test_a_range_that_is_none_is_named() -> None:
    with pytest.raises(ValueError, match="'office' is no address"):
        networks("10.0.0.1, office")


def test_an_address_that_comes_again_and_again_is_let_in_at_a_rate() -> None:
    room = Room(Limits(in_all=100, each=4, rate=2.0))

    def come(address: str, now: float) -> bool:
        guest = Guest(address)
        entered = room.enter(guest, now).leaves is not guest
        room.leave(guest)
        return entered

    assert [come("10.0.0.1", 0.0) for _ in range(6)] == [True] * 4 + [False] * 2
    assert come("10.0.0.2", 0.0), "another has its own"
    # Two more in each second, and never more than at the beginning.
    assert [come("10.0.0.1", 1.0) for _ in range(3)] == [True, True, False]
    assert [come("10.0.0.1", 1000.0) for _ in range(5)] == [True] * 4 + [False]


def test_a_proxy_may_come_as_often_as_it_likes() -> None:
    room = Room(Limits(in_all=100, each=1, spared=networks("10.0.0.9"), rate=0.1))
    guests = [Guest("10.0.0.9") for _ in range(50)]
    assert all(room.enter(guest, 0.0).leaves is None for guest in guests)


def test_of_a_thousand_addresses_no_more_is_remembered_than_of_some() -> None:
    room = Room(Limits(in_all=10, each=1, rate=1.0))
    for number in range(2 * REMEMBERED):
        guest = Guest(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
        room.enter(guest, float(number))
        room.leave(guest)
    assert len(room._coming) == REMEMBERED
