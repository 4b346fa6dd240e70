"""What a site is sent by mistake or in malice: nothing of it is believed, all of it is counted, nothing stops."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import httpx
import msgspec
import paho.mqtt.client
import paho.mqtt.publish

from contract import topics, wire
from contract.commands import Command, Person
from contract.events import GENESIS, Batch, Event, chain
from contract.instants import instant
from drivers.camera.plates import BODY_LIMIT
from tests.journeys.running import RESIDENT_CARD, RESIDENT_PLATE, Demo, eventually
from tests.journeys.traffic import assert_hub_holds_the_journal, decisions, present_each

# --- MQTT devices

CO = "garage/co-1/state"

PAYLOADS: dict[str, bytes] = {
    "no JSON": b"{co: 12",
    "cut short": b'{"co": 12.',
    "no UTF-8": b'{"co": "\xff\xfe"}',
    "zero bytes": b"\x00" * 100,
    "huge": b'{"co": 99' + b" " * 900_000 + b"}",
    "deep": b"[" * 100_000,
    "a text": b'{"co": "high"}',
    "a flag": b'{"co": true}',
    "a list": b'{"co": [99]}',
    "an object": b'{"co": {"value": 99}}',
    "infinite": b'{"co": 1e999}',
    "no number": b'{"co": NaN}',
    "another name": b'{"ppm": 99}',
    "nothing": b"",
}


def test_what_mqtt_devices_send_wrong_never_becomes_a_reading(demo: Demo) -> None:
    hub = demo.hub("maintenance")
    demo.sim.post("/sim/points/garage-co/co", {"value": 12.5})
    try:
        eventually(lambda: point(demo, "garage-co.co") == (12.5, "good"), within_s=40)
        began, refused, before = time.time(), counted(demo, "garage-co"), hub.last_id()
        sent = [(CO, payload, 1, False) for payload in PAYLOADS.values()]
        sent.append(("garage/co-1/availability", b"perhaps", 1, False))
        publish(demo, "site_broker", "simulators", "simulators/site-broker.password", sent)
        eventually(lambda: counted(demo, "garage-co") == refused + len(sent))
        assert point(demo, "garage-co.co") == (12.5, "good")
        assert not [e for e in hub.events(after=before, kind="device.lost") if e["source"] == "garage-co"]
        # The bus goes on: the next honest word is taken.
        demo.sim.post("/sim/points/garage-co/co", {"value": 14.5})
        eventually(lambda: point(demo, "garage-co.co") == (14.5, "good"), within_s=40)
        query = {"from": int(began * 1000), "to": int(time.time() * 1000) + 1000}
        rows = hub.get("/api/readings", site="demo", point="garage-co.co", **query)["items"]
        assert {row["value"] for row in rows} <= {12.5, 14.5}
    finally:
        demo.sim.post("/sim/points/garage-co/co", {"value": None})


# --- The hub's broker


def test_a_stranger_with_the_gateways_password(demo: Demo) -> None:
    """Somebody speaks to the hub in the gateway's name, and to the gateway in the hub's."""
    hub = demo.hub("manager")
    demo.synced()
    before = hub.last_id()
    stream, seq, _ = demo.journal()[-1]
    gateway = demo.info["gateway"]
    up = topics.up("s1", gateway, "events")
    now = instant(int(time.time() * 1000))
    command = Command(
        id="00000000-0000-4000-8000-00000000fa1e",
        kind="door.unlock",
        target="lobby-a",
        by=Person(id="x", name="x", role="admin"),
        reason="forged",
        issued_at=now,
        expires_at=instant(int(time.time() * 1000) + 60_000),
    )
    good = wire.encode(forged(stream, seq + 1))
    sent = [
        (up, b"\xff\xfe not JSON", 1, False),
        (up, b"x" * 900_000, 1, False),
        (up, wire.encode(forged("e" * 32, 1)).replace(b'"v":1', b'"v":7'), 1, False),
        (up, wire.encode(forged(stream, 1)), 1, False),
        (up, wire.encode(forged(stream, seq + 50)), 1, False),
        (topics.up("s1", gateway, "telemetry"), b'{"v":1,"store":7}', 1, False),
        (topics.up("s1", gateway, "presence"), b"[]", 1, False),
        (topics.up("s1", gateway, "pictures"), b"\xff\xd8\xff", 1, False),
        (topics.up("s1", "another-gw", "events"), good, 1, False),
        (topics.down(gateway, "command"), wire.encode(command), 1, False),
        (topics.down(gateway, "desired"), b'{"v":1,"form":"snapshot","revision":999999,"items":[]}', 1, False),
    ]
    publish(demo, "broker", gateway, "gateway/uplink.password", sent)
    refused = eventually(lambda: hub.events(after=before, kind="batch.refused"))
    assert {event["data"]["gateway"] for event in refused} == {gateway}
    marks = [f"04D4000000{number:04X}" for number in range(10)]
    present_each(demo, marks)
    demo.synced()
    seen = [event["data"]["credential"]["value"] for event in hub.events(after=before, kind="access.denied")]
    assert seen == marks
    # No forged event is held, no stream was forked for it, and no forged command was carried out.
    assert demo.journal()[-1][0] == stream
    assert_hub_holds_the_journal(demo)
    mine = [event for event in hub.events(after=before) if event["gateway"] == gateway]
    assert not [event for event in mine if event["data"].get("by") == "nobody"]
    assert not [event["kind"] for event in mine if event["kind"].startswith(("command.", "door.", "desired."))]
    assert [item["id"] for item in hub.get("/api/gateways")["items"]] == [gateway]


def forged(stream: str, seq: int) -> Batch:
    """An event that never happened."""
    event = Event(
        seq=seq,
        at=instant(int(time.time() * 1000)),
        kind="door.opened",
        source="lobby-a",
        data=msgspec.Raw(b'{"by":"nobody"}'),
    )
    [head] = chain(GENESIS, [event])
    return Batch(stream=stream, first_seq=seq, prev=GENESIS, head=head, events=(event,))


# --- Serial lines


def test_a_reader_on_a_line_full_of_noise(demo: Demo) -> None:
    hub = demo.hub()
    before, refused = hub.last_id(), counted(demo, "garage-in")
    try:
        demo.sim.post("/sim/faults", {"device": "garage-in", "fault": "noise"})
        eventually(lambda: counted(demo, "garage-in") > refused + 5, within_s=30)
        demo.sim.client.delete("/sim/faults")
        # What noise has left unfinished is forgotten after a silence.
        time.sleep(1)
        refused = counted(demo, "garage-in")
        demo.sim.post("/sim/faults", {"device": "garage-in", "fault": "corrupt"})
        present_each(demo, [RESIDENT_CARD, RESIDENT_CARD], "garage-in")
        eventually(lambda: counted(demo, "garage-in") == refused + 2)
    finally:
        demo.sim.client.delete("/sim/faults")
    present_each(demo, [RESIDENT_CARD], "garage-in")
    eventually(lambda: decided_at(demo, "garage", before))
    assert decided_at(demo, "garage", before) == [RESIDENT_CARD]
    wires = {event["source"] for event in hub.events(after=before, kind="input.refused")}
    assert wires <= {"garage-in", "garage-in-line"}


HELD = {"head": 1.5, "flow": 7.7, "speed": 1500.0, "frequency": 40.0, "current": 3.0, "power": 900.0}
"""What both pumps are held at, so that every other value is a wrong one."""


def test_machines_on_a_line_full_of_noise(demo: Demo) -> None:
    hub = demo.hub("maintenance")
    points = {f"{pump}.{name}": value for pump in ("pump-1", "pump-2") for name, value in HELD.items()}

    def as_held() -> bool:
        return all(near(point(demo, id), value) for id, value in points.items())

    try:
        hold(demo, points)
        eventually(as_held, within_s=40)
        began, spoilt = time.time(), unread(demo, "plant-line")
        demo.sim.post("/sim/faults", {"device": "pump-1", "fault": "noise"})
        time.sleep(6)
        demo.sim.client.delete("/sim/faults")
        assert unread(demo, "plant-line") > spoilt
        eventually(as_held, within_s=60)
        query = {"from": int(began * 1000), "to": int(time.time() * 1000) + 1000}
        for id, value in points.items():
            rows = hub.get("/api/readings", site="demo", point=id, **query)["items"]
            assert all(row["value"] is None or abs(row["value"] - value) < 0.06 for row in rows), (id, rows)
    finally:
        demo.sim.client.delete("/sim/faults")
        hold(demo, dict.fromkeys(points))


def hold(demo: Demo, points: Mapping[str, float | None]) -> None:
    """Overrides the physics of points until None is given."""
    for id, value in points.items():
        demo.sim.post(f"/sim/points/{id.replace('.', '/')}", {"value": value})


# --- Cameras


def plate(**changes: Any) -> bytes:
    result = {"license": "沪A12345", "confidence": 96, "plateid": 1, "colorType": 1} | changes
    return json.dumps({"AlarmInfoPlate": {"result": {"PlateResult": result}, "serialno": "x"}}).encode()


PUSHES: dict[str, bytes] = {
    "no JSON": b"AlarmInfoPlate=\xff",
    "nothing": b"",
    "no plate": plate().replace(b'"license"', b'"licence"'),
    "no result": b'{"AlarmInfoPlate": {}}',
    "wrong types": plate(license=["a"], confidence="high"),
    "too much": plate(imageFile="A" * BODY_LIMIT),
}


def test_odd_pushes_of_a_camera_are_answered_and_lift_nothing(demo: Demo) -> None:
    hub = demo.hub()
    before, refused = hub.last_id(), counted(demo, "gate-in-cam")
    with httpx.Client(base_url=demo.info["push_url"], timeout=15) as camera:
        for what, body in PUSHES.items():
            answer = camera.post("/push/gate-in-cam", content=body, headers={"Content-Type": "application/json"})
            assert answer.status_code == 200, what
            said = answer.json()["Response_AlarmInfoPlate"]
            assert (said["info"], said["content"]) == ("no", "retransfer_stop"), what
        assert camera.post("/push/pump-1", content=plate()).status_code == 404
    assert counted(demo, "gate-in-cam") == refused + len(PUSHES)
    assert decisions(demo, before) == 0
    # The camera's next honest read is taken: with the fault `missing` it is not, without it the barrier lifts.
    demo.sim.post("/sim/faults", {"device": "gate-in-cam", "fault": "missing"})
    try:
        demo.sim.post("/sim/lanes/gate-in/drive-up", {"plate": "浙C00001"})
        eventually(lambda: counted(demo, "gate-in-cam") > refused + len(PUSHES))
    finally:
        demo.sim.client.delete("/sim/faults")
    demo.sim.post("/sim/lanes/gate-in/drive-up", {"plate": RESIDENT_PLATE})
    granted = eventually(lambda: hub.events(after=before, kind="access.granted"))
    assert [event["data"]["credential"]["value"] for event in granted] == [RESIDENT_PLATE]
    eventually(lambda: demo.sim.get("/sim/devices")["lanes"]["gate-in"]["barrier"] == "down", within_s=40)


# --- How it is sent and seen


def publish(demo: Demo, broker: str, user: str, password_file: str, sent: list[tuple[str, bytes, int, bool]]) -> None:
    """Publishes (topic, payload, qos, retain), each acknowledged by the broker."""
    host, _, port = demo.info[broker].removeprefix("mqtt://").partition(":")
    password = (demo.data / password_file).read_text().strip()
    paho.mqtt.publish.multiple(
        list(sent),
        hostname=host,
        port=int(port),
        auth={"username": user, "password": password},
        protocol=paho.mqtt.client.MQTTv311,
    )


def point(demo: Demo, name: str) -> tuple[Any, str]:
    """(value, quality) of a point at the hub; (None, "") while the hub has not heard of it."""
    items = demo.hub("maintenance").get("/api/points", site="demo")["items"]
    found: dict[str, Any] = next((item for item in items if item["id"] == name), {"value": None, "quality": ""})
    return found["value"], str(found["quality"])


def decided_at(demo: Demo, place: str, after: int) -> list[str]:
    """The credentials that were decided on at a door."""
    events = [event for event in demo.hub("manager").events(after=after) if event["source"] == place]
    return [e["data"]["credential"]["value"] for e in events if e["kind"].startswith("access.")]


def near(found: tuple[Any, str], value: float) -> bool:
    return found[1] == "good" and abs(found[0] - value) < 0.06


def counted(demo: Demo, name: str) -> int:
    """How much input the gateway has refused on one wire."""
    return metric(demo, "gatehouse_gateway_inputs_refused_total", wire=name)


def unread(demo: Demo, bus: str) -> int:
    """How many questions on a wire got no answer that can be believed."""
    return sum(metric(demo, f"gatehouse_gateway_bus_{name}_total", bus=bus) for name in ("timeouts", "refused"))


def metric(demo: Demo, name: str, **labels: str) -> int:
    """One figure of the gateway's; 0 if it has never been counted."""
    (label, value) = next(iter(labels.items()))
    start = f'{name}{{{label}="{value}"}} '
    lines = demo.gateway().client.get("/metrics").text.splitlines()
    return next((int(float(line.removeprefix(start))) for line in lines if line.startswith(start)), 0)
