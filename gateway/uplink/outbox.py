"""The sender's side of the stream rule, as a state machine: what to send next, and what an answer means. Pure.

The same rule carries events (a batch is up to 200 of them) and readings (a batch is one blob). `now` is in monotonic
seconds. The shell asks `next_after`, publishes what follows that sequence, and says `sent`; it hands every
acknowledgement to `heard` and does what the answer says.

At most `WINDOW` batches are unacknowledged. After a connection or a silence a single one goes out until the hub has
answered it: a hub that is away is not flooded, and one that holds something else than this journal (because an older
journal was copied back) says so before much is sent.

A fork moves events to another stream, where the hub must recognise those it has. So it is made only when the hub says
it twice, the second time to a single batch sent after a pause: an answer to a birth may have been overtaken by batches
sent after it.

Where this journal has a hole (a damaged file gave only some of its events), the next batch cannot be made. Then, once
everything before it is answered, the hub is asked what it holds: what its head proves goes as acknowledged, and only
what lies behind the hole and not at the hub moves to a new stream. A hub that expects less than it had acknowledged may
be restored, or may hold something else behind the hole, and its word is the same: it gets everything up to the hole
again. When it has asked for that twice over one connection and acknowledges it once more, what lies behind moves.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from contract.acks import Ack
from contract.events import Hash

WINDOW = 8
"""Batches unacknowledged at the most."""

SILENCE_S = 2.0
"""Without an answer for so long, everything goes again from the acknowledgement."""

REFUSED_S = 30.0
"""A batch that was refused for good is tried again after this: the hub may have been upgraded."""

FORK_AGAIN_S = 60.0
"""How long to wait before a second fork, if the hub accepted nothing since the first."""

_TURNS = 2
"""How often over one connection the hub may ask for what lies before a hole again; then what lies behind it moves."""

_REPEAT_S = 1.0
"""Answers to the batches behind a gap all name the same gap; within this time they count as one."""


@dataclass(frozen=True, slots=True)
class Freed:
    """The hub holds everything up to `seq`."""

    seq: int


@dataclass(frozen=True, slots=True)
class Rewound:
    """The hub holds only up to `seq`, less than it had acknowledged: it was restored from a backup."""

    seq: int


@dataclass(frozen=True, slots=True)
class ForkNeeded:
    """What follows `agreed` belongs into a new stream. Nothing is sent until `restarted`."""

    agreed: int
    why: str


@dataclass(frozen=True, slots=True)
class Told:
    """The hub holds the stream up to `seq`, where its event has `hash`: the shell says with `compared` what it has."""

    seq: int
    hash: Hash


@dataclass(frozen=True, slots=True)
class HubRefusal:
    """The hub can never accept what was sent. Nothing more is sent for a while."""

    why: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """An answer that changes nothing: of another stream, repeated, or nothing that was asked."""

    why: str


Meaning = Freed | Rewound | ForkNeeded | Told | HubRefusal | Ignored


@dataclass(frozen=True, slots=True)
class _Break:
    """What follows `after` cannot be sent."""

    after: int
    why: str


class Outbox:
    """What the hub has not acknowledged of one stream. Knows sequences only; batches are read when they are sent."""

    def __init__(self, stream: str, acked: int, *, window: int = WINDOW, silence_s: float = SILENCE_S) -> None:
        self._full_window = window
        self._silence_s = silence_s
        self.stream = stream
        self.acked = acked
        self.refused: str | None = None
        self._online = False
        self._forking = False
        self._window = 1
        self._in_flight: deque[int] = deque()
        """The last sequence of each batch that is unanswered."""
        self._progress_at = 0.0
        self._owed_since: float | None = None
        self._shown: dict[int, Hash | None] = {}
        self._hold_until = 0.0
        self._rewound: tuple[int, float] | None = None
        self._forked_at: float | None = None
        self._suspected: int | None = None
        self._break: _Break | None = None
        self._asked = False
        self._ask_at = 0.0
        self._turns = 0

    # --- What happens

    def connected(self) -> None:
        """A connection stands; nothing that was sent before counts."""
        self._online = True
        self._begin()

    def disconnected(self) -> None:
        """The connection is gone."""
        self._online = False
        self._begin()

    def sent(self, last: int, now: float, head: Hash | None = None) -> None:
        """A batch that ends with `last`, whose hash is `head` (None: it has none), was published."""
        if not self._in_flight:
            self._progress_at = now
        if self._owed_since is None:
            self._owed_since = now
        self._in_flight.append(last)
        self._shown[last] = head

    def restarted(self, stream: str, now: float, acked: int = 0) -> None:
        """The shell has moved what follows `acked` to `stream`, which the hub does not know yet."""
        self.renewed(stream, acked)
        self._forked_at = now

    def renewed(self, stream: str, acked: int) -> None:
        """Another file took the journal's place, which may lack what was sent: no answer to that counts any more."""
        self.stream = stream
        self.acked = acked
        self._forking = False
        self._break = None
        self._begin()

    def broken(self, after: int, why: str) -> None:
        """What follows `after` cannot be sent: it is not held, or the file was changed by something else."""
        if after >= self.acked:
            self._break = _Break(after, why)

    def asked(self, last: int, head: Hash, now: float) -> None:
        """The hub was asked what it holds; this journal's stream ends with `last`, whose hash is `head`."""
        self._asked = True
        self._ask_at = now + self._silence_s
        self._shown[last] = head
        if self._owed_since is None and self._break is not None:
            self._owed_since = now

    def compared(self, told: Told, held: Hash | None, now: float) -> Meaning:
        """What the hub's word means, now that the shell says which hash the event has here (None: it is not held)."""
        if self._break is None or told.seq <= self.acked:
            return Ignored(f"{told.seq} was compared too late")
        if held == told.hash:
            self._free(told.seq, now)
            return Freed(told.seq)
        # A hash of another life of this journal: nothing beyond the acknowledgement is agreed.
        return self._fork(told.seq if held is None else self.acked, self._break.why, now)

    def heard(self, ack: Ack, floor: int, now: float) -> Meaning:
        """What an acknowledgement means; `floor` is the lowest sequence after which there is still all to send."""
        if ack.stream != self.stream:
            return Ignored(f"of stream {ack.stream}")
        self._owed_since = None
        if self._forking:
            return Ignored("a fork is being made")
        if ack.state in ("expected", "fork"):
            asked, self._asked = self._asked, False
            # While something is on its way, this may be the answer to that.
            if asked and self._break is not None and self._at_break() and not self._in_flight:
                return self._answered(self._break, ack, floor, now)
        if ack.state == "fork":
            return self._suspect(ack.seq, ack.why or "the hub holds something else", now)
        if ack.state == "refused":
            return self._refuse(ack.why, now)
        if ack.state == "expected":
            return self._expected(ack.seq, floor, now)
        return self._committed(ack.seq, ack.head, now)

    # --- What to do

    def next_after(self, durable: int, now: float) -> int | None:
        """The sequence after which the next batch begins, if one may go now. `durable`: the last one on the disk."""
        if not self._online or self._forking or now < self._hold_until:
            return None
        if self._in_flight and now - self._progress_at >= self._silence_s:
            self._start_over()
        if len(self._in_flight) >= self._window or self._at_break():
            return None
        return self._head if self._head < durable else None

    def asks(self, now: float) -> bool:
        """Whether the hub is to be asked now what it holds."""
        waits = now < max(self._hold_until, self._ask_at)
        return self._online and not self._forking and not waits and not self._in_flight and self._at_break()

    def wake_at(self, now: float) -> float | None:
        """When `next_after` may answer otherwise although nothing happens; None: never."""
        if not self._online or self._forking:
            return None
        if now < self._hold_until:
            return self._hold_until
        if self._in_flight:
            return self._progress_at + self._silence_s
        return max(now, self._ask_at) if self._at_break() else None

    @property
    def owed_since(self) -> float | None:
        """Since when the hub owes an answer to this connection; None when it owes none."""
        return self._owed_since

    # --- Inside

    @property
    def _head(self) -> int:
        return self._in_flight[-1] if self._in_flight else self.acked

    def _at_break(self) -> bool:
        return self._break is not None and self._break.after == self._head

    def _begin(self) -> None:
        self._start_over()
        self._owed_since = None
        self._asked = False
        self._ask_at = 0.0
        self._turns = 0
        self._rewound = None
        self._suspected = None
        self._shown.clear()

    def _start_over(self) -> None:
        self._in_flight.clear()
        self._window = 1

    def _committed(self, seq: int, head: Hash | None, now: float) -> Meaning:
        if seq <= self.acked:
            return Ignored(f"{seq} was acknowledged before")
        if seq not in self._shown:
            return Ignored(f"no batch that ends with {seq} was sent through this connection")
        mine = self._shown[seq]
        if head is not None and mine is not None and head != mine:
            return Ignored(f"{seq} is acknowledged with another hash: it answers another life of this journal")
        self._free(seq, now)
        self._window = self._full_window
        if self._turns >= _TURNS and self._break is not None and seq == self._break.after:
            return self._fork(seq, self._break.why, now)
        return Freed(seq)

    def _free(self, seq: int, now: float) -> None:
        self.acked = seq
        self.refused = None
        self._forked_at = None
        if self._suspected is not None and seq > self._suspected:
            self._suspected = None
        if self._suspected is None:
            self._hold_until = 0.0
        if self._break is not None and seq > self._break.after:
            self._break = None
        self._progress_at = now
        self._shown = {last: head for last, head in self._shown.items() if last > seq}
        while self._in_flight and self._in_flight[0] <= seq:
            self._in_flight.popleft()

    def _expected(self, seq: int, floor: int, now: float) -> Meaning:
        if self._rewound is not None and self._rewound[0] == seq and now - self._rewound[1] < _REPEAT_S:
            return Ignored(f"{seq + 1} is already on its way again")
        if self._suspected is not None and not self._in_flight:
            return Ignored(f"a fork at {self._suspected} is to be confirmed")
        if seq >= self.acked and len(self._in_flight) <= 1:
            return Ignored("nothing was lost: a gap shows only in a second batch")
        self._rewound = seq, now
        if seq < self.acked <= floor:
            return self._suspect(self.acked, f"the hub expects {seq + 1}, which is no longer held", now)
        self._start_over()
        if seq >= self.acked:
            # What the hub has beyond our acknowledgement it has not compared with ours: only `committed` frees.
            return Ignored(f"going on from {self.acked + 1}")
        self.acked = max(seq, floor)
        return Rewound(self.acked)

    def _answered(self, broken: _Break, ack: Ack, floor: int, now: float) -> Meaning:
        if ack.state == "fork":
            # This journal ends before the hub's stream does: all that it holds is there.
            return Ignored("of before") if ack.seq < self.acked else self._fork(ack.seq, ack.why, now)
        if ack.seq < self.acked and self.acked > floor:
            return self._turn_back(max(ack.seq, floor), now)
        if ack.seq <= self.acked or ack.head is None:
            return self._fork(self.acked, broken.why, now)
        return Told(ack.seq, ack.head)

    def _turn_back(self, seq: int, now: float) -> Meaning:
        # Whatever is suspected: at a break nothing goes that could confirm or refute it.
        self._turns += 1
        self._suspected = None
        self._rewound = seq, now
        self._start_over()
        self.acked = seq
        return Rewound(seq)

    def _suspect(self, agreed: int, why: str, now: float) -> Meaning:
        if agreed < self.acked:
            return Ignored(f"a fork at {agreed}, but {self.acked} was acknowledged")
        if agreed == self._suspected and self._in_flight:
            return self._fork(agreed, why, now)
        if self._suspected is None or self._in_flight:
            self._suspected = agreed
            self._hold_until = now + self._silence_s
            self._start_over()
        return Ignored(f"a fork at {agreed} ({why}), to be confirmed")

    def _fork(self, agreed: int, why: str, now: float) -> Meaning:
        if self._forked_at is not None and now - self._forked_at < FORK_AGAIN_S:
            self._hold_until = self._forked_at + FORK_AGAIN_S
            self._start_over()
            return Ignored(f"forked {now - self._forked_at:.0f} s ago and nothing was accepted since: {why}")
        self._forking = True
        self._suspected = None
        self._start_over()
        return ForkNeeded(agreed, why)

    def _refuse(self, why: str, now: float) -> Meaning:
        self.refused = why
        self._hold_until = now + REFUSED_S
        self._start_over()
        return HubRefusal(why)
