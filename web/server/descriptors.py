"""Files and connections that this process may have open at once: as many as it is allowed, and whose they are.

Everything that goes in or out takes one of the same: wires to devices, the journal, the way to the hub, and whoever
connects from outside. Those from outside get at most half of them, whatever they do.
"""

from __future__ import annotations

import resource

FOR_OUTSIDE = 0.5
"""The share of all descriptors that connections from outside may take."""


def raise_limit() -> int:
    """Raises the limit of this process as far as it may; how many it may have open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (OSError, ValueError):
            # Where the kernel refuses (an unlimited hard limit on some), what stands holds.
            return soft
    return hard


def for_outside(*wanted: int) -> tuple[int, ...]:
    """Of what the servers of this process want, what they get: all together no more than their share."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    share = sum(wanted) if soft == resource.RLIM_INFINITY else int(soft * FOR_OUTSIDE)
    if sum(wanted) <= share:
        return wanted
    return tuple(each * share // sum(wanted) for each in wanted)
