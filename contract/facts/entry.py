"""What happens at doors and lanes. The data of `access.*`, `door.*`, `plate.seen`, `passage.made`, `barrier.*`."""

from __future__ import annotations

from typing import Literal

import msgspec

from contract.commands import Person, Subject
from contract.desired import CredentialKind
from contract.events import StreamId
from contract.instants import Instant
from contract.limits import (
    Id,
    Words,
)
from contract.texts import Reason

Direction = Literal["in", "out"]

OpenedBy = Literal["decision", "command", "free", "unknown"]


class Presented(msgspec.Struct, frozen=True, kw_only=True):
    """A credential as it was presented."""

    kind: CredentialKind
    value: Words


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """`access.granted`, `access.denied`, at doors and lanes alike. `revision`: of the desired state that decided.

    `rule` names what decided: a grant's id, `block:<id>`, `visitor`, `mode:<mode>`, `unknown`, …
    `picture`: id of a stored picture, if there is one. `stands`: at a lane, the car stands before the barrier from then
    on, until a passage or `car.left` names this event; False of a worse read of the car that stands there, and from a
    gateway that does not say when cars leave.
    """

    credential: Presented
    holder: Id | None
    rule: Id
    revision: int
    reason: Reason
    direction: Direction = "in"
    reader: Id = ""
    picture: Id | None = None
    stands: bool = False


class PassageMade(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody went through after a decision; `after` is the seq of that decision's event (None: an exit button).

    `after_stream`: the stream in which the decision was recorded, None before that was said (then its own stream). A
    fork may have moved either event since: the name stays that of its first place.
    """

    direction: Direction
    after: int | None = None
    after_stream: StreamId | None = None
    credential: Presented | None = None
    holder: Id | None = None


class PlateSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A camera's read. `confidence`: 0..1. `seen_at`: when its camera says that it was.

    `replayed`: it is not of now (stored by the camera while it had no network, queued, or sent again) and moved
    nothing; `reason` says why, where the gateway is new enough to say it.
    """

    plate: Id
    camera: Id
    confidence: float
    colour: Id = ""
    plate_id: Id = ""
    replayed: bool = False
    seen_at: Instant | None = None
    picture: Id | None = None
    reason: Reason | None = None


class CarArrived(msgspec.Struct, frozen=True, kw_only=True):
    """`car.arrived`: a car stands before the barrier and was not read in time (`plate` None), or stands there again
    without a new decision. `outcome`: of the decision that was made of it before, if any.
    """

    plate: Id | None = None
    holder: Id | None = None
    picture: Id | None = None
    reason: Reason
    outcome: Literal["granted", "denied"] | None = None
    blocked: bool = False


class CarLeft(msgspec.Struct, frozen=True, kw_only=True):
    """`car.left`: the car that stood before the barrier has gone, and no passage was seen.

    `after`, `after_stream`: the event by which it stood there (a decision or `car.arrived`), as in `PassageMade`.
    `watched`: False where nothing tells of passages, of a car that was let in: it most likely went through.
    """

    after: int | None = None
    after_stream: StreamId | None = None
    plate: Id | None = None
    watched: bool = True


class HitAcknowledged(msgspec.Struct, frozen=True, kw_only=True):
    """`hit.acknowledged`: somebody has taken note that a blocked credential came, in the event `subject`."""

    by: Person
    subject: Subject
    command: Id | None = None


class BarrierMoved(msgspec.Struct, frozen=True, kw_only=True):
    """`barrier.opened`, `barrier.closed`: the barrier reached that end."""

    by: OpenedBy
    command: Id | None = None


class DoorMoved(msgspec.Struct, frozen=True, kw_only=True):
    """`door.opened`, `door.closed`: the contact says so."""

    by: OpenedBy | Literal["exit"]


class DoorReleased(msgspec.Struct, frozen=True, kw_only=True):
    """`door.released`: the lock was let go for `for_s` seconds by something other than a credential."""

    by: Literal["command", "exit"]
    for_s: float
    command: Id | None = None


class DoorModeSet(msgspec.Struct, frozen=True, kw_only=True):
    """`door.mode_set`. `by`: the account's id. `until`: when it ends by itself, None: when somebody ends it.

    `ended`: its time was over; `person` had asked for it.
    """

    mode: Literal["normal", "unlocked", "locked"]
    by: Words
    until: Instant | None = None
    ended: bool = False
    person: Person | None = None
