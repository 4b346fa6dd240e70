"""Which protocols can be understood by listening. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gateway.tools.language import Speech
from gateway.tools.modbus_words import Device, ModbusDissector
from gateway.tools.seen import Dissector

LISTENERS: dict[str, Callable[[Mapping[int, Device], Speech], Dissector]] = {
    "modbus": ModbusDissector,
}
"""By the word for `--protocol`. The devices are those that a site file names, by Modbus unit."""
