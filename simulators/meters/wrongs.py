"""How a sick meter answers: late, damaged, in another's name, in noise, or not at all. Pure."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from simulators.faults import Faults

LATE_S = 0.2
"""So much after the master's time-out comes a late answer."""


class Reply(NamedTuple):
    """What goes back, and after how many seconds; None: nothing."""

    data: bytes | None
    after_s: float = 0.0


def reply(answer: bytes, faults: Faults, device: str, timeout_s: float) -> Reply:
    """An answer as the device's faults let it out."""
    if faults.any_of(device, "silent", "offline"):
        return Reply(None)
    if faults.has(device, "foreign"):
        answer = renamed(answer)
    if faults.has(device, "corrupt"):
        at = len(answer) - 4
        answer = answer[:at] + bytes((answer[at] ^ 0x11,)) + answer[at + 1 :]
    return Reply(answer, timeout_s + LATE_S if faults.has(device, "late") else 0.0)


def renamed(answer: bytes) -> bytes:
    """The same answer with another address (its third byte after 68 and T) and a sum that is right."""
    start = answer.index(0x68)
    body = bytearray(answer[start:-2])
    body[3] = body[3] + 1 if body[3] & 0x0F < 9 else body[3] - 1
    return answer[:start] + bytes(body) + bytes((sum(body) & 0xFF, answer[-1]))


def noised(answer: bytes, rng: Random) -> bytes:
    """Noise hits most answers: bytes before, bytes in the middle changed."""
    if rng.random() < 0.3:
        return answer
    body = bytearray(rng.randbytes(rng.randint(0, 4)) + answer)
    body[rng.randrange(len(body))] ^= rng.randint(1, 255)
    return bytes(body)
