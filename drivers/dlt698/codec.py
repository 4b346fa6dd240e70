"""DL/T 698.45-2017: frames, and the readings in them, coded by the package dlt698 behind this one door. Pure.

`68 L C SA CA HCS APDU FCS 16`: L (14 bits, low byte first) counts from itself to FCS; SA: six bytes of address, lowest
byte first; HCS and FCS are CRC-16 of what is between 68 and them. A value is an attribute of an object: OAD is object,
attribute and element (`20000201`: voltages, first phase). PIID numbers requests and comes back in the answer.
Only plain reading is spoken here; answers in several frames or blocks, or with security, are refused.
Source: DL/T 698.45-2017, sections 5 (link), 6.3 (services), annex D (DAR).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from dlt698.codec import Frame as CodedFrame
from dlt698.codec import crc16, decode_apdu, decode_frame, encode_apdu, encode_frame
from dlt698.common.errors import Dlt698Error
from dlt698.model import Data, DataType, Oad
from dlt698.protocol.apdu import AttributeResult, ErrorResponse, GetRequest, GetResponse
from dlt698.protocol.link import AddressType, ServerAddress

from contract.texts import Text
from drivers.errors import FrameError
from drivers.meters.framing import Frames

START, END, WAKE = 0x68, 0x16, 0xFE
FRAME_LIMIT = 1000
"""Bytes of the longest frame that is taken."""

REQUEST, ANSWER = 0x43, 0xC3
"""Control: user data of the client that opens, and of the server that answers (section 5.1.3)."""

CLIENT = 0x10
"""Our address as a client; it comes back in the answer."""

ANYBODY = "A" * 12
"""The address that every meter has: for a line with one meter only."""

PIIDS = 64
ADDRESS_OAD = 0x40010200
"""The meter's address on its line."""

FROM_METER = 0x80
"""The bit of the control byte of whatever a meter sends."""

_PIECE = 0x20
"""The bit of the control byte of a frame that is a piece of an answer."""

REFUSALS: dict[int, Text] = {
    1: Text("硬件失效", "hardware fault"),
    2: Text("暂时失效", "temporarily out of order"),
    3: Text("拒绝读写", "access is denied"),
    4: Text("对象未定义", "it does not have this object"),
}
"""Why an object is not told (DAR, annex D)."""

REFUSED = Text("表计拒绝了请求", "the meter refuses")

Value = int | str | bytes | None
"""A plain value: a number, a text, octets; None: null, or a type that is not read."""

Result = Value | list[Value]


class Frame(NamedTuple):
    """A frame. `address`: 12 digits as printed on the meter (or AA…); `client`: who asked; `apdu`: what it carries."""

    address: str
    control: int
    client: int
    apdu: bytes


class Answer(NamedTuple):
    """An answer to a reading. `results`: what each OAD holds; a `Text` where the meter says why it tells nothing.

    `refusal`: it refuses the request altogether.
    """

    piid: int
    results: dict[int, Result | Text]
    refusal: Text | None = None


def frame(address: str, control: int, apdu: bytes, wake: int = 4) -> bytes:
    """The bytes of a frame, after `wake` wake-up bytes. Raises `ValueError` for an address that is none."""
    if address != ANYBODY and not (address.isascii() and address.isdecimal() and len(address) <= 12):
        raise ValueError(f"{address!r:.40} is no address of 12 digits")
    kind = AddressType.wildcard if address == ANYBODY else AddressType.single
    server = ServerAddress(bytes=bytes.fromhex(address.zfill(12))[::-1], logical=0, type=kind)
    coded = CodedFrame(client=CLIENT, control=control, payload=apdu, server=server)
    return bytes((WAKE,)) * wake + encode_frame(coded)


def cut(held: bytes, at: int) -> int | None:
    """`drivers.meters.framing.Cut` of this protocol."""
    if len(held) < at + 5:
        return None
    size = (held[at + 1] | held[at + 2] << 8) + 2
    head = at + 6 + (held[at + 4] & 0x0F) + 1  # where HCS is: after L, C, SA and CA
    if size > FRAME_LIMIT or at + size < head + 5:
        return 0
    if len(held) < head + 2:
        return None
    if crc16(held[at + 1 : head]) != int.from_bytes(held[head : head + 2], "little"):
        return 0
    if len(held) < at + size:
        return None
    sound = crc16(held[at + 1 : at + size - 3]) == int.from_bytes(held[at + size - 3 : at + size - 1], "little")
    if not sound or held[at + size - 1] != END:
        raise FrameError("a DL/T 698.45 frame with a wrong sum or end", held[at : at + size])
    return size


