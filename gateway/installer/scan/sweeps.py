"""How a serial line is searched: at which settings, how long to wait for each address, how long it all takes. Pure.

A sweep waits only as long as a usual unit takes: an answer that comes later still names its unit, so it is not lost.
Source of the silences: Modbus over serial line V1.02, section 2.5.1.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from drivers.searching import Setting

USUAL: tuple[tuple[int, str], ...] = (
    (9600, "N"), (9600, "E"), (19200, "N"), (19200, "E"), (4800, "N"), (2400, "E"), (38400, "N"), (115200, "N"),
)  # fmt: skip
"""Settings in the order in which they are met at properties."""

USUAL_S = 0.06
"""How long a usual unit thinks before it answers, with what an USB adapter adds."""

PATIENT_S = 0.35
"""How long to wait where little is asked, or where something was heard that could not be read."""

FEW = 64
"""Up to so many questions a search is patient by itself."""

MODBUS_REQUEST = 8
"""Bytes of a read."""

FIRST_BYTES = 3
"""Bytes after which somebody is certainly answering."""


def settings(bauds: Sequence[int] | None, parities: Sequence[str] | None, stop_bits: int) -> list[Setting]:
    """What was asked for; of what was not, the usual ones."""
    if bauds is None and parities is None:
        pairs: Iterable[tuple[int, str]] = USUAL
    elif parities is None:
        pairs = [(baud, parity) for baud in bauds or () for parity in ("N", "E")]
    elif bauds is None:
        pairs = [(baud, parity) for baud in dict.fromkeys(baud for baud, _ in USUAL) for parity in parities]
    else:
        pairs = [(baud, parity) for baud in bauds for parity in parities]
    return [Setting(baud, parity, stop_bits) for baud, parity in pairs]


def patience(questions: int, asked_s: float | None) -> float:
    """How long a unit may think: what the person asked for, else by how much there is to ask."""
    if asked_s is not None:
        return asked_s
    return PATIENT_S if questions <= FEW else USUAL_S


def silence_s(setting: Setting, request: int, thinks_s: float) -> float:
    """From the moment a request is handed over until a unit that says nothing is given up."""
    return (request + FIRST_BYTES) * setting.character_s + setting.gap_s + thinks_s


def sweep_s(setting: Setting, count: int, thinks_s: float, request: int = MODBUS_REQUEST) -> float:
    """How long `count` addresses take where nobody answers."""
    return count * (silence_s(setting, request, thinks_s) + setting.gap_s)
