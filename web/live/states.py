"""The states of one tick, as people see them: written once a role, a ticket once more for whom it is another matter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

import msgspec
import structlog
from prometheus_client import Counter

from contract.rights import Viewer
from web.doing import concerned, seen
from web.live.screens import StateKey
from web.live.sse import frame

log = structlog.get_logger("web.live")

UNSHOWN = Counter("gatehouse_live_unshown_states", "States that could not be shown; who missed one looks again")

State = Mapping[str, Any]
"""One thing as it is now: the JSON of its REST item plus `kind`, with `id` and `site`."""

MadeT = TypeVar("MadeT")

_MISSHAPEN = (AttributeError, LookupError, TypeError, ValueError, msgspec.MsgspecError)
"""What a state raises that is not of the shape that its kind has here: a process of another version may tell one."""


class TickStates:
    """The newest state of each thing that changed in a tick.

    `doing`: accounts to whom one of them is another matter than to others of their role. `unshown`: those that could
    not be shown to somebody, so far.
    """

    def __init__(self, states: Mapping[StateKey, State]) -> None:
        self.unshown: set[StateKey] = set()
        self._states = states
        self._about = self._made(lambda state: concerned([state]), states)
        self.doing = frozenset[str]().union(*self._about.values())
        self._frames: dict[Viewer, dict[StateKey, bytes]] = {}

    def frames(self, viewer: Viewer) -> Mapping[StateKey, bytes]:
        """A frame for each, as they see it."""
        like = viewer._replace(names=viewer.names & self.doing)
        found = self._frames.get(like)
        if found is None:
            found = self._frames[like] = self._written(like)
        return found

    def _written(self, viewer: Viewer) -> dict[StateKey, bytes]:
        if not viewer.names:
            return self._made(partial(_frame, viewer), self._states)
        theirs = {key: self._states[key] for key, names in self._about.items() if names & viewer.names}
        return {
            **self.frames(viewer._replace(names=frozenset())),
            **self._made(partial(_frame, viewer), theirs),
        }

    def _made(self, of: Callable[[State], MadeT], states: Mapping[StateKey, State]) -> dict[StateKey, MadeT]:
        """What `of` makes of each state. Of which it makes nothing is said once, and left out from then on."""
        found: dict[StateKey, MadeT] = {}
        for key, state in states.items():
            if key in self.unshown:
                continue
            try:
                found[key] = of(state)
            except _MISSHAPEN:
                self.unshown.add(key)
                UNSHOWN.inc()
                site, kind, thing = key
                log.exception("live.state_not_shown", site=site, kind=kind, id=thing)
        return found


def _frame(viewer: Viewer, state: State) -> bytes:
    return frame("state", msgspec.json.encode(seen(viewer, state["kind"], state)))
