"""Desired state: what the hub wants a gateway to hold, as revisioned items.

An item is (kind, id) → value, or `null` to drop it. A delta takes any revision from `base` on to `revision`, as items
carry whole values; a snapshot replaces everything. A step too large for one payload comes in `parts`; it takes force
when all have come, atomically. The gateway answers with its `presence` (the revision in force, the parts that have
come) and asks for a snapshot by announcing revision 0.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from contract import VERSION
from contract.instants import Instant
from contract.limits import ITEMS_LIMIT, Few, Id, Several, Words
from contract.texts import Text

# `gc=False`: these hold no cycles, and a million of them must not be looked through by the garbage collector.
HolderKind = Literal["resident", "staff", "visitor", "contractor"]
CredentialState = Literal["active", "revoked", "lost"]
CredentialKind = Literal["card", "pin", "qr", "plate", "face"]
Role = Literal["guard", "maintenance", "installer", "manager", "admin"]
Day = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\d\Z")]
HourMinute = Annotated[str, msgspec.Meta(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)\Z")]


class Holder(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A person (or a firm) that credentials belong to. Events name the id only, so that the name can be erased."""

    id: Id
    name: Words
    kind: HolderKind = "resident"
    unit: Words = ""
    valid_from: Instant | None = None
    valid_to: Instant | None = None


class Credential(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is presented. `value`: a card's UID in upper-case hex (ISO order), a plate in upper case, a QR's text."""

    id: Id
    kind: CredentialKind
    value: Words
    holder: Id
    state: CredentialState = "active"
    valid_from: Instant | None = None
    valid_to: Instant | None = None


class Window(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Hours of a day, site time. `days`: ISO week days, 1 = Monday. `until` before `since` runs past midnight."""

    days: Annotated[list[Annotated[int, msgspec.Meta(ge=1, le=7)]], Few]
    since: HourMinute
    until: HourMinute


class DayRule(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One date that follows other hours than its week day (a holiday, a working Saturday); empty: closed."""

    day: Day
    hours: Annotated[list[tuple[HourMinute, HourMinute]], Few] = []


class Schedule(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """When something holds, in the site's time zone. The schedule `always` exists without being sent."""

    id: Id
    name: Text
    windows: Annotated[list[Window], Few]
    days: Annotated[list[DayRule], Several] = []


class Grant(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A holder may pass `places` (door, lane and zone ids) while `schedule` holds."""

    id: Id
    holder: Id
    places: Annotated[list[Id], Several]
    schedule: Id = "always"
    valid_from: Instant | None = None
    valid_to: Instant | None = None


class Block(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A credential value that is refused everywhere, whoever holds it, and why."""

    id: Id
    kind: CredentialKind
    value: Words
    reason: Text


class Account(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A person who may sign in at the gateway itself. `password_hash`: argon2id; useless after `expires_at`.

    `lifted`: locks of this account (`account.locked`, by id) that hold no longer, wherever they were set.
    """

    id: Id
    username: Id
    name: Words
    role: Role
    password_hash: Words
    expires_at: Instant
    language: Literal["zh", "en"] = "zh"
    lifted: Annotated[list[Id], Few] = []


ITEM_TYPES: dict[str, type[msgspec.Struct]] = {
    "holder": Holder,
    "credential": Credential,
    "schedule": Schedule,
    "grant": Grant,
    "block": Block,
    "account": Account,
}


NOTHING = msgspec.Raw(b"null")


class Item(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One thing to hold, as JSON text (`null`: to drop). Unknown kinds are kept but not used."""

    kind: Id
    id: Id
    value: msgspec.Raw = NOTHING

    @property
    def dropped(self) -> bool:
        """Whether the item is to be dropped."""
        return bytes(self.value) == b"null"


class Desired(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the desired state; `base` is 0 in a snapshot."""

    form: Literal["snapshot", "delta"]
    revision: Annotated[int, msgspec.Meta(ge=1)]
    items: Annotated[list[Item], msgspec.Meta(max_length=ITEMS_LIMIT)]
    base: Annotated[int, msgspec.Meta(ge=0)] = 0
    part: Annotated[int, msgspec.Meta(ge=1)] = 1
    parts: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 1
    v: int = VERSION
