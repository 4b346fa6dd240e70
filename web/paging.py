"""Lists: `{items, next}`, the sites a list may show, and the cursor that `next` is.

A cursor says where a page ended by the sort key of its last item. It is sealed: nobody but the servers reads what is
in it, and one that they did not make is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, Self, TypeVar

import msgspec
from fastapi import Depends, Query
from pydantic import BaseModel
from starlette.requests import Request

from contract.texts import Text
from web.errors import Forbidden, Invalid
from web.sealing import NotSealed, Seal
from web.users import User

ItemT = TypeVar("ItemT")

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Rank = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
"""Parts of sort keys (`key_of`): a moment with its zone, a small number."""

NOT_YOURS = Text("您没有该项目的权限", "This site is not one of yours")
_BROKEN = Text("游标无效，请从第一页开始", "This cursor is not one of ours; begin with the first page")

Limit = Annotated[int, Query(ge=1, le=500, description="Items of one page")]


class Page(BaseModel, Generic[ItemT]):
    """One page of a list; `next` is the cursor of the page after it, null at the end."""

    items: list[ItemT]
    next: str | int | None = None

    @classmethod
    def of(cls, items: list[ItemT], next: str | int | None = None) -> Self:
        """A page of what the types have checked already: at a gateway doors wait while it is looked through again."""
        return cls.model_construct(items=items, next=next)


def sites_asked(user: User, site: str | None) -> list[str] | None:
    """The sites that an answer may be about: the one asked for, else all of the user's; None for every site.

    `Forbidden` if the one asked for is not theirs.
    """
    if site is not None:
        if not user.may_see(site):
            raise Forbidden(NOT_YOURS, "foreign_site")
        return [site]
    return None if user.sees_all else list(user.sites)


class Cursors:
    """Makes and reads cursors. Servers of one company have one `secret`, so that any of them reads the others'."""

    def __init__(self, secret: bytes) -> None:
        self._seal = Seal(secret, "cursor")

    def after(self, *key: str | int | float | None) -> str:
        """The cursor behind the item with this sort key."""
        return self._seal.seal(msgspec.json.encode(key).decode())

    def key(self, cursor: str, *types: Any) -> tuple[Any, ...]:
        """The sort key in a cursor, by the types of its parts; `Invalid` if it is not one that we gave."""
        try:
            key = msgspec.json.decode(self._seal.open(cursor), type=tuple)
            return tuple(msgspec.convert(part, kind) for part, kind in zip(key, types, strict=True))
        except (NotSealed, ValueError, msgspec.DecodeError, msgspec.ValidationError) as error:
            raise Invalid({"cursor": _BROKEN}) from error


def cursors(request: Request) -> Cursors:
    """Dependency: the server's cursors."""
    found: Cursors = request.app.state.cursors
    return found


SealedCursors = Annotated[Cursors, Depends(cursors)]


def listed_words(field: str, text: str | None, known: Sequence[str]) -> list[str] | None:
    """The words of a comma-separated filter; None without one; `Invalid` names `field` if a word is not `known`."""
    if not text:
        return None
    words = [word.strip() for word in text.split(",") if word.strip()]
    if any(word not in known for word in words):
        choices = ", ".join(known)
        raise Invalid({field: Text(f"应为以下之一：{choices}", f"must be one of {choices}")})
    return words
