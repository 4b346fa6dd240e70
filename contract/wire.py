"""Bytes of a message: JSON, deflated (zlib, RFC 1950) when that pays. The first byte tells which."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import TypeVar

import msgspec

from contract import ACCEPTED_VERSIONS, VERSION
from contract.acks import Ack
from contract.commands import Command
from contract.desired import Desired
from contract.errors import Malformed, TooLarge, UnknownVersion
from contract.events import Batch
from contract.pictures import Picture
from contract.presence import Presence
from contract.readings import ReadingsBatch
from contract.versions import spoken

COMPRESS_FROM = 2048
"""Messages of fewer bytes travel as plain JSON."""

PACKED_LIMIT = 1_000_000
"""Bytes of one MQTT payload at the most (the broker's `max_payload` is 1 MB)."""

UNPACKED_LIMITS: Mapping[type[msgspec.Struct], int] = {
    Batch: 4_000_000,
    ReadingsBatch: 4_000_000,
    Desired: 4_000_000,
    Picture: 1_000_000,
    Presence: 1_000_000,
    Command: 100_000,
    Ack: 100_000,
}
"""Bytes of each message's JSON at the most: a small bomb is not unpacked beyond it, and whoever reads what is within it
is through in some hundredths of a second. The largest that this house makes: a batch of events, about 1 MB."""

UNPACKED_LIMIT = max(UNPACKED_LIMITS.values())

M = TypeVar("M", bound=msgspec.Struct)

_encoder = msgspec.json.Encoder()
_decoders: dict[type[msgspec.Struct], msgspec.json.Decoder[msgspec.Struct]] = {}


class _Head(msgspec.Struct):
    v: int


_head = msgspec.json.Decoder(_Head)


def encode(message: msgspec.Struct, *, version: int = VERSION) -> bytes:
    """The message's bytes, as envelope `version` says it; `TooLarge` if no broker or no reader would take them."""
    text = _encoder.encode(message if version == VERSION else spoken(message, version))
    limit = limit_of(type(message))
    if len(text) > limit:
        raise TooLarge(f"a {type(message).__name__} of {len(text)} bytes, at most {limit} are read", text)
    payload = text if len(text) < COMPRESS_FROM else zlib.compress(text, 6)
    if len(payload) > PACKED_LIMIT:
        raise TooLarge(f"a {type(message).__name__} of {len(payload)} bytes, at most {PACKED_LIMIT} travel", payload)
    return payload


def decode(kind: type[M], payload: bytes) -> M:
    """The message in `payload`; `TooLarge`, `UnknownVersion` or `Malformed` say what the sender did wrong."""
    return read(kind, plain(payload, limit_of(kind)))


def limit_of(kind: type[msgspec.Struct]) -> int:
    """Bytes of a message's JSON at the most."""
    return UNPACKED_LIMITS.get(kind, UNPACKED_LIMIT)


def packed(payload: bytes) -> bool:
    """Whether a payload is to be inflated (zlib's first byte, RFC 1950, section 2.2)."""
    return payload[:1] == b"\x78"


def plain(payload: bytes, limit: int = UNPACKED_LIMIT) -> bytes:
    """The JSON text in a payload, inflated if need be, of at most `limit` bytes; `TooLarge` or `Malformed` if not."""
    if len(payload) > PACKED_LIMIT:
        raise TooLarge(f"{len(payload)} bytes, at most {PACKED_LIMIT} travel", payload)
    if not packed(payload):
        if len(payload) > limit:
            raise TooLarge(f"{len(payload)} bytes, at most {limit} are read", payload)
        return payload
    inflate = zlib.decompressobj()
    try:
        text = inflate.decompress(payload, limit)
    except zlib.error as error:
        raise Malformed(f"broken compression: {error}", payload) from error
    if inflate.unconsumed_tail:
        raise TooLarge(f"unpacks to more than {limit} bytes", payload)
    if not inflate.eof:
        raise Malformed("compression cut short", payload)
    return text


def read(kind: type[M], text: bytes) -> M:
    """The message in its JSON text; `UnknownVersion` or `Malformed` if it is none."""
    try:
        version = _head.decode(text).v
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"not a {kind.__name__}: {error}", text) from error
    if version not in ACCEPTED_VERSIONS:
        raise UnknownVersion(version, text)
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = _decoders[kind] = msgspec.json.Decoder(kind)
    try:
        message = decoder.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"not a {kind.__name__}: {error}", text) from error
    assert isinstance(message, kind)
    return message
