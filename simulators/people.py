"""Who comes and goes at the simulated site: the cards and plates of a people file. Forgiving: it only plays."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True, slots=True)
class Carrier:
    """A credential, the places (doors, lanes, zones) that its holder may always pass, and those at times only."""

    value: str
    places: frozenset[str]
    sometimes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class People:
    """Cards and plates that should be let in, cards that should be refused, plates that are blocked."""

    cards: tuple[Carrier, ...] = ()
    plates: tuple[Carrier, ...] = ()
    refused_cards: tuple[str, ...] = ()
    blocked_plates: tuple[str, ...] = field(default=())


def read_people(path: Path | None) -> People:
    """The people of a file; nobody if there is no file."""
    if path is None or not path.exists():
        return People()
    return people_of(yaml.safe_load(path.read_text(encoding="utf-8")) or {})


def people_of(document: dict[str, Any]) -> People:
    """The people in a document: holders with credentials, grants and blocks."""
    always, sometimes = _places(document)
    blocked = [(str(b.get("kind")), str(b.get("value"))) for b in _entries(document, "blocks")]
    good: dict[str, list[Carrier]] = {"card": [], "plate": []}
    refused: list[str] = []
    for credential in _entries(document, "credentials"):
        kind, value, holder = (str(credential.get(key, "")) for key in ("kind", "value", "holder"))
        if kind not in good or (kind, value) in blocked:
            continue
        if credential.get("state", "active") == "active":
            at_times = sometimes.get(holder, frozenset())
            good[kind].append(Carrier(value, always.get(holder, frozenset()), at_times))
        elif kind == "card":
            refused.append(value)
    return People(
        cards=tuple(good["card"]),
        plates=tuple(good["plate"]),
        refused_cards=tuple(refused),
        blocked_plates=tuple(value for kind, value in blocked if kind == "plate"),
    )


def _places(document: dict[str, Any]) -> tuple[dict[str, frozenset[str]], dict[str, frozenset[str]]]:
    """Where each holder may go always, and where at times: by a schedule, or for a term."""
    terms = {str(h.get("id")) for h in _entries(document, "holders") if "valid_to" in h or "valid_from" in h}
    always: dict[str, frozenset[str]] = {}
    sometimes: dict[str, frozenset[str]] = {}
    for grant in _entries(document, "grants"):
        holder = str(grant.get("holder", ""))
        timed = grant.get("schedule", "always") != "always" or holder in terms or "valid_to" in grant
        kept = sometimes if timed else always
        kept[holder] = kept.get(holder, frozenset()) | frozenset(map(str, grant.get("places", ())))
    return always, sometimes


def _entries(document: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """A list of mappings, or a mapping of mappings by id."""
    found = document.get(name) or document.get(name.removesuffix("s")) or []
    if isinstance(found, dict):
        found = [{"id": key, **value} for key, value in found.items() if isinstance(value, dict)]
    return [entry for entry in found if isinstance(entry, dict)]
