"""臻识 pushes: the vendor's own example, what may be missing, what may not, and the answer that always has its form."""

from __future__ import annotations

import asyncio
import base64
import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.bus import CommandFailed
from drivers.camera.plates import BODY_LIMIT, DECODED_LIMIT, Pushed
from drivers.camera.push.bus import PushBus
from drivers.camera.zhenshi import answer, parse
from drivers.errors import FrameError
from drivers.profiles.files import load
from drivers.reports import DeviceFound, DeviceLost, InputRefused, PlateRead
from tests.drivers.sinks import Heard

JPEG = b"\xff\xd8\xff\xe0 not much of a picture"
EXAMPLE: dict[str, Any] = {
    "AlarmInfoPlate": {
        "channel": 0,
        "deviceName": "R5-V1.0",
        "ipaddr": "192.168.55.131",
        "result": {
            "PlateResult": {
                "colorType": 4,
                "confidence": 96,
                "direction": 0,
                "imageFile": base64.b64encode(JPEG).decode(),
                "imageFragmentFile": "",
                "isoffline": 0,
                "is_fake_plate": 0,
                "license": "粤Z9065澳",
                "plateid": 21085,
                "location": {"RECT": {"left": 1, "top": 2, "right": 3, "bottom": 4}},
                "timeStamp": {"Timeval": {"decyear": 2023, "sec": 1686299994, "usec": 687772}},
                "triggerType": 4,
                "type": 14,
                "gioouts": [{"ctrltype": 0, "ionum": "0"}],
            }
        },
        "serialno": "fe71e106-57263272",
    }
}


def push(**changes: Any) -> bytes:
    document = deepcopy(EXAMPLE)
    plate = document["AlarmInfoPlate"]["result"]["PlateResult"]
    for key, value in changes.items():
        if value is ...:
            del plate[key]
        else:
            plate[key] = value
    return json.dumps(document).encode()


def read(body: bytes) -> PlateRead:
    [said] = parse("cam", body).reads
    return said


def test_the_vendors_example() -> None:
    assert read(push()) == PlateRead(
        camera="cam",
        plate="粤Z9065澳",
        plate_id="fe71e106-57263272-21085-1686299994",
        confidence=0.96,
        colour="black",
        replayed=False,
        seen_at=1686299994687,
        picture=JPEG,
    )


def test_what_was_stored_while_cut_off_is_marked() -> None:
    assert read(push(isoffline=1)).replayed


def test_nothing_that_cannot_be_printed_gets_into_the_record() -> None:
    body = push(license="沪A\x00123\x1b[31m45\u202e", plateid=7).replace(b"fe71e106", b"fe\\u0000")
    [read] = parse("cam", body).reads
    assert read.plate == "沪A123[31M45"
    assert read.plate_id == "fe-57263272-7-1686299994"


def test_no_plate() -> None:
    assert read(push(license="_无_")).plate == ""


def test_a_plate_is_written_in_one_way() -> None:
    assert read(push(license=" 沪a 12345 ")).plate == "沪A12345"


def test_a_number_written_as_text_is_taken() -> None:
    said = read(push(confidence="88", plateid="7", isoffline="1"))
    assert (said.confidence, said.replayed) == (0.88, True)


def test_the_same_push_again_has_the_same_key_and_another_has_not() -> None:
    keys = {read(push()).plate_id, read(push(imageFile="")).plate_id}
    assert len(keys) == 1
    assert read(push(plateid=21086)).plate_id not in keys
    assert read(push(timeStamp={"Timeval": {"sec": 1686300000}})).plate_id not in keys


