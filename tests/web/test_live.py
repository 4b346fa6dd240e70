"""The live stream through a real server: what a browser sees, in which order, and what it never sees."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import msgspec
import pytest
from structlog.testing import capture_logs

from contract.rights import EVERYBODY_SEES, Viewer, viewer_of
from tests.web.servers import House, MemorySource, Stream, event, house, running, streaming, until
from web.doing import seen
from web.live import states as states_module
from web.live.screens import EventsFrame, Screen, View
from web.live.states import State, TickStates
from web.live.stream import LiveLimits, Snapshot


async def token_of(place: House, username: str = "wang", sites: tuple[str, ...] = ("a",)) -> str:
    await place.add(username, "correct horse", sites=sites)
    return (await place.sessions.sign_in(username, "correct horse", "192.0.2.1")).token


async def ids(stream: Stream, count: int) -> list[int]:
    found: list[int] = []
    while len(found) < count:
        found += [item["id"] for item in (await stream.named("events")).data]
    return found


def point(name: str, value: float, site: str = "a") -> dict[str, Any]:
    return {"kind": "point", "id": name, "site": site, "value": value}


async def test_a_screen_starts_from_a_snapshot_and_goes_on_with_events() -> None:
    place = house()
    token = await token_of(place)
    place.publish(event(1), event(2))
    async with running(place.app) as url, streaming(url, token) as stream:
        first = await stream.next()
        assert first is not None
        assert (first.name, first.id, first.data["events"]) == ("snapshot", 2, [2, 1])
        place.publish(event(3, what="card"), event(4))
        frame = await stream.next()
        assert frame is not None
        assert (frame.name, frame.id) == ("events", 4)
        assert frame.data == [{"id": 3, "site": "a", "what": "card"}, {"id": 4, "site": "a"}]
        assert stream.retry is not None


async def test_states_of_one_tick_come_once_and_without_an_id() -> None:
    place = house()
    token = await token_of(place)
    async with running(place.app) as url, streaming(url, token) as stream:
        await stream.named("snapshot")
        for value in range(50):
            place.publish(states=[point("pump-1.flow", value)])
        place.publish(event(9), states=[point("pump-1.speed", 7)])
        assert await ids(stream, 1) == [9]
        states = [await stream.next(), await stream.next()]
        assert [(state.name, state.id, state.data["value"]) for state in states if state] == [
            ("state", None, 49),
            ("state", None, 7),
        ]


async def test_a_state_that_cannot_be_shown_hides_nothing_else_and_its_screens_look_again() -> None:
    place = house()
    token, elsewhere = await token_of(place, sites=("a", "b")), await token_of(place, "song", ("b",))
    async with (
        running(place.app) as url,
        streaming(url, token) as stream,
        streaming(url, elsewhere) as other,
    ):
        for each in (stream, other):
            await each.named("snapshot")
        bad = {"kind": "ticket", "id": "t", "site": "a", "state": "done", "hands": ["who", ["knows"]]}
        unwritten = point("pump-1.mood", 0) | {"value": object()}
        with capture_logs() as said:
            place.publish(event(1), event(2, "b"), states=[bad, unwritten, point("pump-1.flow", 3), point("x", 4, "b")])
            assert await ids(stream, 2) == [1, 2]
        assert [(await stream.named("state")).data["value"] for _ in range(2)] == [3, 4]
        assert await stream.next() is None
        # Who sees nothing of it is left alone.
        assert await ids(other, 1) == [2]
        place.publish(event(3, "b"))
        assert await ids(other, 1) == [3]
    assert [(each["site"], each["id"]) for each in said] == [("a", "t"), ("a", "pump-1.mood")]


async def test_what_fails_at_a_whole_tick_is_looked_at() -> None:
    place = house()
    token = await token_of(place)
    async with running(place.app) as url, streaming(url, token) as stream:
        await stream.named("snapshot")

        def fails(data: msgspec.Raw) -> bytes:
            raise RuntimeError("out of order")

        place.publish(event(1)._replace(item=fails))
        assert await stream.next() is None


async def test_a_resume_brings_what_was_missed_and_then_a_snapshot() -> None:
    place = house(limits=LiveLimits(tick_s=0.02, frame_events=3))
    token = await token_of(place)
    place.publish(*(event(number) for number in range(1, 11)))
    async with running(place.app) as url, streaming(url, token, last_id=3) as stream:
        frames = [await stream.next() for _ in range(4)]
        assert [(frame.name, frame.id) for frame in frames if frame] == [
            ("events", 6),
            ("events", 9),
            ("events", 10),
            ("snapshot", None),
        ]
        place.publish(event(11))
        assert await ids(stream, 1) == [11]


async def test_an_event_published_twice_across_a_resume_comes_once() -> None:
    place = house()
    token = await token_of(place)
    place.source.slow = asyncio.Event()
    place.publish(event(1))
    async with running(place.app) as url, streaming(url, token, last_id=0) as stream:
        assert await ids(stream, 1) == [1]
        # The screen is registered and waits for its snapshot; event 1 is published late, 2 is new.
        place.live.publish([event(1)])
        place.publish(event(2))
        place.source.slow.set()
        await stream.named("snapshot")
        assert await ids(stream, 1) == [2]


async def test_what_is_committed_while_a_snapshot_is_read_is_not_lost() -> None:
    place = house()
    token = await token_of(place)
    place.publish(event(1))
    place.source.slow = asyncio.Event()
    async with running(place.app) as url, streaming(url, token) as stream:
        await until(lambda: place.source.snapshots > 0)
        place.publish(event(2))
        place.source.slow.set()
        assert (await stream.named("snapshot")).id == 1
        assert await ids(stream, 1) == [2]


@pytest.mark.parametrize("last_id", [0, 999], ids=["too much missed", "an id that is not ours"])
async def test_what_cannot_be_resumed_is_reset(last_id: int) -> None:
    place = house(limits=LiveLimits(tick_s=0.02, most_events=5))
    token = await token_of(place)
    place.publish(*(event(number) for number in range(1, 8)))
    async with running(place.app) as url, streaming(url, token, last_id=last_id) as stream:
        names = [frame.name for frame in (await stream.next(), await stream.next()) if frame]
        assert names == ["reset", "snapshot"]


async def test_only_the_users_sites_are_shown() -> None:
    place = house()
    token = await token_of(place, sites=("a", "c"))
    everything = await token_of(place, "admin", ("*",))
    async with (
        running(place.app) as url,
        streaming(url, token) as two,
        streaming(url, token, site="a") as one,
        streaming(url, everything) as whole,
    ):
        for stream in (one, two, whole):
            await stream.named("snapshot")
        place.publish(
            event(1), event(2, "b"), event(3, "c"), event(4, ""), states=[point("x", 1, "b"), point("x", 2, "a")]
        )
        assert await ids(one, 1) == [1]
        assert await ids(two, 2) == [1, 3]
        assert await ids(whole, 4) == [1, 2, 3, 4]
        assert (await one.named("state")).data["site"] == "a"
        assert {(await whole.named("state")).data["site"] for _ in range(2)} == {"a", "b"}
        place.publish(event(5, "c"), event(6))
        assert await ids(one, 1) == [6]


async def test_a_foreign_site_and_a_stranger_are_refused() -> None:
    place = house()
    token = await token_of(place)
    async with running(place.app) as url, httpx.AsyncClient(base_url=url) as client:
        bearer = {"Authorization": f"Bearer {token}"}
        assert (await client.get("/api/live", params={"site": "b"}, headers=bearer)).status_code == 403
        assert (await client.get("/api/live")).status_code == 401


async def test_a_quiet_stream_beats_and_ends_with_the_session() -> None:
    place = house(limits=LiveLimits(tick_s=0.02, heartbeat_s=0.05, look_s=0.05))
    token = await token_of(place)
    async with running(place.app) as url, streaming(url, token) as stream:
        await stream.named("snapshot")
        place.publish(event(1))
        assert await ids(stream, 1) == [1]
        place.store.sessions.clear()
        assert await stream.next() is None
        assert stream.comments >= 1


async def test_it_beats_while_what_a_screen_starts_from_is_still_being_read() -> None:
    place = house(limits=LiveLimits(tick_s=0.02, heartbeat_s=0.05))
    token = await token_of(place)
    place.source.slow = asyncio.Event()
    async with running(place.app) as url, streaming(url, token) as stream:
        reading = asyncio.ensure_future(stream.named("snapshot"))
        await until(lambda: stream.comments >= 3)
        assert not reading.done()
        place.source.slow.set()
        assert (await reading).name == "snapshot"


async def test_the_server_stops_while_screens_are_open() -> None:
    place = house()
    token = await token_of(place)
    async with running(place.app) as url:
        stream_context = streaming(url, token)
        stream = await stream_context.__aenter__()
        await stream.named("snapshot")
    # `running` has returned, so that the server did end; the browser saw a clean end, not a cut.
    assert await stream.next() is None
    await stream_context.__aexit__(None, None, None)


class GoneSource(MemorySource):
    """What screens show cannot be read any more."""

    async def snapshot(self, view: View) -> Snapshot:
        raise RuntimeError("the database is away")


async def test_what_cannot_be_read_ends_the_stream_and_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    place = house()
    token = await token_of(place)
    place.live._source = GoneSource()
    async with running(place.app) as url, streaming(url, token) as stream:
        assert await stream.next() is None
        # A browser would come again after so long.
        assert stream.retry is not None
    assert not [record for record in caplog.records if record.exc_info]


async def test_a_removed_account_loses_its_screens_and_no_other() -> None:
    place = house()
    token, other = await token_of(place), await token_of(place, "li")
    async with running(place.app) as url, streaming(url, token) as stream, streaming(url, other) as left:
        await stream.named("snapshot")
        await left.named("snapshot")
        place.live.end("id-wang")
        assert await stream.next() is None
        place.publish(event(1))
        assert await ids(left, 1) == [1]


async def test_one_person_may_not_open_screens_without_end() -> None:
    place = house(limits=LiveLimits(screens_of_one=2))
    token = await token_of(place)
    async with running(place.app) as url, streaming(url, token), streaming(url, token):
        async with httpx.AsyncClient(base_url=url) as client:
            answer = await client.get("/api/live", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) > 0


async def test_screens_that_come_together_share_a_snapshot() -> None:
    place = house(limits=LiveLimits(snapshots_at_once=1))
    token, of_a_colleague = await token_of(place), await token_of(place, "song")
    place.source.slow = asyncio.Event()
    async with (
        running(place.app) as url,
        streaming(url, token) as one,
        streaming(url, of_a_colleague) as two,
        streaming(url, token) as three,
    ):
        await until(lambda: len(place.live._screens) == 3)
        place.source.slow.set()
        for stream in (one, two, three):
            await stream.named("snapshot")
        assert place.source.snapshots <= 2


NAMES = [f"id-w{number}" for number in range(20)]


class Own(MemorySource):
    """A source with a ticket that is another matter to some."""

    async def snapshot(self, view: View) -> Snapshot:
        found = await super().snapshot(view)
        return found._replace(concerned=frozenset(NAMES), own=lambda names: msgspec.json.encode({"own": sorted(names)}))


async def test_who_may_do_other_things_than_others_shares_their_read() -> None:
    place = house(limits=LiveLimits(snapshots_at_once=1))
    source = place.live._source = Own(place.source.events)
    views = [View(frozenset({"a"}), viewer_of("guard", name, "w")) for name in (*NAMES, "id-song")]
    found = await asyncio.gather(*(place.live._snapshot(view) for view in views))
    assert source.snapshots == 1
    assert [msgspec.json.decode(each.body) for each in found[:-1]] == [{"own": [name]} for name in NAMES]
    assert "own" not in msgspec.json.decode(found[-1].body)


def test_a_tick_writes_once_more_only_what_is_another_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []

    def counted(viewer: Viewer, kind: str, state: State) -> State:
        written.append(state["id"])
        return seen(viewer, kind, state)

    monkeypatch.setattr(states_module, "seen", counted)
    hand = {"roles": ["manager"], "also": ["wang"], "never": ["song"], "only": []}
    ticket = {"kind": "ticket", "id": "t", "site": "a", "state": "done", "hands": {"accept": hand}}
    shown: list[State] = [ticket, *(point(f"p{number}", 1) for number in range(50))]
    states = TickStates({(each["site"], each["kind"], each["id"]): each for each in shown})
    colleague = states.frames(viewer_of("guard", "bai"))
    assert (len(written), sorted(states.doing)) == (51, ["song", "wang"])
    asked = states.frames(viewer_of("guard", "wang", "wang.name"))
    assert written[51:] == ["t"]
    assert [key for key in asked if asked[key] != colleague[key]] == [("a", "ticket", "t")]
    assert list(asked) == list(colleague)
    assert states.frames(viewer_of("guard", "li")) is colleague


def test_a_screen_that_does_not_keep_up_is_emptied_and_marked() -> None:
    screen = Screen("x", View(None, EVERYBODY_SEES), most_events=3, most_states=10)
    screen.offer(EventsFrame.of([event(1), event(2)]), {})
    assert not screen.overflowed
    screen.offer(EventsFrame.of([event(3), event(4)]), {})
    assert screen.overflowed
    screen.offer(EventsFrame.of([event(5)]), {("a", "point", "x"): b"state"})
    assert screen.take() == b""
    screen.restart()
    screen.offer(EventsFrame.of([event(6)]), {("a", "point", "x"): b"state"})
    assert screen.take() == EventsFrame.of([event(6)]).encoded + b"state"


def test_a_late_event_does_not_move_the_cursor_back() -> None:
    assert EventsFrame.of([event(9)], least_id=10).encoded.startswith(b"id: 10\n")


async def test_overflow_on_the_wire_is_a_reset_and_a_snapshot() -> None:
    place = house(limits=LiveLimits(tick_s=0.01, most_events=5))
    token = await token_of(place)
    async with running(place.app) as url, streaming(url, token) as stream:
        await stream.named("snapshot")
        place.publish(*(event(number) for number in range(1, 8)))
        assert [frame.name for frame in (await stream.next(), await stream.next()) if frame] == ["reset", "snapshot"]
        place.publish(event(8))
        assert await ids(stream, 1) == [8]
