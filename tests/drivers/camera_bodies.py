"""Bodies as cameras of each make send them, written after their descriptions."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import datetime, timedelta, timezone
from typing import Any

JPEG = b"\xff\xd8\xff\xe0 not much of a picture\r\n\x00--with bytes that look like text\xff\xd9"
CUT_OUT = b"\xff\xd8\xff\xe0 a plate\xff\xd9"

HIKVISION = """<?xml version="1.0" encoding="UTF-8"?>
<EventNotificationAlert version="2.0" xmlns="http://www.hikvision.com/ver20/XMLSchema">
<ipAddress>192.168.20.64</ipAddress><portNo>80</portNo><protocol>HTTP</protocol>
<macAddress>44:19:b6:a1:b2:c3</macAddress><channelID>1</channelID>
<dateTime>2026-11-18T10:50:00.250+08:00</dateTime><activePostCount>1</activePostCount>
<eventType>ANPR</eventType><eventState>active</eventState><eventDescription>ANPR</eventDescription>
<ANPR><country>3</country><licensePlate>沪A12345</licensePlate><line>1</line><direction>forward</direction>
<confidenceLevel>97</confidenceLevel><plateType>unknown</plateType><plateColor>blue</plateColor>
<licenseBright>0</licenseBright><plateCharBelieve>99,99,97,98,99,99,99</plateCharBelieve>
<vehicleType>vehicle</vehicleType><vehicleInfo><index>1</index><vehicleType>2</vehicleType><color>red</color>
<plate>inner</plate></vehicleInfo><originalLicensePlate>沪A12345</originalLicensePlate>
<vehicleListName>otherList</vehicleListName></ANPR>
<UUID>8e6f7d1c-0001-0002-0003-000000000004</UUID><picNum>2</picNum></EventNotificationAlert>
"""

HEARTBEAT_XML = """<EventNotificationAlert version="1.0" xmlns="http://www.isapi.org/ver20/XMLSchema">
<ipAddress>192.168.20.64</ipAddress><dateTime>2026-11-18T10:50:00+08:00</dateTime>
<eventType>videoloss</eventType><eventState>inactive</eventState></EventNotificationAlert>
"""

BOUNDARY = "---------------------------7e13971310878"
HIKVISION_TYPE = f"multipart/form-data; boundary={BOUNDARY}"


def multipart(*parts: tuple[str, str, bytes], boundary: str = BOUNDARY, eol: bytes = b"\r\n") -> bytes:
    """A form of (file name, type, bytes)."""
    body = b""
    for name, kind, content in parts:
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n'
            f"Content-Type: {kind}\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        body += head.encode().replace(b"\r\n", eol) + content + eol
    return body + f"--{boundary}--".encode() + eol


def hikvision(xml: str = HIKVISION, scene: bytes = JPEG, plate: bytes = CUT_OUT) -> bytes:
    """A read with its two pictures."""
    return multipart(
        ("anpr.xml", "text/xml", xml.encode()),
        ("licensePlatePicture.jpg", "image/jpeg", plate),
        ("detectionPicture.jpg", "image/jpeg", scene),
    )


EAST = timezone(timedelta(hours=8))
"""The zone of the cameras that these bodies are of."""


def hikvision_at(at_ms: int, xml: str = HIKVISION, *, offset: bool = True) -> str:
    """The event at another time; without its offset it is the camera's local time."""
    text = datetime.fromtimestamp(at_ms / 1000, EAST).isoformat(timespec="milliseconds")
    return xml.replace("2026-11-18T10:50:00.250+08:00", text if offset else text.removesuffix("+08:00"))


def timeval(at_ms: int) -> dict[str, Any]:
    """The time of a 臻识 read."""
    return {"Timeval": {"sec": at_ms // 1000, "usec": at_ms % 1000 * 1000}}


DAHUA: dict[str, Any] = {
    "Code": "TrafficJunction",
    "Action": "Pulse",
    "EventID": 4711,
    "GroupID": 45103734,
    "Object": {"ObjectType": "Plate", "Confidence": 86, "Text": "沪A12345", "ObjectID": 7483},
    "Vehicle": {"ObjectType": "Vehicle", "Confidence": 12, "Text": "Audi"},
    "TrafficCar": {"PlateNumber": "沪A12345", "PlateColor": "Blue", "UTC": 1795028999, "Event": "TrafficJunction"},
    "RealUTC": 1795000199,
    "UTC": 1795028999,
    "UTCMS": 250,
    "TimeZone": 8,
}


def dahua(**changes: Any) -> dict[str, Any]:
    """The event with some words changed; `...` leaves a word out."""
    event = deepcopy(DAHUA)
    for name, value in changes.items():
        if value is ...:
            event.pop(name, None)
        else:
            event[name] = value
    return event


def dahua_at(at_ms: int, *, real: bool = True, **changes: Any) -> dict[str, Any]:
    """The event at another time; not `real`: it only counts the camera's local seconds."""
    local = at_ms // 1000 + 8 * 3600
    return dahua(**({"RealUTC": at_ms // 1000 if real else ..., "UTC": local, "UTCMS": at_ms % 1000} | changes))


def tollgate_at(at_ms: int) -> dict[str, Any]:
    """The form with one picture at another time."""
    said = deepcopy(TOLLGATE)
    text = datetime.fromtimestamp(at_ms / 1000, EAST).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    said["Picture"]["SnapInfo"]["AccurateTime"] = text
    return said


def coded(event: dict[str, Any], action: str = "Pulse") -> bytes:
    """The event as the stream writes it."""
    data = json.dumps(event, ensure_ascii=False, indent=3)
    return f"Code={event.get('Code')};action={action};index=0;data={data}".encode()


LINES = """Events[0].EventBaseInfo.Code=TrafficJunction
Events[0].EventBaseInfo.Action=Pulse
Events[0].EventBaseInfo.Index=0
Events[0].EventID=4711
Events[0].Object.BoundingBox[0]=3848
Events[0].Object.BoundingBox[1]=6128
Events[0].Object.Confidence=86
Events[0].Object.Text=沪A12345
Events[0].RealUTC=1795000199
Events[0].TrafficCar.PlateColor=Blue
Events[0].TrafficCar.PlateNumber=沪A12345
Events[0].UTC=1795028999
Events[0].UTCMS=250
Events[0].Vehicle.Confidence=12
""".replace("\n", "\r\n")

TOLLGATE: dict[str, Any] = {
    "Picture": {
        "Plate": {"PlateNumber": "沪A12345", "PlateColor": "Blue", "Confidence": 86, "IsExist": True},
        "SnapInfo": {"AccurateTime": "2026-11-18 18:49:59.250", "DeviceID": "cam-7", "Direction": "Obverse"},
        "Vehicle": {"VehicleColor": "Red"},
    }
}
