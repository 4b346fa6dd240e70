"""What can be broken at a camera whose stream is fetched. Pure."""

from __future__ import annotations

from simulators.faults import Breakable

FAULTS = Breakable(
    lambda _: (
        "silent", "corrupt", "offline", "repeat", "blind", "missing", "clock-off", "stop-events", "local-epoch",
    )
)  # fmt: skip
