"""The same facts make the same alarm at the gateway that says them and at the hub that hears them."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from contract.commands import Person
from contract.facts.alarms import AlarmRaised, Severity
from contract.instants import instant
from contract.readings import Value
from contract.texts import Text
from gateway.engine.alarms.alarms import Alarms
from gateway.engine.alarms.episodes import Alarm, alarm_item
from gateway.engine.desk.record import Facts
from gateway.engine.standing import alarm_standing
from hub.alarms import service
from hub.alarms.models import AlarmRow
from hub.database.event import StoredEvent
from rules.alarms.episode import Cause, Change, Episode, stated
from tests.gateway.engine_site import Time

SITE, GATEWAY = "demo", "demo-gw"

people = st.sampled_from([Person(id="g", name="王门卫", role="guard"), Person(id="m", name="Li", role="maintenance")])
notes = st.sampled_from(["", "看到了", "again", "x" * 600])
values: st.SearchStrategy[dict[str, Value]] = st.dictionaries(
    st.sampled_from(["pump-1.flow", "pump-1.rotating", "pump-2.flow"]), st.sampled_from([0.0, 2.5, True, None])
)
severities: st.SearchStrategy[Severity] = st.sampled_from(["critical", "major", "minor", "warning"])
causes = st.builds(
    Cause,
    rule=st.sampled_from(["dry", "hot"]),
    source=st.just("pump-1"),
    asset=st.sampled_from(["pump-1", "plant"]),
    severity=severities,
    message=st.builds(Text, st.sampled_from(["缺水", "过热"]), st.sampled_from(["Dry", "Hot"])),
    response=st.none() | st.just(Text("停泵", "Stop the pump")),
    title=st.none() | st.just(Text("检修", "See to it")),
)
acts = st.lists(
    st.one_of(
        st.tuples(st.just("raise"), causes, values),
        st.tuples(st.just("clear"), st.sampled_from(["dry@pump-1", "hot@pump-1"]), values),
        st.tuples(st.just("ack"), people, notes),
        st.tuples(st.just("shelve"), people, notes),
        st.tuples(st.just("unshelve"), people),
        st.tuples(st.just("wait"), st.integers(1, 5_000)),
    ),
    max_size=30,
)


class Session:
    """The rows of a table in memory."""

    def __init__(self) -> None:
        self.rows: dict[str, AlarmRow] = {}

    async def get(self, table: type[AlarmRow], id: str) -> AlarmRow | None:
        return self.rows.get(id)

    def add(self, row: AlarmRow) -> None:
        self.rows[row.id] = row


class Both:
    """A gateway's alarms, and what a hub makes of the facts that they say."""

    def __init__(self) -> None:
        self.time = Time()
        clock = SimpleNamespace(wall_ms=lambda: self.time.machine_ms, monotonic=lambda: self.time.steady)
        record = SimpleNamespace(append=self.hear)
        desk: Any = SimpleNamespace(points=None, names=None, record=record, clock=clock, timers=self.time)
        self.alarms = Alarms([], desk)
        self.session: Any = Session()
        self.seq = 0

    def act(self, what: str, *how: Any) -> None:
        """Something happens at the gateway; the hub hears of it."""
        facts = Facts()
        match what, how:
            case "raise", (cause, values):
                self.alarms.raise_cause(cause, facts, values)
            case "clear", (key, values):
                self.alarms.clear_cause(key, facts, values)
            case "wait", (seconds,):
                self.time.pass_by(seconds)
            case "ack", (by, note):
                for alarm in list(self.alarms.alarms.values()):
                    self.alarms.acknowledge(alarm, by, note, "c-1", facts)
            case "shelve", (by, note):
                for alarm in list(self.alarms.alarms.values()):
                    self.alarms.shelve(alarm, by, note, for_s=600, command="c-1", facts=facts)
            case "unshelve", (by,):
                for alarm in list(self.alarms.alarms.values()):
                    self.alarms.unshelve(alarm, by, facts)
        self.hear(facts)

    def hear(self, facts: Facts) -> None:
        for draft in facts.drafts:
            self.seq += 1
            at = instant(self.time.machine_ms)
            event = StoredEvent(
                id=self.seq, site=SITE, gateway=GATEWAY, stream="s", seq=self.seq, at=at, received_at=at,
                kind=draft.kind, source=draft.source, data=msgspec.Raw(msgspec.json.encode(draft.data)),
            )  # fmt: skip
            data = event.typed()
            if isinstance(data, AlarmRaised):
                asyncio.run(service.raise_alarm(self.session, event, data))
            else:
                assert isinstance(data, Change)
                asyncio.run(service.change_alarm(self.session, event, data))


@given(acts)
def test_gateway_and_hub_make_the_same_episode_of_the_same_facts(acts: list[tuple[Any, ...]]) -> None:
    both = Both()
    for act in acts:
        both.act(*act)
    here = both.alarms.alarms
    assert set(here) == set(both.session.rows)
    for id, alarm in here.items():
        row = both.session.rows[id]
        assert service.episode_of(row) == known_to_both(alarm)
        assert service.item_of(row) == alarm_item(alarm, SITE)
        if alarm.state != "closed":
            assert stated(alarm_standing(alarm)) == known_to_both(alarm)


def known_to_both(alarm: Alarm) -> Episode:
    """The alarm without what its gateway alone knows."""
    fields = {name: getattr(alarm, name) for name in Episode.__struct_fields__}
    return Episode(**fields | {"cause": msgspec.structs.replace(alarm.cause, title=None, place="")})
