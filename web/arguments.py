"""What a command may carry, at the hub and at the gateway alike."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

LARGEST = 2**53
"""Whole numbers up to here are the same for every reader of JSON."""

Arg = Annotated[str, Field(max_length=500)] | Annotated[int, Field(ge=-LARGEST, le=LARGEST)] | float | bool | None
"""An argument of a command: the value of a point, a mode, a note."""

Args = Annotated[dict[Annotated[str, Field(min_length=1, max_length=64)], Arg], Field(max_length=10)]
"""The arguments of a command, by name."""
