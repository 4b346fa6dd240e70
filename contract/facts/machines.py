"""What devices do on their wires, and what registers read. The data of `device.*`, `meter.*`, `input.refused`."""

from __future__ import annotations

import msgspec

from contract.limits import (
    Id,
    Words,
)


class DeviceLost(msgspec.Struct, frozen=True, kw_only=True):
    """A device stopped answering."""

    device: Id
    bus: Id
    why: Words


class DeviceFound(msgspec.Struct, frozen=True, kw_only=True):
    """A device answers (again). `after_s`: how long it was away, None at first sight."""

    device: Id
    bus: Id
    after_s: float | None = None


class MeterRead(msgspec.Struct, frozen=True, kw_only=True):
    """A register that money hangs on. `meter_no`: the meter's own number. `asked`: on demand, not by the clock.

    `rolls_over`: the value at which the register begins again, None if nobody knows. `clock_error_s`: how far the
    meter's own clock is ahead of the gateway's, None if it has none. `begins`: the count begins anew here, as the
    transformers' ratio is another one than at the reading before: what lies between the two is no usage.
    """

    register: Id
    value: float
    unit: Id
    meter_no: Id
    asked: bool = False
    rolls_over: float | None = None
    clock_error_s: float | None = None
    begins: bool = False


class MeterExchanged(msgspec.Struct, frozen=True, kw_only=True):
    """Another meter counts at this place: the last value of the old one, the first of the new one."""

    register: Id
    unit: Id
    old_no: Id
    old_value: float
    new_no: Id
    new_value: float


class ReadingsDropped(msgspec.Struct, frozen=True, kw_only=True):
    """The disk quota made the gateway drop readings that the hub never had."""

    first_seq: int
    last_seq: int
    count: int


class InputRefused(msgspec.Struct, frozen=True, kw_only=True):
    """Something from outside could not be understood. At most one event a minute and wire; `count` since the last."""

    wire: Id
    why: Words
    count: int
    sample: Words = ""
