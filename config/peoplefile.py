"""The people file: who may pass, as YAML. The shapes; what they mean to each other is `config.people`.

Instants are written as dates (`2026-12-31`) or wall times (`2026-12-31 18:00`) of the site; a date in `valid_to` counts
to its end.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from config.site import Id, Name, Part
from contract.cards import PrintedForm
from contract.desired import CredentialKind
from rules.access.schedules import ALWAYS

ItemId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
When = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\d([ T]\d\d:\d\d)?$")]
HourMinute = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")]
Day = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\d$")]


class HolderPart(Part):
    """A person, or a firm."""

    id: ItemId
    name: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    kind: Literal["resident", "staff", "visitor", "contractor"] = "resident"
    unit: str = ""
    """Where they live or work: `A-1203`."""
    valid_from: When | None = None
    valid_to: When | None = None


class CredentialPart(Part):
    """A card, PIN, QR text, plate or face id."""

    id: ItemId
    kind: CredentialKind
    value: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    """A card's UID in hex (ISO byte order), a plate, a QR's text, a PIN's digits."""
    form: PrintedForm | None = None
    """How a card's number is written where it is not hex: `10d`, `8h`, `3+5`, `5+5`, `h10302`, `h10304`."""
    holder: ItemId
    state: Literal["active", "revoked", "lost"] = "active"
    valid_from: When | None = None
    valid_to: When | None = None


class WindowPart(Part):
    """Hours of week days; `until` before `since` runs past midnight."""

    days: Annotated[list[Annotated[int, Field(ge=1, le=7)]], Field(min_length=1)]
    """1 = Monday … 7 = Sunday."""
    since: HourMinute
    until: HourMinute


class DayPart(Part):
    """One date with hours of its own; none: closed."""

    day: Day
    hours: list[tuple[HourMinute, HourMinute]] = Field(default_factory=list)


class SchedulePart(Part):
    """When grants hold. The schedule `always` exists without being written."""

    id: ItemId
    name: Name
    windows: list[WindowPart] = Field(default_factory=list)
    days: list[DayPart] = Field(default_factory=list)


class GrantPart(Part):
    """What a holder may pass, and when."""

    id: ItemId
    holder: ItemId
    places: Annotated[list[Id], Field(min_length=1)]
    """Ids of doors, lanes and zones."""
    schedule: ItemId = ALWAYS
    valid_from: When | None = None
    valid_to: When | None = None


class BlockPart(Part):
    """A value that is refused everywhere, and why."""

    id: ItemId
    kind: CredentialKind
    value: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    form: PrintedForm | None = None
    """How a card's number is written where it is not hex."""
    reason: Name


class PeopleFile(Part):
    """A people file."""

    holders: list[HolderPart] = Field(default_factory=list)
    credentials: list[CredentialPart] = Field(default_factory=list)
    schedules: list[SchedulePart] = Field(default_factory=list)
    grants: list[GrantPart] = Field(default_factory=list)
    blocks: list[BlockPart] = Field(default_factory=list)
