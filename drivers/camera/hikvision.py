"""Hikvision plate cameras: the multipart push of ISAPI with `anpr.xml` and its pictures. Pure.

Firmwares differ in the name space, in the case and spelling of tags, and send picture parts without a picture: tags are
known by their local names, and only what a decision needs is needed. The push is fire and forget: it is answered only
when the read is on disk. XML is a stranger's: no DOCTYPE, no entities, bounded in size, depth and number of elements.
Source: ISAPI's EventNotificationAlert as cameras send it (samples of several firmwares).
"""

from __future__ import annotations

from collections.abc import Mapping
from xml.parsers import expat

from drivers.camera.multipart import Part, parts_of
from drivers.camera.plates import BODY_LIMIT, Pushed, best_picture, jpeg, key_of, plate_text, share, written_moment
from drivers.errors import FrameError
from drivers.reports import PlateRead

XML_LIMIT = 256 * 1024
DEPTH_LIMIT = 24
ELEMENTS_LIMIT = 2_000
TEXT_LIMIT = 4_096

ROOT = "eventnotificationalert"
NAMESPACES = ("hikvision.com/", "isapi.org/", "std-cgi.com/", "std-cgi.org/", "psialliance.org/")
"""Hosts of the name spaces that firmwares use for the same words."""

_PLATE = ("licenseplate", "licenceplate", "liscenseplate", "licenesplate")
_CONFIDENCE = ("confidencelevel", "confidence", "confidenceleve", "confidencelevl")
"""Spellings that firmwares use, the right one first."""

ANSWER = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<ResponseStatus version="2.0">'
    b"<statusCode>1</statusCode><statusString>OK</statusString></ResponseStatus>\n"
)
"""What a push is answered with, whatever it was: the camera asks for no more than "200"."""


def parse(camera: str, body: bytes, content_type: str) -> Pushed:
    """What a camera pushed. Raises `FrameError` that says what is missing or wrong."""
    if len(body) > BODY_LIMIT:
        raise FrameError(f"a push of {len(body)} bytes, at most {BODY_LIMIT} are taken", body[:64])
    if not content_type.strip().lower().startswith("multipart/"):
        return _event(camera, words_of(body), [])
    parts = parts_of(body, content_type)
    texts = [part for part in parts if _is_xml(part)]
    if not texts:
        raise FrameError("no part with the event's XML")
    pictures = [part for part in parts if part not in texts]
    events = [_event(camera, words_of(part.content), pictures) for part in texts]
    reads = tuple(read for event in events for read in event.reads)
    return Pushed(reads=reads, heartbeat=not reads, clock=None if reads else events[0].clock)


def _is_xml(part: Part) -> bool:
    if part.kind in ("text/xml", "application/xml") or (part.filename or part.name).lower().endswith(".xml"):
        return True
    return not part.kind.startswith("image/") and part.content.lstrip()[:1] == b"<"


def _event(camera: str, words: Mapping[str, str], pictures: list[Part]) -> Pushed:
    kind = words.get("eventtype", "").lower()
    if not kind:
        raise FrameError("an event without eventType")
    at = words.get("datetime", "")
    moment = written_moment(at)
    plate = next((words[f"anpr/{tag}"] for tag in _PLATE if f"anpr/{tag}" in words), None)
    if kind not in ("anpr", "vehicledetection") or words.get("eventstate", "active").lower() == "inactive":
        # A sign of life ("videoloss", inactive), or an event of another kind.
        return Pushed(heartbeat=True, clock=moment)
    if plate is None:
        raise FrameError("an ANPR event without licensePlate")
    confidence = next((words[f"anpr/{tag}"] for tag in _CONFIDENCE if words.get(f"anpr/{tag}")), None)
    if confidence is None:
        raise FrameError("an ANPR event without confidenceLevel")
    key = words.get("uuid") or key_of(words.get("macaddress"), at, plate)
    read = PlateRead(
        camera=camera,
        plate=plate_text(plate),
        plate_id=key_of(key),
        confidence=share(_number(confidence)),
        colour=words.get("anpr/platecolor", "").lower()[:16],
        replayed=words.get("isdataretransmission", "").lower() == "true",
        seen_at=None if moment is None else moment.ms,
        local=moment is not None and moment.local,
        picture=_picture(pictures),
    )
    return Pushed(reads=(read,))


def _picture(parts: list[Part]) -> bytes | None:
    """The scene if it is there, otherwise the plate's cut-out; parts of length 0 are none."""
    named = [((part.filename or part.name).lower(), jpeg(part.content)) for part in parts]
    scenes = [picture for name, picture in named if "plate" not in name]
    cut_outs = [picture for name, picture in named if "plate" in name]
    return best_picture(*scenes, *cut_outs)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise FrameError(f"confidenceLevel is no number: {text[:20]}") from None


# --- XML


def words_of(xml: bytes) -> dict[str, str]:
    """Texts of an event by tag in lower case; those inside `ANPR` as `anpr/tag`. The first of equal tags counts.

    Raises `FrameError`.
    """
    if len(xml) > XML_LIMIT:
        raise FrameError(f"an XML of {len(xml)} bytes, at most {XML_LIMIT} are read", xml[:64])
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = reader.refuse
    parser.EntityDeclHandler = reader.refuse
    parser.ExternalEntityRefHandler = reader.refuse
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    try:
        parser.Parse(xml.strip(b"\x00 \t\r\n"), True)
    except expat.ExpatError as wrong:
        raise FrameError(f"not XML: {wrong}", xml[:64]) from None
    except (LookupError, ValueError) as wrong:  # an encoding that nobody knows
        raise FrameError(f"not XML: {wrong}", xml[:64]) from None
    return reader.words


class _Reader:
    """Takes what expat finds, within bounds."""

    def __init__(self) -> None:
        self.words: dict[str, str] = {}
        self._path: list[str] = []
        self._text: list[str] = []
        self._length = 0
        self._elements = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > ELEMENTS_LIMIT or len(self._path) >= DEPTH_LIMIT:
            raise FrameError("an XML of too many or too deeply nested elements")
        local = tag.rpartition(":")[2].lower()
        if not self._path:
            _check_root(local, attributes)
        self._path.append(local)
        self._text, self._length = [], 0

    def end(self, _tag: str) -> None:
        path, text = self._path, "".join(self._text).strip()
        if text and len(path) == 2:
            self.words.setdefault(path[1], text)
        elif text and len(path) == 3 and path[1] == "anpr":
            self.words.setdefault(f"anpr/{path[2]}", text)
        path.pop()
        self._text, self._length = [], 0

    def text(self, text: str) -> None:
        self._length += len(text)
        if self._length <= TEXT_LIMIT:
            self._text.append(text)

    def refuse(self, *_: object) -> int:
        raise FrameError("an XML with a DOCTYPE or an entity is not read")


def _check_root(root: str, attributes: Mapping[str, str]) -> None:
    if root != ROOT:
        raise FrameError(f"not an EventNotificationAlert but {root[:40]}")
    for name, space in attributes.items():
        if name == "xmlns" or name.startswith("xmlns:"):
            host = space.removeprefix("http://").removeprefix("https://").removeprefix("www.")
            if name == "xmlns" and not host.startswith(NAMESPACES):
                raise FrameError(f"an EventNotificationAlert of a foreign name space {space[:60]}")
