"""What is asked of entries, by a page and by a file alike: the parameters of both routes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, get_args

from fastapi import Depends, Query
from pydantic import AwareDatetime, BaseModel
from sqlmodel.ext.asyncio.session import AsyncSession

from contract.texts import Text
from hub.entries.service import WantedEntries
from hub.search import words
from hub.sites import service as sites
from rules.access.entries import EntryOutcome, Traveller
from rules.access.values import plate_key
from web.errors import Invalid
from web.paging import listed_words, sites_asked
from web.users import User

_NO_PLATE = Text("请输入车牌中的字母、数字或汉字", "letters, digits or characters of a plate")

Id = Annotated[str, Query(max_length=64)]
Names = Annotated[list[Annotated[str, Query(max_length=128)]], Query(max_length=50)]


class EntryFilters(BaseModel):
    """The filters. Several outcomes are one word with commas; `place` may be given several times."""

    site: str | None
    since: AwareDatetime | None
    until: AwareDatetime | None
    place: Sequence[str]
    outcome: str
    traveller: Traveller | None
    plate: str
    holder: str | None
    q: str

    async def wanted(self, session: AsyncSession, user: User, after: tuple[datetime, int] | None) -> WantedEntries:
        """The entries of these filters that are the user's to see; `Invalid` or `Forbidden` say what is not."""
        looked = sites_asked(user, self.site)
        if looked is None:
            looked = [row.id for row in await sites.listed(session, None)]
        plate = plate_key(self.plate)
        if self.plate.strip() and not plate:
            raise Invalid({"plate": _NO_PLATE})
        typed = self.q.strip()
        meant = await words.meaning(session, looked, typed, people=user.may("people.read")) if typed else None
        outcomes = listed_words("outcome", self.outcome, get_args(EntryOutcome)) or []
        return WantedEntries(
            sites=looked,
            since=self.since,
            until=self.until,
            places=list(self.place),
            outcomes=[one for one in get_args(EntryOutcome) if one in outcomes],
            traveller=self.traveller,
            plate=plate,
            holder=self.holder or None,
            meant=meant,
            after=after,
        )


def asked(
    *,
    site: str | None = None,
    since: Annotated[AwareDatetime | None, Query(alias="from", description="The first moment")] = None,
    until: Annotated[AwareDatetime | None, Query(alias="to", description="The moment after the last")] = None,
    place: Names = [],  # noqa: B006 - FastAPI copies it
    outcome: Annotated[str, Query(max_length=200)] = "",
    traveller: Traveller | None = None,
    plate: Annotated[str, Query(max_length=32, description="A plate or a part of one, in any written form")] = "",
    holder: Id = "",
    q: Annotated[
        str, Query(max_length=100, description="Plate, card, name, pinyin or its initials, room, name of a place")
    ] = "",
) -> EntryFilters:
    """Dependency: the filters of a request."""
    return EntryFilters(
        site=site, since=since, until=until, place=place, outcome=outcome, traveller=traveller, plate=plate,
        holder=holder, q=q,
    )  # fmt: skip


AskedEntries = Annotated[EntryFilters, Depends(asked)]
