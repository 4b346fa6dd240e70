"""Hikvision's push: what is read of it, what firmwares do to it, and what is never read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.limits import PICTURE_LIMIT
from drivers.camera.hikvision import ANSWER, DEPTH_LIMIT, ELEMENTS_LIMIT, XML_LIMIT, parse, words_of
from drivers.camera.multipart import parts_of
from drivers.camera.plates import BODY_LIMIT, Moment, Pushed
from drivers.errors import FrameError
from drivers.reports import PlateRead
from tests.drivers.camera_bodies import CUT_OUT, HEARTBEAT_XML, HIKVISION, HIKVISION_TYPE, JPEG, hikvision, multipart

READ = PlateRead(
    camera="cam",
    plate="沪A12345",
    plate_id="8e6f7d1c-0001-0002-0003-000000000004",
    confidence=0.97,
    colour="blue",
    seen_at=1_794_970_200_250,  # 2026-11-18 02:50:00.250 UTC
    picture=JPEG,
)


def read(body: bytes, kind: str = HIKVISION_TYPE) -> PlateRead:
    [said] = parse("cam", body, kind).reads
    return said


def test_a_read_with_its_pictures() -> None:
    assert read(hikvision()) == READ


@pytest.mark.parametrize(
    "space",
    [
        ' xmlns="http://www.isapi.org/ver20/XMLSchema"',
        ' xmlns="http://www.std-cgi.com/ver20/XMLSchema"',
        ' xmlns="http://www.psialliance.org/XMLSchema"',
        "",
    ],
)
def test_the_other_name_spaces(space: str) -> None:
    xml = HIKVISION.replace(' xmlns="http://www.hikvision.com/ver20/XMLSchema"', space)
    assert read(hikvision(xml)).plate == "沪A12345"


def test_tags_with_a_prefix() -> None:
    xml = (
        '<h:EventNotificationAlert xmlns:h="http://www.hikvision.com/ver20/XMLSchema"><h:eventType>ANPR</h:eventType>'
        "<h:ANPR><h:licensePlate>ABC123</h:licensePlate><h:confidenceLevel>80</h:confidenceLevel></h:ANPR>"
        "</h:EventNotificationAlert>"
    )
    assert (read(xml.encode(), "application/xml").plate, read(xml.encode(), "text/xml").confidence) == ("ABC123", 0.8)


# what a firmware writes otherwise → what changes of the read
OTHERWISE = [
    ("vehicleInfo", "vehileInfo", {}),
    ("licensePlate>", "LicensePlate>", {}),
    ("confidenceLevel", "confidencelevel", {}),
    ("<eventType>ANPR", "<eventType>anpr", {}),
    ("<confidenceLevel>97", "<confidenceLevel>250", {"confidence": 1.0}),
    ("<licensePlate>沪A12345", "<licensePlate>unknown", {"plate": ""}),
    ("<licensePlate>沪A12345", "<licensePlate>noPlate", {"plate": ""}),
    ("<licensePlate>沪A12345", "<licensePlate> 沪a 12345 ", {}),
    # Without its offset it is the camera's local time, counted as if it were UTC.
    ("2026-11-18T10:50:00.250+08:00", "2026-11-18T10:50:00", {"seen_at": 1_794_999_000_000, "local": True}),
    ("2026-11-18T10:50:00.250+08:00", "2026-11-18T02:50:00.250Z", {}),
    ("2026-11-18T10:50:00.250+08:00", "20261118T105000+0800", {"seen_at": 1_794_970_200_000}),
    ("2026-11-18T10:50:00.250+08:00", "yesterday", {"seen_at": None}),
    ("2026-11-18T10:50:00.250+08:00", "0001-01-01T00:00:00+14:00", {"seen_at": None}),
    ("2026-11-18T10:50:00.250+08:00", "9999-12-31T23:59:59-14:00", {"seen_at": None}),
    ("<picNum>2</picNum>", "<isDataRetransmission>true</isDataRetransmission>", {"replayed": True}),
]


@pytest.mark.parametrize(("old", "new", "change"), OTHERWISE)
def test_what_firmwares_write_otherwise(old: str, new: str, change: dict[str, object]) -> None:
    assert old in HIKVISION
    usual, said = read(hikvision()), read(hikvision(HIKVISION.replace(old, new)))
    for name in PlateRead.__slots__:
        assert getattr(said, name) == change.get(name, getattr(usual, name)), name


def test_without_a_uuid_the_same_push_still_has_the_same_key() -> None:
    bare = HIKVISION.replace("<UUID>8e6f7d1c-0001-0002-0003-000000000004</UUID>", "")
    one, again = read(hikvision(bare)), read(hikvision(bare))
    later = read(hikvision(bare.replace("10:50:00.250", "10:50:09.000")))
    assert one.plate_id == again.plate_id != later.plate_id


@pytest.mark.parametrize(
    ("scene", "plate", "kept"),
    [
        (JPEG, CUT_OUT, JPEG),
        (b"", CUT_OUT, CUT_OUT),
        (b"", b"", None),
        (b"GIF89a", CUT_OUT, CUT_OUT),
        (JPEG + b"x" * PICTURE_LIMIT, CUT_OUT, CUT_OUT),
    ],
)
def test_which_picture_is_kept(scene: bytes, plate: bytes, kept: bytes | None) -> None:
    assert read(hikvision(scene=scene, plate=plate)).picture == kept


@pytest.mark.parametrize("eol", [b"\r\n", b"\n"])
def test_a_picture_is_never_touched(eol: bytes) -> None:
    tricky = b"\xff\xd8\xff" + bytes(range(256)) * 3 + b"\r\n--\r\n\n"
    body = multipart(
        ("anpr.xml", "text/xml", HIKVISION.encode()), ("detectionPicture.jpg", "image/jpeg", tricky), eol=eol
    )
    assert read(body).picture == tricky


def test_signs_of_life_and_other_events() -> None:
    beat = Pushed(heartbeat=True, clock=Moment(1_794_970_200_000))
    assert parse("cam", HEARTBEAT_XML.encode(), "application/xml") == beat
    body = multipart(("videoloss.xml", "text/xml", HEARTBEAT_XML.encode()))
    assert parse("cam", body, HIKVISION_TYPE) == beat
    other = HIKVISION.replace("<eventType>ANPR", "<eventType>VMD")
    assert parse("cam", hikvision(other), HIKVISION_TYPE) == Pushed(heartbeat=True, clock=Moment(1_794_970_200_250))
    timeless = HEARTBEAT_XML.replace("2026-11-18T10:50:00+08:00", "")
    assert parse("cam", timeless.encode(), "application/xml") == Pushed(heartbeat=True)
    over = HIKVISION.replace("<eventState>active", "<eventState>inactive")
    assert parse("cam", hikvision(over), HIKVISION_TYPE).reads == ()


BOMB = (
    '<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;">]>'
    "<EventNotificationAlert><eventType>&lol2;</eventType></EventNotificationAlert>"
)
OUTSIDE = '<!DOCTYPE a SYSTEM "file:///etc/passwd"><EventNotificationAlert/>'


def xml_body(xml: str) -> bytes:
    return hikvision(xml)


WRONG: list[tuple[bytes, str, str]] = [
    (b"", HIKVISION_TYPE, "boundary"),
    (b"", "text/xml", "not XML"),
    (b"", "multipart/form-data", "without a boundary"),
    (hikvision()[:900], HIKVISION_TYPE, "breaks off"),
    (
        hikvision().replace(b"anpr.xml", b"anpr.txt").replace(b"text/xml", b"text/csv").replace(b"<?xml", b"?xml"),
        HIKVISION_TYPE,
        "no part",
    ),
    (xml_body(HIKVISION[:700]), HIKVISION_TYPE, "not XML"),
    (xml_body(HIKVISION.replace("<licensePlate>沪A12345</licensePlate>", "")), HIKVISION_TYPE, "licensePlate"),
    (xml_body(HIKVISION.replace("<confidenceLevel>97</confidenceLevel>", "")), HIKVISION_TYPE, "confidenceLevel"),
    (xml_body(HIKVISION.replace(">97<", ">high<")), HIKVISION_TYPE, "no number"),
    (xml_body(HIKVISION.replace("hikvision.com", "example.org")), HIKVISION_TYPE, "foreign name space"),
    (xml_body(HIKVISION.replace("EventNotificationAlert", "ResponseStatus")), HIKVISION_TYPE, "not an Event"),
    (xml_body(HIKVISION.replace("<eventType>ANPR</eventType>", "")), HIKVISION_TYPE, "without eventType"),
    (xml_body(BOMB), HIKVISION_TYPE, "DOCTYPE"),
    (xml_body(OUTSIDE), HIKVISION_TYPE, "DOCTYPE"),
    (xml_body("<EventNotificationAlert>" + "<a>" * DEPTH_LIMIT), HIKVISION_TYPE, "deeply"),
    (xml_body("<EventNotificationAlert>" + "<a/>" * ELEMENTS_LIMIT), HIKVISION_TYPE, "too many"),
    (xml_body(HIKVISION + " " * XML_LIMIT), HIKVISION_TYPE, "at most"),
    (xml_body('<?xml version="1.0" encoding="nonsense"?><EventNotificationAlert/>'), HIKVISION_TYPE, "not XML"),
    (b" " * (BODY_LIMIT + 1), HIKVISION_TYPE, "at most"),
    (multipart(*[("a.jpg", "image/jpeg", b"")] * 40), HIKVISION_TYPE, "more than"),
    (f"--{HIKVISION_TYPE[30:]}".encode(), HIKVISION_TYPE, "blank line"),
]


@pytest.mark.parametrize(("body", "kind", "why"), WRONG, ids=[str(n) for n in range(len(WRONG))])
def test_wrong_pushes_say_what_is_wrong(body: bytes, kind: str, why: str) -> None:
    with pytest.raises(FrameError, match=why):
        parse("cam", body, kind)


def test_the_answer_is_well_formed() -> None:
    with pytest.raises(FrameError, match="not an EventNotificationAlert but responsestatus"):
        words_of(ANSWER)


@given(st.binary(max_size=400), st.sampled_from([HIKVISION_TYPE, "text/xml", "multipart/form-data; boundary=x", ""]))
def test_any_body_is_read_or_refused(body: bytes, kind: str) -> None:
    try:
        said = parse("cam", body, kind)
    except FrameError:
        return
    assert isinstance(said, Pushed)


@given(st.lists(st.binary(max_size=60).filter(lambda part: b"--x" not in part), max_size=5))
def test_parts_come_back_as_they_were(contents: list[bytes]) -> None:
    body = multipart(*[("f", "image/jpeg", content) for content in contents], boundary="x")
    if contents:
        assert [part.content for part in parts_of(body, "multipart/form-data; boundary=x")] == contents
