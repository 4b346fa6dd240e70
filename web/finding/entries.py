"""What is asked of entries, at either server, of a page and of a file alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, get_args

from fastapi import Depends, Query
from pydantic import AwareDatetime, BaseModel
from typing_extensions import TypedDict

from contract.instants import Instant
from contract.texts import Text
from rules.access.entries import EntryOutcome, Traveller
from rules.access.values import plate_key
from web.errors import Invalid
from web.paging import listed_words
from web.shapes import Event


class Entry(TypedDict):
    """One entry, found in the history. `event` says all of it; `passed_at`: when somebody went through after it."""

    event: Event
    outcome: EntryOutcome
    traveller: Traveller
    passed_at: Instant | None
    picture: str | None


_NO_PLATE = Text("请输入车牌中的字母、数字或汉字", "letters, digits or characters of a plate")

Id = Annotated[str, Query(max_length=64)]
Names = Annotated[list[Annotated[str, Query(max_length=128)]], Query(max_length=50)]


class EntryFilters(BaseModel):
    """The filters. `since`, `until`: the latter exclusive. `plate`: a key; `q`: without blanks around it."""

    site: str | None
    since: AwareDatetime | None
    until: AwareDatetime | None
    places: Sequence[str]
    outcomes: Sequence[EntryOutcome]
    traveller: Traveller | None
    plate: str
    holder: str | None
    q: str

    @property
    def names_somebody(self) -> bool:
        """Whether somebody is looked for, and not just what came last."""
        return bool(self.q or self.plate or self.holder)


def asked(
    *,
    site: str | None = None,
    since: Annotated[AwareDatetime | None, Query(alias="from", description="The first moment")] = None,
    until: Annotated[AwareDatetime | None, Query(alias="to", description="The moment after the last")] = None,
    place: Names = [],  # noqa: B006 - FastAPI copies it
    outcome: Annotated[str, Query(max_length=200, description="One or several, with commas")] = "",
    traveller: Traveller | None = None,
    plate: Annotated[str, Query(max_length=32, description="A plate or a part of one, in any written form")] = "",
    holder: Id = "",
    q: Annotated[
        str, Query(max_length=100, description="Plate, card, name, pinyin or its initials, room, name of a place")
    ] = "",
) -> EntryFilters:
    """Dependency: the filters of a request; `Invalid` says which cannot be."""
    key = plate_key(plate)
    if plate.strip() and not key:
        raise Invalid({"plate": _NO_PLATE})
    outcomes = listed_words("outcome", outcome, get_args(EntryOutcome)) or []
    return EntryFilters(
        site=site, since=since, until=until, places=place, plate=key, traveller=traveller, holder=holder or None,
        outcomes=[one for one in get_args(EntryOutcome) if one in outcomes], q=q.strip(),
    )  # fmt: skip


AskedEntries = Annotated[EntryFilters, Depends(asked)]
