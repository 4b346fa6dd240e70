"""The simulators: one line for each protocol of `drivers.protocols`, of the same name.

A folder has `wires` (the other end of them) and, where more can be broken at such a device than that it stands still,
`faults`. On a line that protocols share (`simulators.meters`) `meter` is one device.
"""

from __future__ import annotations

from collections.abc import Mapping

from drivers.protocols import Protocol

PROTOCOLS: Mapping[str, Protocol] = {
    "modbus": Protocol("simulators.modbus"),
    "dlt645": Protocol("simulators.dlt645"),
    "cjt188": Protocol("simulators.cjt188"),
    "mbus": Protocol("simulators.mbus"),
    "dlt698": Protocol("simulators.dlt698"),
    "osdp": Protocol("simulators.osdp"),
    "line": Protocol("simulators.lines"),
    "mqtt": Protocol("simulators.mqtt"),
    "http-push": Protocol("simulators.camera.push"),
    "camera-http": Protocol("simulators.camera.stream"),
}
"""By the word for a protocol in a product's file."""
