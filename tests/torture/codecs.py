"""Every codec under torture: name → module of this package with `one(rng) -> None`.

`one` spoils or invents one frame, gives it to the codec as a wire would, and asserts: only the codec's own errors are
raised, and nothing is read from a frame whose check is wrong.
"""

from __future__ import annotations

CODECS: tuple[str, ...] = (
    "cards",
    "cjt188",
    "dahua",
    "dlt645",
    "dlt698",
    "hikvision",
    "lines",
    "listening",
    "mbus",
    "modbus_rtu",
    "modbus_tcp",
    "mqtt_discovery",
    "mqtt_json",
    "osdp",
    "zhenshi",
)
