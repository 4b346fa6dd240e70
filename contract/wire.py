"""Bytes of a message: JSON, deflated (zlib, RFC 1950) when that pays. The first byte tells which."""

from __future__ import annotations

import zlib
from typing import TypeVar

import msgspec

from contract import ACCEPTED_VERSIONS, VERSION
from contract.errors import Malformed, TooLarge, UnknownVersion
from contract.versions import spoken

COMPRESS_FROM = 2048
"""Messages of fewer bytes travel as plain JSON."""

PACKED_LIMIT = 1_000_000
"""Bytes of one MQTT payload at the most (the broker's `max_payload` is 1 MB)."""

UNPACKED_LIMIT = 16_000_000
"""Bytes of one message's JSON at the most: a small bomb must not fill the memory."""

M = TypeVar("M", bound=msgspec.Struct)

_encoder = msgspec.json.Encoder()
_decoders: dict[type[msgspec.Struct], msgspec.json.Decoder[msgspec.Struct]] = {}


class _Head(msgspec.Struct):
    v: int


_head = msgspec.json.Decoder(_Head)


def encode(message: msgspec.Struct, *, version: int = VERSION) -> bytes:
    """The message's bytes, as envelope `version` says it; `TooLarge` if no broker would carry them."""
    text = _encoder.encode(message if version == VERSION else spoken(message, version))
    packed = text if len(text) < COMPRESS_FROM else zlib.compress(text, 6)
    if len(packed) > PACKED_LIMIT:
        raise TooLarge(f"a {type(message).__name__} of {len(packed)} bytes, at most {PACKED_LIMIT} travel", packed)
    return packed


def decode(kind: type[M], payload: bytes) -> M:
    """The message in `payload`; `TooLarge`, `UnknownVersion` or `Malformed` say what the sender did wrong."""
    text = plain(payload)
    try:
        version = _head.decode(text).v
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"not a {kind.__name__}: {error}", payload) from error
    if version not in ACCEPTED_VERSIONS:
        raise UnknownVersion(version, payload)
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = _decoders[kind] = msgspec.json.Decoder(kind)
    try:
        message = decoder.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"not a {kind.__name__}: {error}", payload) from error
    assert isinstance(message, kind)
    return message


def plain(payload: bytes) -> bytes:
    """The JSON text in a payload, inflated if need be; `TooLarge` or `Malformed` if it cannot be had."""
    if len(payload) > PACKED_LIMIT:
        raise TooLarge(f"{len(payload)} bytes, at most {PACKED_LIMIT} travel", payload)
    if payload[:1] != b"\x78":
        return payload
    inflate = zlib.decompressobj()
    try:
        text = inflate.decompress(payload, UNPACKED_LIMIT)
    except zlib.error as error:
        raise Malformed(f"broken compression: {error}", payload) from error
    if inflate.unconsumed_tail:
        raise TooLarge(f"unpacks to more than {UNPACKED_LIMIT} bytes", payload)
    if not inflate.eof:
        raise Malformed("compression cut short", payload)
    return text
