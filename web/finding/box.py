"""One box for everything: what is found by a word, of which kind, and what comes first. Pure.

At most five of a kind are told, the best first: what is called exactly so, then what begins so, then what has it in it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias

from typing_extensions import TypedDict

from web import shapes

FoundKind: TypeAlias = Literal["vehicle", "person", "place", "device", "alarm", "ticket", "meter"]

ORDER: Sequence[FoundKind] = ("vehicle", "person", "place", "device", "alarm", "ticket", "meter")
"""In which they are shown where they fit equally well."""

MOST = 5


class Found(TypedDict):
    """One thing: `title` what it is called, `detail` what tells it from others. Where its page is knows the console."""

    kind: FoundKind
    id: str
    site: str
    title: shapes.Text
    detail: shapes.Text


class FoundGroup(TypedDict):
    """Those of one kind. `more`: there are others."""

    kind: FoundKind
    items: list[Found]
    more: bool


class FoundThings(TypedDict):
    """The answer: the kind that fits best comes first."""

    groups: list[FoundGroup]


class Fit(NamedTuple):
    """How well something fits, the lowest best, and what it is."""

    rank: int
    found: Found


def plain(text: str) -> str:
    """A text as it is compared: half width, small letters, without blanks around it."""
    return unicodedata.normalize("NFKC", text).casefold().strip()


def rank_of(wanted: str, words: Iterable[str]) -> int | None:
    """How well words fit the `wanted` one (plain): 0 so, 1 beginning so, 2 containing it, None not at all."""
    ranks = [_rank(wanted, plain(word)) for word in words]
    return min((rank for rank in ranks if rank is not None), default=None)


def named(
    kind: FoundKind, site: str, things: Iterable[tuple[str, Mapping[str, str], Sequence[str]]], wanted: str
) -> list[Fit]:
    """Things of a site that are called so: (id, name in both languages, other words that they are found by)."""
    fits = []
    for id, name, others in things:
        rank = rank_of(wanted, (name["zh"], name["en"], id, *others))
        if rank is not None:
            said = " · ".join(filter(None, others)) or id
            title: shapes.Text = {"zh": name["zh"], "en": name["en"]}
            fits.append(Fit(rank, found(kind, id, site, title, same(said))))
    return fits


def found(kind: FoundKind, id: str, site: str, title: shapes.Text, detail: shapes.Text) -> Found:
    """One thing."""
    return {"kind": kind, "id": id, "site": site, "title": title, "detail": detail}


def same(text: str) -> shapes.Text:
    """What is called so in both languages."""
    return {"zh": text, "en": text}


def grouped(fits: Iterable[Fit]) -> FoundThings:
    """At most `MOST` of each kind, the best first; kinds by their best, then in `ORDER`."""
    by_kind: dict[FoundKind, list[Fit]] = {}
    for fit in fits:
        by_kind.setdefault(fit.found["kind"], []).append(fit)
    groups = []
    for kind in ORDER:
        if of_kind := sorted(by_kind.get(kind, ()), key=lambda fit: fit.rank):
            items = [fit.found for fit in of_kind[:MOST]]
            group: FoundGroup = {"kind": kind, "items": items, "more": len(of_kind) > MOST}
            groups.append((of_kind[0].rank, group))
    return {"groups": [group for _, group in sorted(groups, key=lambda each: each[0])]}


def _rank(wanted: str, word: str) -> int | None:
    if word == wanted:
        return 0
    if word.startswith(wanted):
        return 1
    return 2 if wanted in word else None
