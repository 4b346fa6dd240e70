"""Everything that can happen between a gateway and its hub, in any order: events still arrive exactly once, in order.

The gateway's half is the real outbox and the real chain on a journal in memory, the hub's half the real stream rule on
rows in memory. Messages are lost, doubled and reordered, both ends are killed, power is cut, older journals come back
again and again, and files lose some of their events.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Literal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from contract.acks import Ack
from contract.events import GENESIS, Batch
from contract.facts.gateway import StreamForked
from contract.presence import Presence
from gateway.journal.records import Draft, Fact, Place, Row, event_of, fact, moved_of, placed, rechained
from gateway.uplink.outbox import SILENCE_S, WINDOW, ForkNeeded, Freed, Meaning, Outbox, Rewound, Told
from tests.gateway.disks import NOW_MS
from tests.gateway.hub_model import ModelHub, now

GATEWAY = "gw"
BATCH = 3


@dataclass
class MemoryJournal:
    """A journal's rows and what it knows of the hub. `durable`: how far a power cut leaves it."""

    place: Place
    rows: list[Row] = field(default_factory=list)
    acked: int = 0
    durable: int = 0

    def append(self, facts: list[Fact]) -> None:
        rows, self.place = placed(facts, self.place)
        self.rows += rows

    def at(self, seq: int) -> Row | None:
        return next((row for row in self.rows if row.seq == seq), None)

    def batch(self, after: int) -> Batch | None:
        """The next batch; None at a hole."""
        before = self.at(after)
        rows: list[Row] = []
        for seq in range(after + 1, min(after + BATCH, self.durable) + 1):
            row = self.at(seq)
            if row is None:
                break
            rows.append(row)
        if not rows or (after and before is None):
            return None
        prev = before.hash if before else GENESIS
        return Batch(
            stream=self.place.stream,
            first_seq=after + 1,
            prev=prev,
            head=rows[-1].hash,
            events=tuple(map(event_of, rows)),
            moved=tuple(moved for moved in map(moved_of, rows) if moved is not None),
        )

    def fork(self, agreed: int, stream: str, why: str) -> None:
        agreed = min(max(agreed, self.acked), self.place.seq)
        told = StreamForked(old_stream=self.place.stream, agreed=agreed, why=why)
        first = fact(Draft(kind="stream.forked", source="gateway", data=told), NOW_MS, "ok")
        head, place = placed([first], Place(self.place.number + 1, stream))
        moving = [row for row in self.rows if row.seq > agreed]
        moved, self.place = rechained(moving, place, self.place.stream)
        self.rows = [*head, *moved]
        self.acked = 0
        self.durable = self.place.seq

    def head_hash(self) -> str:
        last = self.at(self.durable)
        return last.hash if last else GENESIS


@dataclass
class Birth:
    """A birth on its way, and since when."""

    presence: Presence
    at: float


@dataclass
class Answer:
    """An acknowledgement on its way. `at`: when the birth was sent that it answers; None: it answers a batch."""

    ack: Ack
    at: float | None


