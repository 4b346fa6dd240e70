"""The state that decisions depend on, whole in memory, whatever the file holds of it at the moment.

A file that is found late gives what nobody has changed since the start, and to who merges what was changed too. One
that was begun anew gets again what it lost: what decisions are made by now must be what they are made by after a
restart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from gateway.journal.records import StateChange

Late = Callable[[dict[str, bytes]], None]
"""Hears of the state of one kind, by id, that the disk did not give at the start."""

Rows = Mapping[str, Mapping[str, bytes]]
"""Values by kind and id."""


class State:
    """Belongs to one event loop."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, bytes]] = {}
        self._known = False
        self._dropped: set[tuple[str, str]] = set()
        """What was forgotten as long as it is not known what the file holds."""
        self._watchers: list[tuple[str, Late]] = []
        self._merged: set[str] = set()

    @property
    def known(self) -> bool:
        """Whether what the file holds is known: before that, what is not here may still be there."""
        return self._known

    def of(self, kind: str) -> dict[str, bytes]:
        """What stands under `kind`, by id."""
        return dict(self._rows.get(kind, {}))

    def watch(self, kind: str, late: Late, *, merges: bool = False) -> None:
        """`late` hears what a file that is found late holds of `kind`; if it `merges`, of what was changed too."""
        self._watchers.append((kind, late))
        if merges:
            self._merged.add(kind)

    def change(self, changes: Iterable[StateChange]) -> None:
        """Takes changes in, in their order."""
        for kind, name, value in changes:
            rows = self._rows.setdefault(kind, {})
            if value is not None:
                rows[name] = value
                self._dropped.discard((kind, name))
                continue
            rows.pop(name, None)
            if not self._known:
                self._dropped.add((kind, name))

    def found(self, rows: Rows, *, whole: bool) -> tuple[Rows, list[StateChange]]:
        """A file was found that holds `rows`: what is late of them, and what it must be told to hold the same as this.

        `whole`: this is all there is, so that what is not in it never was.
        """
        late: dict[str, dict[str, bytes]] = {}
        if not self._known:
            for kind, name, value in _each(rows):
                mine = self._rows.setdefault(kind, {})
                if name not in mine and (kind, name) not in self._dropped:
                    mine[name] = late.setdefault(kind, {})[name] = value
                elif kind in self._merged and mine.get(name, value) != value:
                    late.setdefault(kind, {})[name] = value
        if whole:
            self._known = True
            self._dropped.clear()
        missing = [
            StateChange(kind, name, value)
            for kind, name, value in _each(self._rows)
            if rows.get(kind, {}).get(name) != value
        ]
        over = [StateChange(kind, name, None) for kind, name, _ in _each(rows) if name not in self._rows.get(kind, {})]
        return late, missing + over

    def tell(self, late: Rows) -> None:
        """Those who asked for these kinds hear what came late, in the order in which they asked."""
        for kind, watcher in self._watchers:
            if kind in late:
                watcher(dict(late[kind]))


def _each(rows: Rows) -> Iterable[tuple[str, str, bytes]]:
    for kind, by_id in rows.items():
        for name, value in by_id.items():
            yield kind, name, value