def frames() -> Frames:
    """A finder of these frames."""
    return Frames(cut)


def parse(raw: bytes) -> Frame:
    """One whole frame without wake-up bytes. Raises `FrameError`."""
    try:
        found = decode_frame(raw)
    except Dlt698Error as wrong:
        raise FrameError(f"no DL/T 698.45 frame: {wrong.context}", raw) from wrong
    return Frame(found.server.bytes[::-1].hex().upper(), found.control, found.client, found.payload)


def read(oads: Sequence[int], piid: int) -> bytes:
    """The APDU that asks for attributes: each alone, several as a list. `piid`: 0 to 63."""
    request = GetRequest(attributes=[_oad(oad) for oad in oads], list=len(oads) > 1, piid=piid)
    return encode_apdu(request)


def asked(apdu: bytes) -> tuple[int, list[int]] | None:
    """Number and OADs of a request to read; None if it is another one. Raises `FrameError`."""
    request = _decoded(apdu)
    if not isinstance(request, GetRequest):
        return None
    return request.piid & (PIIDS - 1), [_number(oad) for oad in request.attributes]


def answer(piid: int, results: dict[int, Data | int]) -> bytes:
    """The APDU that answers a reading; a number is the reason (DAR) why an attribute is not told."""
    found = [AttributeResult(attribute=_oad(oad), result=result) for oad, result in results.items()]
    return encode_apdu(GetResponse(attributes=found, list=len(found) > 1, piid_acd=piid))


def understood(found: Frame) -> Answer:
    """What an answer says. Raises `FrameError` for what is not read."""
    if found.control & _PIECE:
        raise FrameError("an answer in several frames", found.apdu)
    response = _decoded(found.apdu)
    if isinstance(response, ErrorResponse):
        return Answer(response.piid & (PIIDS - 1), {}, REFUSED)
    if not isinstance(response, GetResponse):
        raise FrameError("an answer that is no plain reading", found.apdu)
    results: dict[int, Result | Text] = {}
    for each in response.attributes:
        told = each.result
        refused = REFUSALS.get(told, REFUSED) if isinstance(told, int) else None
        results[_number(each.attribute)] = _value(told) if refused is None and isinstance(told, Data) else refused
    return Answer(response.piid_acd & (PIIDS - 1), results)


def _decoded(apdu: bytes) -> object:
    try:
        return decode_apdu(apdu)
    except Dlt698Error as wrong:
        raise FrameError(f"an APDU that cannot be read: {wrong.context}", apdu) from wrong


def _oad(number: int) -> Oad:
    return Oad(oi=number >> 16, attribute=number >> 8 & 0xFF, index=number & 0xFF)


def _number(oad: Oad) -> int:
    return oad.oi << 16 | oad.attribute << 8 | oad.index


_NUMBERS = frozenset(
    {
        DataType.int8, DataType.int16, DataType.int32, DataType.int64,
        DataType.uint8, DataType.uint16, DataType.uint32, DataType.uint64,
    }
)  # fmt: skip


def _value(data: Data) -> Result:
    if data.type == DataType.array:
        parts = data.value
        return [_plain(part) for part in parts if isinstance(part, Data)] if isinstance(parts, list) else None
    return _plain(data)


def _plain(data: Data) -> Value:
    value = data.value
    if data.type in _NUMBERS and isinstance(value, int):
        return value
    if data.type == DataType.octet_string and isinstance(value, bytes):
        return value
    if data.type == DataType.visible_string and isinstance(value, str):
        return value
    return _moment(data.as_date_time_s()) if data.type == DataType.date_time_s else None


def _moment(parts: Sequence[int]) -> str | None:
    """Year (two bytes), month, day, hour, minute, second; FF is "any"."""
    try:
        return datetime(parts[0] << 8 | parts[1], *parts[2:7]).isoformat()  # type: ignore[arg-type]
    except ValueError:
        return None
