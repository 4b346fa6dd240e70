"""What hub processes on one database say to each other, each in one notification. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import msgspec

from hub.database.transactions import Outcome
from hub.own_states import Key

PART_BYTES = 7_000
"""Of states in one notification: PostgreSQL takes 8,000 bytes, and the rest is said beside them."""

MOST_PARTS = 64
"""Of one transaction; what is more is not told, but that there is something to look at."""

MOST_SITES = 50


class Part(msgspec.Struct, frozen=True, tag="part", omit_defaults=True):
    """What transaction `n` of a process did, or a part of it. `events`: first and last ids of runs without gaps.

    `look`: there is more than is told; `at`: at these sites, or at any.
    """

    by: str
    n: int
    events: list[tuple[int, int]] = []
    states: list[dict[str, Any]] = []
    look: bool = False
    at: list[str] = []


class Named(msgspec.Struct, frozen=True, tag="named"):
    """What transaction `n` changed and is too large to be told (site, kind, id): whoever shows it reads it."""

    by: str
    n: int
    things: list[tuple[str, str, str]]


class Here(msgspec.Struct, frozen=True, tag="here"):
    """A process hears. `knows`: to whom it tells what it does."""

    by: str
    knows: list[str]


class Gone(msgspec.Struct, frozen=True, tag="gone"):
    """A process ends."""

    by: str


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """A session has ended (the hash of its token), and with it every screen that was opened with it."""

    by: str
    session: str


Word: TypeAlias = Part | Named | Here | Gone | Ended

word_of = msgspec.json.Decoder(Word).decode
"""What is heard; raises what msgspec raises if it is no word of this version."""


def key_of(state: Mapping[str, Any]) -> Key:
    """Which state it is."""
    return state["site"], state["kind"], state["id"]


def parts_of(by: str, n: int, told: Outcome) -> list[Part | Named]:
    """What process `by` says of its transaction `n`."""
    parts: list[list[dict[str, Any]]] = [[]]
    named: list[tuple[str, str, str]] = []
    room, room_for_names, look = PART_BYTES, PART_BYTES, False
    # The last of each is what screens show.
    for key, state in {key_of(state): state for state in told.states}.items():
        size = len(msgspec.json.encode(state)) + 1
        if size > PART_BYTES:
            room_for_names -= len(msgspec.json.encode(key)) + 1
            if room_for_names < 0:
                look = True
                break
            named.append(key)
            continue
        if size > room and len(parts) == MOST_PARTS:
            look = True
            break
        if size > room:
            parts.append([])
            room = PART_BYTES
        parts[-1].append(state)
        room -= size
    runs = joined((event.id, event.id) for event in told.events)
    # In one transaction ids follow each other: there are few runs.
    look = look or len(runs) > 20
    if look:
        # The names of sites take their room.
        parts.insert(0, [])
    first = Part(by, n, runs[:20], parts[0], look, _sites(told) if look else [])
    rest = [Part(by, n, states=states) for states in parts[1:] if states]
    return [first, *rest, *([Named(by, n, named)] if named else [])]


def _sites(told: Outcome) -> list[str]:
    """Where it happened; none: at too many, or where no site is."""
    sites = {state["site"] for state in told.states} | {event.site for event in told.events}
    return [] if None in sites or len(sites) > MOST_SITES else sorted(site for site in sites if site is not None)


def joined(runs: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same ids in as few runs as possible."""
    found: list[tuple[int, int]] = []
    for first, last in sorted(runs):
        if found and first <= found[-1][1] + 1:
            found[-1] = found[-1][0], max(found[-1][1], last)
        else:
            found.append((first, last))
    return found