@pytest.mark.parametrize(
    "picture", ["", "not base64!", base64.b64encode(b"GIF89a").decode(), "A" * (DECODED_LIMIT * 4 // 3 + 8)]
)
def test_a_bad_picture_does_not_cost_the_read(picture: str) -> None:
    said = read(push(imageFile=picture))
    assert said.picture is None
    assert said.plate == "粤Z9065澳"


def test_what_may_be_missing() -> None:
    said = read(push(colorType=..., isoffline=..., timeStamp=..., imageFile=..., location=..., type=...))
    assert (said.colour, said.replayed, said.seen_at, said.picture) == ("", False, None, None)


def test_what_may_not_be_missing() -> None:
    with pytest.raises(FrameError, match="license"):
        parse("cam", push(license=...))


def test_what_only_serves_book_keeping_costs_no_read() -> None:
    said = read(push(plateid=...))
    assert (said.plate, said.confidence, said.seen_at) == ("粤Z9065澳", 0.96, 1686299994687)
    # It is told from others all the same.
    keys = {read(push(plateid=..., timeStamp={"Timeval": {"sec": 1686299994, "usec": n}})).plate_id for n in (1, 2)}
    assert len(keys | {said.plate_id, read(push(plateid=..., license="沪A12345")).plate_id}) == 4
    assert read(push(plateid=..., imageFile="")).plate_id == said.plate_id
    # A read that does not say how sure it is is no sure one.
    assert read(push(confidence=...)).confidence == 0


@pytest.mark.parametrize(
    ("sec", "seen_at"),
    [(1686299994, 1686299994687), (1686299994000, 1686299994687), (0, None), (-1, None), (1 << 60, None)],
)
def test_the_time_of_a_read_in_seconds_or_milliseconds(sec: int, seen_at: int | None) -> None:
    said = read(push(timeStamp={"Timeval": {"sec": sec, "usec": 687772}}))
    assert (said.seen_at, said.local) == (seen_at, False)


WRONG: list[tuple[bytes, str]] = [
    (b"", "not an AlarmInfoPlate"),
    (b"{}", "neither AlarmInfoPlate nor a heartbeat"),
    (b"[]", "not an AlarmInfoPlate"),
    (b"\xff\xfe", "not an AlarmInfoPlate"),
    (b"[" * 100000, "not an AlarmInfoPlate"),
    (b'{"AlarmInfoPlate": {"result": {}}}', "PlateResult"),
    (push(license=None), "license"),
    (push(confidence="high"), "confidence"),
    (b" " * (BODY_LIMIT + 1), "at most"),
]


@pytest.mark.parametrize(("body", "why"), WRONG, ids=[why for _, why in WRONG])
def test_wrong_pushes_say_what_is_wrong(body: bytes, why: str) -> None:
    with pytest.raises(FrameError, match=why):
        parse("cam", body)


@given(st.binary(max_size=300), st.sampled_from(["application/json", "multipart/form-data; boundary=x", "", "a/b"]))
def test_any_body_is_read_or_refused(body: bytes, content_type: str) -> None:
    try:
        said = parse("cam", body, content_type)
    except FrameError:
        return
    assert isinstance(said, Pushed)


FORM = (
    b'--x\r\nContent-Disposition: form-data; name="device_name"\r\n\r\nR5\r\n'
    b'--x\r\nContent-Disposition: form-data; name="serialno"\r\n\r\nfe71e106\r\n--x--\r\n'
)


def test_heartbeats() -> None:
    assert parse("cam", FORM, "multipart/form-data; boundary=x") == Pushed(heartbeat=True)
    form = b"device_name=R5&serialno=fe71e106"
    assert parse("cam", form, "application/x-www-form-urlencoded") == Pushed(heartbeat=True)
    with pytest.raises(FrameError, match="no heartbeat"):
        parse("cam", b"a=1", "application/x-www-form-urlencoded")


def test_the_answer_always_has_its_form() -> None:
    for lift, info in ((True, "ok"), (False, "no")):
        said = answer(lift)["Response_AlarmInfoPlate"]
        assert said["info"] == info
        assert said["content"] == "retransfer_stop"


# --- Who has been heard


async def test_a_camera_is_found_when_it_pushes_and_lost_when_it_is_silent() -> None:
    heard = Heard()
    profile = load("zhenshi_plate_camera")
    quick = type(profile)(**{name: getattr(profile, name) for name in profile.__slots__} | {"silent_s": 0.05})
    bus = PushBus("cameras", {"cam": quick}, sink=heard, clock=lambda: 0)
    task = asyncio.create_task(bus.run())
    assert bus.receive("cam", push(), "application/json").reads
    assert heard.reports == [DeviceFound("cam")]
    assert bus.online("cam")
    await heard.until(lambda: heard.of(DeviceLost))
    assert not bus.online("cam")
    with pytest.raises(FrameError):
        bus.receive("cam", b"{}", "application/json")
    assert heard.of(DeviceFound) == [DeviceFound("cam")] * 2
    assert heard.of(InputRefused)[0].wire == "cam"
    assert bus.health.refused == 1
    with pytest.raises(CommandFailed):
        await bus.pulse("cam", "gate", 0.5, within_s=1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
