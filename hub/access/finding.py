"""By what the things that say who may pass are found: conditions on the rows of a noun, of the words of a search."""

from __future__ import annotations

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, func, or_
from sqlmodel import col, select

from contract import cards
from contract.rights import SHOWN
from hub.access.models import CredentialRow, HolderRow
from hub.access.nouns import Noun
from hub.access.spelling import beginnings
from rules.access.values import plate_key


def found_so(noun: Noun, q: str, *, whole: bool) -> ColumnElement[bool]:
    """What `q` finds. `whole`: whether who asks reads whole numbers, and so may look for any part of one."""
    kind = noun.row
    numbers = "value" in kind.model_fields
    parts = [
        _has(kind.kind, column, q, whole=whole) if numbers else column.icontains(q, autoescape=True)
        for column in noun.searched
    ]
    return or_(kind.id == q, *parts, *(_theirs(q, whole=whole) if kind is HolderRow else ()))


def called_so(q: str) -> list[ColumnElement[bool]]:
    """Conditions on holders, each along one index: name, pinyin, initials, unit, room; none where `q` means nobody."""
    return [col(HolderRow.found_by).contains(f" {word}") for word in beginnings(q)]


def _has(
    kind: SQLColumnExpression[object], value: SQLColumnExpression[object], part: str, *, whole: bool
) -> ColumnElement[bool]:
    """Whether a number has that in it.

    What is hidden is not found either, not even by what it is sealed as: whoever reads the end of a number alone finds
    it by that, or by all of it.
    """
    found = and_(kind != "pin", value.icontains(part, autoescape=True))
    if whole:
        return found
    end = func.right(value, SHOWN).icontains(part, autoescape=True)
    return and_(found, or_(kind == "plate", func.lower(value) == part.lower(), end))


def _theirs(q: str, *, whole: bool) -> list[ColumnElement[bool]]:
    """A holder is also found by how the name sounds, by the room however it is written, and by what they present."""
    # As plates and cards are kept: without marks, in half width.
    compact = plate_key(q) or q.replace(" ", "").replace("-", "")
    printed = cards.typed(q, "10d") or compact
    value = col(CredentialRow.value)
    theirs = select(CredentialRow.id).where(
        CredentialRow.site == HolderRow.site,
        CredentialRow.holder == HolderRow.id,
        CredentialRow.kind != "pin",
        or_(_has(col(CredentialRow.kind), value, compact, whole=whole), value == printed),
    )
    return [theirs.exists(), *called_so(q)]
