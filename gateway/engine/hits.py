"""Whether an entry that somebody takes note of is one of the block list, by this gateway's own record."""

from __future__ import annotations

from typing import Protocol

from contract.commands import Subject
from contract.errors import ContractError
from contract.events import StreamId
from contract.kinds import decode_data
from contract.texts import Text
from gateway.journal import Recorded
from rules.access.entries import is_hit
from rules.reasons import REASONS

UNREADABLE = Text("网关记录暂时无法读取，请稍后再试", "The gateway's record cannot be read just now: try again later")


class Remembers(Protocol):
    """The journal as hits need it."""

    async def event_at(self, stream: StreamId, seq: int, source: str) -> Recorded | None:
        """The event of `source` at that place, None if it is not held; `OSError` if that cannot be read."""


async def hit_fault(journal: Remembers, place: str, subject: Subject) -> Text | None:
    """Why nobody can take note of that entry at this door or lane, or None."""
    try:
        event = await journal.event_at(subject.stream, subject.seq, place)
    except OSError:
        return UNREADABLE
    try:
        known = event is not None and is_hit(event.kind, decode_data(event.kind, event.data))
    except ContractError:
        known = False
    return None if known else REASONS["hit_unknown"]
