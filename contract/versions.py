"""Between two versions of the envelope: which one the other side reads, and how a newer message is said in an older.

A hub of version N speaks to gateways of N and of N-1. Whoever raises `VERSION` writes here, for each message whose
form changed, how the new form is said in the old one; a message without a step differs in nothing but its `v`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from contract import ACCEPTED_VERSIONS, VERSION

LOWEST = min(ACCEPTED_VERSIONS)
"""What every gateway reads to which this software speaks at all."""

Step = Callable[[msgspec.Struct], msgspec.Struct]
"""A message of one version as the version before says it; `v` is set by whoever takes the step."""

STEPS_DOWN: Mapping[tuple[type[msgspec.Struct], int], Step] = {}
"""(type of message, version) → the step from that version to the one before."""


def readable(reads: int) -> int:
    """The version in which to speak to somebody who reads at most `reads`, and the one before that."""
    return max(LOWEST, min(VERSION, reads))


def spoken(message: msgspec.Struct, version: int) -> msgspec.Struct:
    """A message of this software, as the older `version` says it."""
    for newer in range(VERSION, version, -1):
        step = STEPS_DOWN.get((type(message), newer))
        if step is not None:
            message = step(message)
    return msgspec.structs.replace(message, v=version)
