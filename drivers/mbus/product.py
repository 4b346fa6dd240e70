"""Where the values of an M-Bus meter are. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from drivers.profiles.profile import Source

RecordFunction = Literal["instantaneous", "maximum", "minimum", "error"]
"""What an M-Bus value is of its quantity; `error`: the value while the meter was in a state of error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSource(Source):
    """Which record of an M-Bus meter a value is.

    `of`: a record, the meter's number (`identity`) or the byte of `status` of the answer's header. `sent_in`: only a
    record in this unit of the wire, where a meter sends one quantity in two. `bit`, `on`: as a `FieldSource`'s.
    """

    of: Literal["record", "identity", "status"] = "record"
    quantity: str = ""
    function: RecordFunction = "instantaneous"
    storage: int = 0
    tariff: int = 0
    subunit: int = 0
    sent_in: str | None = None
    bit: int | None = None
    on: int = 1
