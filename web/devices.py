"""A device as both servers show it."""

from __future__ import annotations

from typing_extensions import TypedDict

from contract.instants import Instant


class DeviceStanding(TypedDict):
    """Whether a device answers, by the last word of it; `online` is null where nothing was ever said.

    `since`: when that was said, `why`: what was said of one that does not answer.
    """

    id: str
    site: str
    online: bool | None
    since: Instant | None
    why: str | None
