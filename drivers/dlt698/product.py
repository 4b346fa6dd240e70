"""Where the values of a DL/T 698.45 meter are. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from drivers.profiles.profile import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectSource(Source):
    """Where a DL/T 698.45 value is: attribute `oad`, or one of its elements (from 1).

    `decimals`: digits after the point. `address`: the address that the answer comes from, where the meter does not
    have the attribute.
    """

    oad: int
    element: int | None = None
    form: Literal["number", "digits", "text", "clock"] = "number"
    decimals: int = 0
    address: bool = False
