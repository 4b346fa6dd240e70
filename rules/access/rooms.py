"""Rooms in the one form in which they are found and sorted: 12 栋 301 is 12-301. Pure."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 500

_UNIT_WORDS = re.compile(r"[栋幢座楼单元室号层房#]+")
_RUNS = re.compile(r"[0-9]+|[^\W\d_]+")


def room_key(written: str) -> str:
    """A room in one form: its numbers and letters with a hyphen between (12 栋 301 室, 12-301: 12-301)."""
    plain = _UNIT_WORDS.sub(" ", unicodedata.normalize("NFKC", written).lower())
    return "-".join(run.lstrip("0") or "0" if run.isdigit() else run for run in _RUNS.findall(plain))[:LONGEST]


def room_order(written: str) -> str:
    """By which rooms are sorted: 9-2 before 10-1."""
    return "-".join(run.zfill(6) if run.isdigit() else run for run in room_key(written).split("-"))[:LONGEST]


def is_room(key: str) -> bool:
    """Whether somebody who typed that may mean a room: there is a number in it."""
    return any(sign.isdigit() for sign in key)


def in_room(room: str, wanted: str) -> bool:
    """Whether a room (a key) is the `wanted` one (a key), or begins so: 12-301 is met by 12-301, 12-3 and 301."""
    return f"-{wanted}" in f"-{room}"
