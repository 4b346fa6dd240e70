"""How the gateway itself fares: its journal, its clock, what it holds of the hub's desired state."""

from __future__ import annotations

from typing import Literal

import msgspec

from contract.commands import Person, Subject
from contract.instants import Instant
from contract.limits import (
    Id,
    Words,
)
from contract.texts import Text


class CommandResult(msgspec.Struct, frozen=True, kw_only=True):
    """`command.done`, `command.failed`, `command.expired`. `reason_code`: as in the command.

    `subject`: the entry that it answers. `plate`, `picture`: of the car that stood at the lane when it was opened by
    hand; `despite`: its plate once more where it is blocked and was let in all the same.
    """

    command: Id
    kind: Id
    target: Id
    by: Person
    reason: Words
    why: Text | None = None
    reason_code: Id | None = None
    subject: Subject | None = None
    plate: Id | None = None
    picture: Id | None = None
    despite: Id | None = None


class GatewayStarted(msgspec.Struct, frozen=True, kw_only=True):
    """The gateway's process began."""

    software: Id
    site_file: Id
    clock: Literal["ok", "doubtful"]


class StreamForked(msgspec.Struct, frozen=True, kw_only=True):
    """First event of a stream that goes on from another: `agreed` events of the old one are shared with the hub.

    `moved`: how many of those after them follow here; `missing`: how many can no longer be read anywhere. None where
    an older gateway did not say.
    """

    old_stream: Id
    agreed: int
    why: Words
    moved: int | None = None
    missing: int | None = None


class JournalDamaged(msgspec.Struct, frozen=True, kw_only=True):
    """The journal's file was damaged, kept aside as `kept` and begun anew with what was readable.

    `saved`: events that were not acknowledged and go on; `missing`: known to have been among them, not readable.
    """

    kept: Words
    why: Words
    saved: int
    missing: int


class JournalLost(msgspec.Struct, frozen=True, kw_only=True):
    """`journal.lost`: a gateway goes on with a `stream` that does not follow from the one `before`.

    What it had recorded beyond the `held` events of that one, and its alarms' memory, are gone with its journal.
    """

    gateway: Id
    stream: Id
    before: Id
    held: int


class DesiredApplied(msgspec.Struct, frozen=True, kw_only=True):
    """The gateway now decides by this revision."""

    revision: int
    items: int


class ClockDoubted(msgspec.Struct, frozen=True, kw_only=True):
    """The machine's wall clock stood before the journal's last instant, or leapt; time goes on from there."""

    last_known: Instant
    wall: Instant


class ClockTrusted(msgspec.Struct, frozen=True, kw_only=True):
    """The time is known again."""

    wall: Instant


class ClockCorrected(msgspec.Struct, frozen=True, kw_only=True):
    """The gateway's time was `since` and is `now`: events before this one may claim to be later than those after it."""

    since: Instant
    now: Instant


class RecordingStalled(msgspec.Struct, frozen=True, kw_only=True):
    """The journal's disk failed or hung; events waited in memory. Recorded when it is back."""

    why: Words
    waited: int
    dropped: int = 0


class Empty(msgspec.Struct, frozen=True, kw_only=True):
    """A kind that says all by its name."""


class BreakGlassRenewed(msgspec.Struct, frozen=True, kw_only=True):
    """`break_glass.renewed`: the gateway's sealed account has another password. `by` is None if it was made with a
    command on the gateway's own machine, or before this was recorded."""

    made_at: Instant
    by: Person | None = None
