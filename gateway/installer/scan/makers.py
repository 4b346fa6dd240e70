"""What a web server's own words say about the device behind it. Pure."""

from __future__ import annotations

from contract.texts import Text

_HINTS: tuple[tuple[str, Text], ...] = (
    ("hikvision", Text("海康相机或门禁", "Hikvision camera or terminal")),
    ("app-webs", Text("海康相机或门禁", "Hikvision camera or terminal")),
    ("dnvrs-webs", Text("海康相机或录像机", "Hikvision camera or recorder")),
    ("dahua", Text("大华相机", "Dahua camera")),
    ("login to", Text("大华相机", "Dahua camera")),
    ("vzenith", Text("臻识车牌相机", "Vzenith plate camera")),
    ("alphadigi", Text("Alphadigi 车牌相机", "Alphadigi plate camera")),
    ("waveshare", Text("Waveshare 继电器或串口服务器", "Waveshare relay board or converter")),
    ("usr-", Text("有人串口服务器", "USR converter")),
    ("moxa", Text("Moxa 串口服务器", "Moxa converter")),
    ("zlan", Text("卓岚串口服务器", "ZLAN converter")),
    ("tasmota", Text("Tasmota 设备（MQTT）", "Tasmota device (MQTT)")),
    ("esphome", Text("ESPHome 设备（MQTT）", "ESPHome device (MQTT)")),
    ("frigate", Text("Frigate（MQTT）", "Frigate (MQTT)")),
    ("gatehouse", Text("Gatehouse 网关或总控台", "a Gatehouse gateway or hub")),
)
"""Words of servers, realms and titles as devices on the market write them."""


def maker(said: str) -> Text | None:
    """Who that is likely to be."""
    low = said.lower()
    return next((words for hint, words in _HINTS if hint in low), None)
