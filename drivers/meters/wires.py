"""Lines of meters as a site file names them, whichever protocols the meters speak. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from contract.texts import Text
from drivers.wiring import Address, Hanging, Port, Seconds, SerialBus, TcpBus


class MeterSerialBus(SerialBus):
    """A serial line with meters that answer by their own addresses (DL/T 645, CJ/T 188, M-Bus, DL/T 698.45)."""

    opening = "drivers.meters.opening"

    kind: Literal["meter-serial"]
    """What the wire carries."""
    port: str
    """The serial port: `/dev/ttyS3`."""
    baud: int = 2400
    """Bits a second; all meters of a line have the same."""
    parity: Literal["N", "E", "O"] = "E"
    """None, even or odd."""
    stop_bits: Literal[1, 2] = 1
    """Stop bits of a character."""
    timeout_s: Seconds = 1.0
    """How long an answer may take to begin before the meter counts as silent."""


class MeterTcpBus(TcpBus):
    """A line of meters behind a serial-to-TCP converter: one shared wire."""

    opening = "drivers.meters.opening"

    kind: Literal["meter-tcp"]
    """What the wire carries."""
    host: str
    """Address or name of the converter."""
    port: Port
    """TCP port of the line at the converter."""
    baud: int = 2400
    """Bits a second of the line behind it: how long its frames take."""
    timeout_s: Seconds = 2.0
    """How long an answer may take to begin before the meter counts as silent."""


METER_BUSES = (MeterSerialBus, MeterTcpBus)


def printed(digits: int) -> Callable[[Hanging], Address]:
    """What tells meters apart that bear an address of so many digits; zeros in front may be left out.

    A meter that is alone on its line needs none.
    """

    def address(of: Hanging) -> Address:
        found = of.device.address
        if found is None:
            missing = None
            if of.others:
                missing = Text(
                    f"缺少此项：线路 {of.bus} 上还有 {of.others[0]}，表计需写表上的地址",
                    f"is missing: {of.others[0]} is on {of.bus} too, so the address printed on the meter is needed",
                )
            return Address("address", "", wrong=missing)
        if not (found.isdecimal() and len(found) <= digits):
            words = Text(
                f"应为表上印的地址，最多 {digits} 位数字", f"expected the printed address, up to {digits} digits"
            )
            return Address("address", found, wrong=words)
        whole = found.zfill(digits)
        doubt = None
        if len(found) == digits - 1:
            doubt = Text(
                f"只有 {digits - 1} 位，表上一般印 {digits} 位：是否漏了一位？将按 {whole} 使用",
                f"has {digits - 1} digits where meters bear {digits}: is one missing? {whole} will be used",
            )
        return Address("address", found, alike=f"{of.profile.protocol} {whole}", doubt=doubt)

    return address
