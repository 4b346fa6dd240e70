"""Every message of the contract: golden JSON both ways, versions, unknown fields, and what hostile bytes meet."""

from __future__ import annotations

import json
import os
import zlib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract import wire
from contract.acks import Ack
from contract.commands import Command
from contract.desired import Desired
from contract.errors import ContractError, Malformed, TooLarge, UnknownVersion
from contract.events import Batch, batch_fault
from contract.pictures import Picture, picture_id
from contract.presence import Presence
from contract.readings import ReadingsBatch, readings_fault

GOLDEN = Path(__file__).parent / "golden"

MESSAGES: dict[str, type[msgspec.Struct]] = {
    "batch": Batch,
    "batch-moved": Batch,
    "readings": ReadingsBatch,
    "presence": Presence,
    "ack": Ack,
    "desired-snapshot": Desired,
    "desired-delta": Desired,
    "command": Command,
    "picture": Picture,
}


def golden(name: str) -> bytes:
    return (GOLDEN / f"{name}.json").read_bytes()


def test_every_golden_file_is_read() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} == set(MESSAGES) | {"event-data", "entries"}


@pytest.mark.parametrize("name", MESSAGES)
def test_golden_both_ways(name: str) -> None:
    text = golden(name)
    message = wire.decode(MESSAGES[name], text)
    assert json.loads(wire.encode(message)) == json.loads(text)


def test_a_presence_of_before_the_clock_was_measured() -> None:
    document = json.loads(golden("presence"))
    del document["clock_error_ms"]
    assert wire.decode(Presence, json.dumps(document).encode()).clock_error_ms is None


@pytest.mark.parametrize("name", MESSAGES)
def test_unknown_fields_are_ignored(name: str) -> None:
    document = json.loads(golden(name))
    later = document | {"of_a_later_version": {"anything": [1, 2]}}
    message = wire.decode(MESSAGES[name], json.dumps(later, ensure_ascii=False).encode())
    assert json.loads(wire.encode(message)) == document


def test_a_batch_from_before_events_remembered_their_first_place_is_read() -> None:
    document = json.loads(golden("batch"))
    del document["moved"]
    assert wire.decode(Batch, json.dumps(document, ensure_ascii=False).encode()).moved == ()


@pytest.mark.parametrize("name", MESSAGES)
@pytest.mark.parametrize("version", [0, 2, 99, -1])
def test_unknown_versions_are_refused(name: str, version: int) -> None:
    document = json.loads(golden(name)) | {"v": version}
    with pytest.raises(UnknownVersion, match=str(version)):
        wire.decode(MESSAGES[name], json.dumps(document).encode())


HOSTILE: dict[str, tuple[bytes, type[ContractError]]] = {
    "empty": (b"", Malformed),
    "not JSON": (b"hello", Malformed),
    "not UTF-8": (b'{"v":1,"x":"\xff\xfe"}', Malformed),
    "no version": (b"{}", Malformed),
    "version as text": (b'{"v":"1"}', Malformed),
    "a list": (b"[1]", Malformed),
    "wrong types": (b'{"v":1,"stream":7,"first_seq":"x","prev":"","head":"","events":3}', Malformed),
    "no events": (
        b'{"v":1,"stream":"' + b"0" * 32 + b'","first_seq":1,"prev":"' + b"0" * 64 + b'","head":"' + b"0" * 64
        + b'","events":[]}',
        Malformed,
    ),
    "broken compression": (b"\x78\x9cnothing of the kind", Malformed),
    "compression cut short": (zlib.compress(golden("batch") * 10)[:-5], Malformed),
    "a bomb": (zlib.compress(b" " * (wire.UNPACKED_LIMITS[Batch] + 1)), TooLarge),
    "too long": (b" " * (wire.PACKED_LIMIT + 1), TooLarge),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_bytes(case: str) -> None:
    payload, expected = HOSTILE[case]
    with pytest.raises(expected) as caught:
        wire.decode(Batch, payload)
    assert len(caught.value.raw) <= 200


@given(st.binary(max_size=300))
def test_random_bytes_raise_nothing_else(payload: bytes) -> None:
    for kind in set(MESSAGES.values()):
        with pytest.raises(ContractError):
            wire.decode(kind, payload)


@given(st.integers(0, 5000), st.integers(0, 255))
def test_a_flipped_byte_is_refused_or_read_as_a_batch(place: int, value: int) -> None:
    payload = bytearray(golden("batch"))
    payload[place % len(payload)] = value
    try:
        batch = wire.decode(Batch, bytes(payload))
    except ContractError:
        return
    if payload != golden("batch"):
        # What still decodes differs in something that the chain covers, or names another stream, which the hub knows.
        assert batch_fault(batch) is not None or _same_facts(batch)


def _same_facts(batch: Batch) -> bool:
    original = wire.decode(Batch, golden("batch"))
    return wire.encode(msgspec.structs.replace(batch, stream=original.stream)) == wire.encode(original)


def test_large_messages_are_deflated_and_come_back() -> None:
    batch = wire.decode(ReadingsBatch, golden("readings"))
    column = msgspec.structs.replace(
        batch.columns[0], at=list(range(5000)), values=[1.5] * 5000, quality=["good"] * 5000
    )
    large = msgspec.structs.replace(batch, columns=[column])
    payload = wire.encode(large)
    assert payload[:1] == b"\x78"
    assert len(payload) < 20_000
    assert wire.decode(ReadingsBatch, payload) == large


def test_what_no_broker_would_carry_is_not_sent() -> None:
    jpeg = os.urandom(1_000_000)
    picture = Picture(id=picture_id(jpeg), at="2026-01-02T03:04:05.678Z", jpeg=jpeg)
    with pytest.raises(TooLarge):
        wire.encode(picture)


def test_golden_readings_agree_with_themselves() -> None:
    batch = wire.decode(ReadingsBatch, golden("readings"))
    assert readings_fault(batch) is None
    cut = msgspec.structs.replace(batch.columns[0], at=[1])
    assert "times" in (readings_fault(msgspec.structs.replace(batch, columns=[cut])) or "")
    assert "oldest" in (readings_fault(msgspec.structs.replace(batch, oldest=batch.seq + 1)) or "")
