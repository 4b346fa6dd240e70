"""Readers that somebody may be working on: tampered with, or not answering to their key. Alarms of every site.

What a reader says of itself are points of its device; a lost reader's points are stale, and the alarm stands until
the reader itself says that all is well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from gateway.engine.alarms.alarms import Alarms
from gateway.engine.alarms.causes import built_in, built_in_key
from gateway.engine.desk.desk import Desk
from gateway.engine.desk.record import Facts
from rules.alarms.causes import BuiltInCause

CAUSES: Final[Mapping[str, BuiltInCause]] = {"tampered": "reader.tampered", "key_refused": "reader.key_refused"}
"""By the name of a reader's point: the alarm while it is true."""


class Readers:
    """The readers of the site (devices whose profile is of the kind `reader`)."""

    def __init__(self, readers: Iterable[str], desk: Desk, alarms: Alarms) -> None:
        self._watched = {f"{reader}.{point}": (reader, cause) for reader in readers for point, cause in CAUSES.items()}
        self._points = desk.points
        self._alarms = alarms
        self._names = desk.names

    def points_changed(self, changed: Sequence[str], facts: Facts) -> None:
        """Raises and clears by the points that have another value or quality."""
        for point in changed:
            watched = self._watched.get(point)
            if watched is None:
                continue
            reader, cause = watched
            latest = self._points.value(point)
            if latest.quality != "good":
                continue
            if latest.value is True:
                self._alarms.raise_cause(built_in(cause, reader, self._names), facts)
            else:
                self._alarms.clear_cause(built_in_key(cause, reader), facts)
