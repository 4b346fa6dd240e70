"""`GET /api/entries` of this gateway: who came where, looked for in its own journal, newest first.

A journal has no index of what people search by: a request reads so many events back and says how far that was. Who
wants more asks for the next page, or at the hub.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, NamedTuple

import msgspec
import structlog
from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from contract.errors import ContractError
from contract.facts.entry import PassageMade
from contract.instants import Instant
from contract.kinds import decode_data
from contract.layout import SiteLayout
from contract.rights import Viewer
from contract.texts import Text
from gateway.journal import Recorded
from gateway.web.items import EventItem, seen_item
from gateway.web.served import Gateway, Served
from rules.access.entries import KINDS, EntryOutcome, EntrySeen, Traveller, entry_of
from rules.access.rooms import in_room, is_room, room_key
from rules.access.values import normal_value, plate_key
from web.errors import Refusal
from web.finding.entries import AskedEntries, Entry, EntryFilters
from web.moments import written
from web.paging import Limit, Page, SealedCursors
from web.session.sessions import Able
from web.users import User
from web.witness import Witnessed

router = APIRouter(prefix="/api/entries", tags=["entries"])
log = structlog.get_logger(__name__)

Watching = Annotated[User, Depends(Able("watch"))]

SLICE = 500
"""Events that are read, and looked at, between two turns of the doors."""

MOST = 20_000
"""Events that one request reads at the most."""

PASSAGES = 200
"""Passages looked for that may belong to the last entries of the page before."""

_PASSED = "passage.made"
_UNREADABLE = Text("历史事件暂时无法读取", "The history cannot be read just now")


class FoundHere(NamedTuple):
    """One entry of the journal: `event` as it is seen."""

    event: EventItem
    outcome: EntryOutcome
    traveller: Traveller
    passed_at: Instant | None
    picture: str | None


class _EntriesPage(Page[Entry]):
    """`looked_to`: nothing older than that was looked at, where more was there to read than one request reads."""

    looked_to: Instant | None = None


@router.get("", response_class=Response, responses={200: {"model": _EntriesPage}})
async def entries(
    gateway: Gateway,
    user: Watching,
    cursors: SealedCursors,
    *,
    request: Request,
    witness: Witnessed,
    asked: AskedEntries,
    cursor: str = "",
    limit: Limit = 50,
) -> Response:
    """Entries, the newest first, of the last 20,000 events or those before `cursor`; `looked_to` says how far.

    `q` is one box: a plate or a part of it however it is written, a card's number, a name, a room, a door or lane.
    """
    before = cursors.key(cursor, int)[0] if cursor else None
    looking = _Looking(gateway, asked, user.viewer())
    try:
        await looking.look(before, limit)
    except OSError as error:
        log.warning("events cannot be read", why=str(error))
        raise Refusal(503, "unreadable", _UNREADABLE) from error
    if asked.names_somebody:
        witness.read(request, user, "holders", gateway.site, records=len(looking.found))
    page = {
        "items": [each._asdict() for each in looking.found],
        "next": None if looking.rest is None else cursors.after(looking.rest),
        "looked_to": looking.looked_to,
    }
    return Response(msgspec.json.encode(page), media_type="application/json")


class _Looking:
    """One request's walk back. `rest`: where the next one begins, None at the end of the journal."""

    def __init__(self, gateway: Served, asked: EntryFilters, viewer: Viewer) -> None:
        self._gateway = gateway
        self._asked = asked
        self._viewer = viewer
        self._since = None if asked.since is None else written(asked.since)
        self._until = None if asked.until is None else written(asked.until)
        self._words = _Words(gateway, asked.q)
        self._passed: dict[tuple[str, int], Instant] = {}
        self.found: list[FoundHere] = []
        self.rest: int | None = None
        self.looked_to: Instant | None = None

    async def look(self, before: int | None, limit: int) -> None:
        """Walk back from there until the page is full, the bound is reached, or nothing is left."""
        if before is not None:
            for event in await self._read(after=before - 1, limit=PASSAGES, kind=_PASSED):
                self._note(event)
        for _ in range(MOST // SLICE):
            events = await self._read(before=before, limit=SLICE)
            for event in events:
                before = event.id
                if self._since is not None and event.at < self._since:
                    return
                self._see(event)
                if len(self.found) == limit:
                    self.rest = event.id
                    return
            if len(events) < SLICE:
                return
            self.looked_to = events[-1].at
        self.rest = before

    async def _read(
        self, *, limit: int, after: int | None = None, before: int | None = None, kind: str | None = None
    ) -> Sequence[Recorded]:
        return await self._gateway.journal.events(after=after, before=before, limit=limit, kind=kind, source=None)

    def _see(self, event: Recorded) -> None:
        if event.kind == _PASSED:
            self._note(event)
            return
        if event.kind not in KINDS or (self._until is not None and event.at >= self._until):
            return
        seen = _entry(event)
        if seen is None or not self._fits(seen):
            return
        item = seen_item(event, self._gateway.site, self._gateway.engine.site.gateway, self._viewer)
        if item is not None:
            picture = seen.picture if self._viewer.sees("passing") else None
            self.found.append(FoundHere(item, seen.outcome, seen.traveller, self._passage_of(event), picture))

    def _note(self, event: Recorded) -> None:
        data = _typed(event)
        if isinstance(data, PassageMade) and data.after is not None:
            self._passed[data.after_stream or event.stream, data.after] = event.at

    def _passage_of(self, event: Recorded) -> Instant | None:
        places = [(event.stream, event.seq)]
        if event.first is not None:
            places.append((event.first.stream, event.first.seq))
        return next((self._passed[place] for place in places if place in self._passed), None)

    def _fits(self, seen: EntrySeen) -> bool:
        asked = self._asked
        return (
            (not asked.outcomes or seen.outcome in asked.outcomes)
            and (asked.traveller is None or seen.traveller == asked.traveller)
            and (not asked.places or seen.source in asked.places)
            and (asked.holder is None or seen.holder == asked.holder)
            and (not asked.plate or (seen.credential == "plate" and asked.plate in plate_key(seen.number)))
            and self._words.mean(seen)
        )


class _Words:
    """What the words of the search box may mean."""

    def __init__(self, gateway: Served, q: str) -> None:
        self._q = q.casefold()
        self._plate = plate_key(q)
        self._card = normal_value("card", q)
        self._room = room_key(q)
        self._holders = gateway.people.holders
        self._places = _names(gateway.engine.layout)

    def mean(self, seen: EntrySeen) -> bool:
        """Whether the entry is meant."""
        if not self._q:
            return True
        if seen.credential == "plate" and self._plate and self._plate in plate_key(seen.number):
            return True
        if seen.number and seen.number == self._card:
            return True
        if any(self._q in name for name in (seen.source.casefold(), *self._places.get(seen.source, ()))):
            return True
        holder = self._holders.get(seen.holder) if seen.holder is not None else None
        if holder is None:
            return False
        if self._q in holder.name.casefold() or self._q in holder.unit.casefold():
            return True
        return is_room(self._room) and in_room(room_key(holder.unit), self._room)


def _names(layout: SiteLayout) -> Mapping[str, tuple[str, str]]:
    named = {door.id: door.name for door in layout.doors} | {lane.id: lane.name for lane in layout.lanes}
    return {id: (name.zh.casefold(), name.en.casefold()) for id, name in named.items()}


def _entry(event: Recorded) -> EntrySeen | None:
    return entry_of(event.kind, event.source, _typed(event))


def _typed(event: Recorded) -> msgspec.Struct | None:
    try:
        return decode_data(event.kind, event.data)
    except (ContractError, RecursionError):
        return None  # of a release that said it otherwise
