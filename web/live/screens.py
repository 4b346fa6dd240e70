"""One open screen of the live stream: what waits for it, bounded, with the newest state of each thing only.

Pure. `stream.py` fills it and `routes.py` writes it to the wire.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from contract.rights import KIND_SIGHTS, Viewer, data_seen, names_in, sees_event
from web.doing import seen
from web.live.sse import frame

Sites = frozenset[str] | None
"""What a screen shows: these sites, or (None) all of them."""

StateKey = tuple[str, str, str]
"""(site, kind, id) of a thing that has a state."""


class View(NamedTuple):
    """What a screen shows: of which sites, and to whom."""

    sites: Sites
    viewer: Viewer

    def shows_site(self, site: str) -> bool:
        """Whether what happens there belongs on it."""
        return self.sites is None or site in self.sites


class LiveEvent(NamedTuple):
    """A committed event: its id, its site ("" for the whole company), its kind, source and data.

    `item`: gives the JSON of the REST item, around the data that it is given.
    """

    id: int
    site: str
    kind: str
    source: str
    data: msgspec.Raw
    item: Callable[[msgspec.Raw], bytes]

    def seen(self, view: View) -> LiveEvent | None:
        """The event as that screen shows it, None if it does not."""
        if not sees_event(view.viewer, self.kind, self.source, self.data):
            return None
        if not (view.shows_site(self.site) or (self.site == "" and self.about & view.viewer.names)):
            return None
        return self._replace(data=data_seen(view.viewer, self.kind, self.data))

    @property
    def about(self) -> frozenset[str]:
        """By which words it says of whose account it speaks; none where it speaks of something else."""
        return names_in(self.source, self.data) if KIND_SIGHTS.get(self.kind) == "accounts" else frozenset()

    @property
    def body(self) -> bytes:
        """The JSON of the REST item."""
        return self.item(self.data)


def things_seen(viewer: Viewer, things: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """A snapshot's lists (`doors`, `lanes`, …) of things by kind, as they see them."""
    return {f"{kind}s": [seen(viewer, kind, item) for item in items] for kind, items in things.items()}


@dataclass(frozen=True, slots=True)
class EventsFrame:
    """Events of one tick for one group of screens, oldest first, encoded once."""

    events: tuple[LiveEvent, ...]
    last_id: int
    encoded: bytes = field(repr=False)

    @classmethod
    def of(cls, events: Sequence[LiveEvent], least_id: int = 0) -> EventsFrame:
        """The frame's id is that of its last event, but never below `least_id`."""
        last = max(events[-1].id, least_id)
        data = b"[" + b",".join(event.body for event in events) + b"]"
        return cls(tuple(events), last, frame("events", data, last))

    def after(self, floor: int) -> bytes:
        """The frame without the events that the screen already has."""
        if self.events[0].id > floor:
            return self.encoded
        left = [event for event in self.events if event.id > floor]
        return EventsFrame.of(left, self.last_id).encoded if left else b""


class Screen:
    """What waits for one screen. Past `most_events` or `most_states` everything is dropped and `overflowed` is set.

    `session`: the hash of the token that it was opened with.
    """

    def __init__(self, account: str, view: View, *, session: str = "", most_events: int, most_states: int) -> None:
        self.account = account
        self.session = session
        self.view = view
        self.overflowed = False
        self.ended = False
        self.floor = 0
        self._most_events = most_events
        self._most_states = most_states
        self._waiting = 0
        self._events: deque[EventsFrame] = deque()
        self._states: dict[StateKey, bytes] = {}

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do for this screen."""
        return not (self._events or self._states or self.overflowed or self.ended)

    def offer(self, events: EventsFrame | None, states: Mapping[StateKey, bytes]) -> None:
        """Add one tick."""
        if self.overflowed:
            return
        if events is not None:
            self._events.append(events)
            self._waiting += len(events.events)
        self._states.update(states)
        if self._waiting > self._most_events or len(self._states) > self._most_states:
            self._clear()
            self.overflowed = True

    def restart(self) -> None:
        """Forget what waits: a snapshot replaces it."""
        self._clear()
        self.overflowed = False

    def take(self) -> bytes:
        """Everything that waits, events before states."""
        parts = [events.after(self.floor) for events in self._events]
        parts.extend(self._states.values())
        self._clear()
        return b"".join(parts)

    def _clear(self) -> None:
        self._events.clear()
        self._states.clear()
        self._waiting = 0
