"""The five things that say who may pass: what each is called, kept in, asked for and sent down as. One table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy.orm.attributes import InstrumentedAttribute
from sqlmodel import col

from contract import desired
from hub.access.models import BlockRow, CredentialRow, GrantRow, HolderRow, ScheduleRow
from hub.access.schemas import (
    MEANT,
    BlockBody,
    BlockShape,
    CredentialBody,
    CredentialShape,
    GrantBody,
    GrantShape,
    HolderBody,
    HolderShape,
    Kept,
    ScheduleBody,
    ScheduleShape,
)
from hub.access.spelling import found_by, spelt
from rules.access.rooms import room_order
from web.asked import Body
from web.moments import written

Row = HolderRow | CredentialRow | GrantRow | ScheduleRow | BlockRow


@dataclass(frozen=True, slots=True)
class Noun:
    """One kind of thing. `order`: the column that lists follow.

    `searched`: the columns that `q` looks into, besides the id as a whole.

    `item`: the row as its site's gateway holds it. `orders`: other columns that a list may follow, by the word that
    asks for them. `derived`: columns that are made of the others: from its fields as columns hold them.
    """

    name: str
    path: str
    row: type[Any]
    body: type[Body]
    shape: type[Kept]
    order: InstrumentedAttribute[object]
    searched: tuple[InstrumentedAttribute[object], ...]
    item: Callable[[Any], msgspec.Struct]
    orders: Mapping[str, InstrumentedAttribute[object]] = field(default_factory=dict)
    derived: Callable[[Mapping[str, Any]], dict[str, str]] = lambda _: {}

    def fields(self) -> tuple[str, ...]:
        """The fields that a person can set."""
        return tuple(name for name in self.body.model_fields if name not in MEANT)

    def shown(self, row: Row) -> Kept:
        """The row as answers show it."""
        return self.shape.model_validate(row, from_attributes=True)


def _term(row: HolderRow | CredentialRow | GrantRow) -> dict[str, str | None]:
    return {
        "valid_from": None if row.valid_from is None else written(row.valid_from),
        "valid_to": None if row.valid_to is None else written(row.valid_to),
    }


def spelling_of(fields: Mapping[str, Any]) -> dict[str, str]:
    """By what a holder's name and unit are sorted and found."""
    name, unit = fields["name"], fields["unit"]
    spelled = spelt(name).sorts
    return {
        "spelled": spelled,
        "room_order": f"{room_order(unit)} {spelled}",
        "found_by": found_by(name, unit),
    }


def _holder(row: HolderRow) -> msgspec.Struct:
    fields = {"id": row.id, "name": row.name, "kind": row.kind, "unit": row.unit, **_term(row)}
    return msgspec.convert(fields, desired.Holder)


def _credential(row: CredentialRow) -> msgspec.Struct:
    fields = {"id": row.id, "kind": row.kind, "value": row.value, "holder": row.holder, "state": row.state}
    return msgspec.convert({**fields, **_term(row)}, desired.Credential)


def _grant(row: GrantRow) -> msgspec.Struct:
    fields = {"id": row.id, "holder": row.holder, "places": row.places, "schedule": row.schedule, **_term(row)}
    return msgspec.convert(fields, desired.Grant)


def _schedule(row: ScheduleRow) -> msgspec.Struct:
    fields = {"id": row.id, "name": row.name, "windows": row.windows, "days": row.days}
    return msgspec.convert(fields, desired.Schedule)


def _block(row: BlockRow) -> msgspec.Struct:
    fields = {"id": row.id, "kind": row.kind, "value": row.value, "reason": row.reason}
    return msgspec.convert(fields, desired.Block)


HOLDER = Noun(
    "holder",
    "holders",
    HolderRow,
    HolderBody,
    HolderShape,
    order=col(HolderRow.name),  # type: ignore[arg-type]
    searched=(),
    item=_holder,
    orders={"name": col(HolderRow.spelled), "room": col(HolderRow.room_order)},  # type: ignore[dict-item]
    derived=spelling_of,
)
CREDENTIAL = Noun(
    "credential",
    "credentials",
    CredentialRow,
    CredentialBody,
    CredentialShape,
    order=col(CredentialRow.value),  # type: ignore[arg-type]
    searched=(col(CredentialRow.value),),  # type: ignore[arg-type]
    item=_credential,
)
GRANT = Noun(
    "grant",
    "grants",
    GrantRow,
    GrantBody,
    GrantShape,
    order=col(GrantRow.holder),  # type: ignore[arg-type]
    searched=(),
    item=_grant,
)
SCHEDULE = Noun(
    "schedule",
    "schedules",
    ScheduleRow,
    ScheduleBody,
    ScheduleShape,
    order=col(ScheduleRow.id),  # type: ignore[arg-type]
    searched=(col(ScheduleRow.id),),  # type: ignore[arg-type]
    item=_schedule,
)
BLOCK = Noun(
    "block",
    "blocks",
    BlockRow,
    BlockBody,
    BlockShape,
    order=col(BlockRow.value),  # type: ignore[arg-type]
    searched=(col(BlockRow.value),),  # type: ignore[arg-type]
    item=_block,
)

NOUNS = (HOLDER, CREDENTIAL, GRANT, SCHEDULE, BLOCK)
"""All of them, in the order of the console's menu."""
