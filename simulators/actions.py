"""What somebody asked of a simulated device. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from contract.readings import Value


@dataclass(frozen=True, slots=True)
class OutputSet:
    """Somebody switched an output."""

    output: str
    on: bool


@dataclass(frozen=True, slots=True)
class OutputToggled:
    """Somebody turned an output over, whatever it was."""

    output: str


@dataclass(frozen=True, slots=True)
class OutputPulsed:
    """Somebody asked the board for a pulse of `seconds`, which the board ends by itself."""

    output: str
    seconds: float


@dataclass(frozen=True, slots=True)
class CommandGiven:
    """Somebody wrote a command; `value`: the label, the number, or None where the write says all."""

    command: str
    value: str | float | None


Action = OutputSet | OutputToggled | OutputPulsed | CommandGiven
Act = Callable[[Action], None]
ValueOf = Callable[[str], Value]
