"""How a sick meter answers: late, damaged, in another's name, in noise, or not at all. Pure."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from simulators.faults import Faults
from simulators.meters.meter import SimMeter

LATE_S = 0.2
"""So much after the master's time-out comes a late answer."""


class Reply(NamedTuple):
    """What goes back, and after how many seconds; None: nothing."""

    data: bytes | None
    after_s: float = 0.0


def reply(answer: bytes, faults: Faults, meter: SimMeter, timeout_s: float) -> Reply:
    """An answer as the meter's faults let it out."""
    device = meter.device.id
    if faults.any_of(device, "silent", "offline"):
        return Reply(None)
    if faults.has(device, "foreign"):
        answer = meter.renamed(answer)
    if faults.has(device, "corrupt"):
        at = max(0, len(answer) - 4)
        answer = answer[:at] + bytes((answer[at] ^ 0x11,)) + answer[at + 1 :]
    return Reply(answer, timeout_s + LATE_S if faults.has(device, "late") else 0.0)


def noised(answer: bytes, rng: Random) -> bytes:
    """Noise hits most answers: bytes before, bytes in the middle changed."""
    if rng.random() < 0.3:
        return answer
    body = bytearray(rng.randbytes(rng.randint(0, 4)) + answer)
    body[rng.randrange(len(body))] ^= rng.randint(1, 255)
    return bytes(body)