class Between(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.streams = 0
        self.now = 0.0
        self.facts = 0
        self.journal = MemoryJournal(Place(1, self.new_stream()))
        self.persisted_ack = 0
        self.outbox = Outbox(self.journal.place.stream, 0)
        self.online = False
        self.copies: list[MemoryJournal] = []
        self.up: list[Batch | Birth] = []
        self.down: list[Answer] = []
        self.hub = ModelHub(GATEWAY)
        self.heard = 0
        self.destroyed: set[str] = set()

    def new_stream(self) -> str:
        self.streams += 1
        return f"{self.streams:032x}"

    # --- The gateway

    @rule(count=st.integers(1, 7))
    def record(self, count: int) -> None:
        facts = []
        for _ in range(count):
            self.facts += 1
            facts.append(Fact(NOW_MS, "test.made", f"fact-{self.facts}", b"{}", "ok"))
        self.journal.append(facts)

    @rule()
    def sync(self) -> None:
        self.journal.durable = self.journal.place.seq

    @rule()
    def connect(self) -> None:
        self.online = True
        self.outbox.connected()
        self.down.clear()  # a clean session: what was under way downward is gone
        self.ask("birth")

    def ask(self, state: Literal["birth", "alive"]) -> None:
        journal = self.journal
        presence = Presence(
            state=state, gateway=GATEWAY, site="demo", at=now(), stream=journal.place.stream,
            head_seq=journal.durable, head=journal.head_hash(), acked=journal.acked, asks=True,
        )  # fmt: skip
        self.outbox.asked(presence.head_seq, presence.head, self.now)
        self.up.append(Birth(presence, self.now))

    @rule()
    def disconnect(self) -> None:
        self.online = False
        self.outbox.disconnected()

    @rule(batches=st.integers(1, 10))
    def send(self, batches: int) -> None:
        for _ in range(batches):
            if self.outbox.asks(self.now):
                self.ask("alive")
            after = self.outbox.next_after(self.journal.durable, self.now)
            if after is None:
                return
            batch = self.journal.batch(after)
            if batch is None:
                self.outbox.broken(after, "a hole")
                continue
            self.outbox.sent(batch.events[-1].seq, self.now, batch.head)
            self.up.append(batch)

    @rule(seconds=st.sampled_from([0.1, 1.0, 2.5, 70.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        # Batches and their answers may be late by any time. A birth is judged, and its answer heard, within the pause
        # that the sender makes before it believes in a fork, or not at all.
        late = self.now - SILENCE_S
        self.up = [each for each in self.up if isinstance(each, Batch) or each.at > late]
        self.down = [each for each in self.down if each.at is None or each.at > late]

    @rule()
    def note_acknowledgement(self) -> None:
        self.persisted_ack = self.journal.acked

    @rule()
    def kill_gateway(self) -> None:
        self.restart()

    @rule()
    def cut_power(self) -> None:
        journal = self.journal
        journal.rows = [row for row in journal.rows if row.seq <= journal.durable]
        last = journal.rows[-1] if journal.rows else None
        journal.place = Place(
            journal.place.number,
            journal.place.stream,
            last.seq if last else 0,
            last.hash if last else GENESIS,
            last.id if last else 0,
        )
        self.restart()

    @rule(at=st.lists(st.integers(1, 40), min_size=1, max_size=4), forgets=st.booleans())
    def damage_the_journal(self, at: list[int], forgets: bool) -> None:
        """The file gives some of the waiting events no longer, perhaps also not what was acknowledged."""
        journal = self.journal
        lost = {row.source for row in journal.rows if row.seq > self.persisted_ack and row.seq in at}
        left = [row for row in journal.rows if row.source not in lost and row.seq >= self.persisted_ack]
        if not left:
            return
        self.destroyed |= lost
        last = journal.rows[-1] if journal.rows[-1] in left else left[-1]
        journal.rows = left
        journal.place = Place(journal.place.number + 1, journal.place.stream, last.seq, last.hash, last.id)
        journal.durable = last.seq
        if forgets:
            self.persisted_ack = 0
        self.restart()
        self.record(1)

    @precondition(lambda self: len(self.copies) < 3)
    @rule()
    def copy_journal(self) -> None:
        self.copies.append(deepcopy(self.journal))

    @precondition(lambda self: self.copies)
    @rule(which=st.integers(0, 2))
    def put_an_older_journal_back(self, which: int) -> None:
        self.journal = deepcopy(self.copies[which % len(self.copies)])
        self.persisted_ack = self.journal.acked
        self.restart()

    def restart(self) -> None:
        self.journal.acked = min(self.persisted_ack, self.journal.acked)
        self.online = False
        self.outbox = Outbox(self.journal.place.stream, self.journal.acked)

    # --- The wire

    @precondition(lambda self: self.up)
    @rule(which=st.integers(0, 30), twice=st.booleans())
    def deliver_up(self, which: int, twice: bool) -> None:
        message = self.up[which % len(self.up)]
        if not twice:
            self.up.remove(message)
        self.hub_takes(message)

    @precondition(lambda self: self.up)
    @rule(which=st.integers(0, 30))
    def lose_up(self, which: int) -> None:
        del self.up[which % len(self.up)]

    @precondition(lambda self: self.down)
    @rule(which=st.integers(0, 30), twice=st.booleans())
    def deliver_down(self, which: int, twice: bool) -> None:
        message = self.down[which % len(self.down)]
        if not twice:
            self.down.remove(message)
        if self.online:
            self.gateway_hears(message.ack)

    @precondition(lambda self: self.down)
    @rule(which=st.integers(0, 30))
    def lose_down(self, which: int) -> None:
        del self.down[which % len(self.down)]

    @rule()
    def broker_loses_everything(self) -> None:
        self.up.clear()
        self.down.clear()
        self.disconnect()

    @rule(count=st.integers(0, 5), turns=st.integers(1, 3), answered=st.booleans())
    def traffic(self, count: int, turns: int, answered: bool) -> None:
        """A stretch of ordinary life, so that faults meet streams that have something in them."""
        if count:
            self.record(count)
        self.sync()
        if not self.online:
            self.connect()
        for _ in range(turns):
            self.send(10)
            while self.up:
                self.hub_takes(self.up.pop(0))
            while self.down and answered:
                self.gateway_hears(self.down.pop(0).ack)

    # --- The hub, by its own rule

    def hub_takes(self, message: Batch | Birth) -> None:
        if isinstance(message, Birth):
            self.down.append(Answer(self.hub.birth(message.presence), message.at))
        else:
            self.down.append(Answer(self.hub.batch(message), None))

    def gateway_hears(self, ack: Ack) -> None:
        floor = self.journal.rows[0].seq if self.journal.rows and self.journal.rows[0].seq > 1 else 0
        self.heard += 1
        meaning: Meaning = self.outbox.heard(ack, floor, self.now)
        if isinstance(meaning, Told):
            held = self.journal.at(meaning.seq)
            meaning = self.outbox.compared(meaning, held.hash if held else None, self.now)
        match meaning:
            case Freed(seq) | Rewound(seq):
                self.journal.acked = seq
            case ForkNeeded(agreed, why):
                self.journal.fork(agreed, self.new_stream(), why)
                self.persisted_ack = 0
                self.outbox.restarted(self.journal.place.stream, self.now)

    # --- What must hold

    @invariant()
    def the_hub_has_nothing_twice(self) -> None:
        made = self.hub.sources("test.made")
        assert len(made) == len(set(made))

    @invariant()
    def nothing_is_taken_for_acknowledged_that_the_hub_lacks(self) -> None:
        stored = set(self.hub.sources("test.made"))
        for row in self.journal.rows:
            assert row.seq > self.journal.acked or row.kind == "stream.forked" or row.source in stored

    @invariant()
    def every_stream_is_in_the_order_of_recording(self) -> None:
        for rows in self.hub.held.values():
            made = [int(source.split("-")[1]) for kind, source, _ in rows if kind == "test.made"]
            assert made == sorted(made)

    def teardown(self) -> None:
        """All faults end: what the journal holds reaches the hub, within so many answers as there is something to say.

        Each event goes up to three times in the stream that it is in (a hub may turn a sender back before a hole twice)
        and once in another; what still comes from before, one window and the questions are answered besides.
        """
        self.sync()
        enough = self.heard + len(self.up) + len(self.down) + 4 * len(self.journal.rows) + WINDOW
        for _ in range(400):
            if self.outbox.acked == self.journal.place.seq and self.online:
                break
            self.traffic(0, 1, True)
            self.time_passes(2.5)
            assert self.heard <= enough
        assert self.outbox.acked == self.journal.place.seq
        stored = set(self.hub.sources("test.made"))
        assert {row.source for row in self.journal.rows if row.kind == "test.made"} <= stored
        self.the_hub_has_nothing_twice()
        self.every_stream_is_in_the_order_of_recording()


TestBetween = Between.TestCase
TestBetween.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)


def test_an_older_journal_that_lost_an_event_parts_from_a_hub_that_holds_another_one_at_its_end() -> None:
    life = Between()
    life.record(3)
    life.copy_journal()
    life.record(1)
    life.traffic(count=0, turns=2, answered=True)
    life.put_an_older_journal_back(which=0)
    life.damage_the_journal(at=[2], forgets=False)
    life.teardown()


def test_a_hole_that_the_first_batches_reach_hides_no_fork_before_it() -> None:
    life = Between()
    life.record(3)
    life.copy_journal()
    life.traffic(count=2, turns=3, answered=True)
    life.put_an_older_journal_back(which=0)
    life.record(9)
    life.damage_the_journal(at=[11], forgets=True)
    life.teardown()
