"""The hash chain and the data of every event kind."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import msgspec
import pytest

from contract import wire
from contract.errors import Malformed
from contract.events import GENESIS, Batch, Event, Moved, batch_fault, chain, chained
from contract.facts.entry import PassageMade, PlateSeen
from contract.facts.gateway import StreamForked
from contract.instants import instant, milliseconds
from contract.kinds import KINDS, decode_data, encode_data

GOLDEN = Path(__file__).parent / "golden"
DATA: dict[str, object] = json.loads((GOLDEN / "event-data.json").read_text())


def event(seq: int = 1, data: bytes = b'{"a":1}') -> Event:
    return Event(seq=seq, at="2026-01-02T03:04:05.678Z", kind="door.opened", source="lobby-a", data=msgspec.Raw(data))


def test_the_chain_is_what_its_document_says() -> None:
    text = b"1\n2026-01-02T03:04:05.678Z\ndoor.opened\nlobby-a\nok\n" + b'{"a":1}'
    assert chained(GENESIS, event()) == hashlib.sha256(bytes(32) + text).hexdigest()


def test_the_golden_batch_verifies() -> None:
    batch = wire.decode(Batch, (GOLDEN / "batch.json").read_bytes())
    assert batch_fault(batch) is None


CHANGES: dict[str, dict[str, object]] = {
    "another value": {"data": msgspec.Raw(b'{"a":2}')},
    "the same value written otherwise": {"data": msgspec.Raw(b'{"a": 1}')},
    "another time": {"at": "2026-01-02T03:04:05.679Z"},
    "another kind": {"kind": "door.closed"},
    "another source": {"source": "lobby-b"},
    "a doubtful clock": {"clock": "doubtful"},
    "another place": {"seq": 2},
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_field_is_in_the_chain(change: str) -> None:
    assert chained(GENESIS, event()) != chained(GENESIS, msgspec.structs.replace(event(), **CHANGES[change]))


def test_a_batch_that_contradicts_itself_is_named() -> None:
    events = tuple(event(seq) for seq in (5, 6, 7))
    head = chain(GENESIS, events)[-1]
    batch = Batch(stream="0" * 32, first_seq=5, prev=GENESIS, head=head, events=events)
    assert batch_fault(batch) is None
    assert "seq 5, expected 4" in (batch_fault(msgspec.structs.replace(batch, first_seq=4)) or "")
    assert "ends in" in (batch_fault(msgspec.structs.replace(batch, prev="1" * 64)) or "")
    gap = msgspec.structs.replace(batch, events=(events[0], events[2]))
    assert "seq 7, expected 6" in (batch_fault(gap) or "")


def test_a_first_place_of_an_event_that_is_not_in_the_batch_is_named() -> None:
    events = tuple(event(seq) for seq in (5, 6, 7))
    batch = Batch(stream="0" * 32, first_seq=5, prev=GENESIS, head=chain(GENESIS, events)[-1], events=events)

    def with_places(*seqs: int) -> Batch:
        places = tuple(Moved(seq=seq, stream="f" * 32, was=1, hash="b" * 64) for seq in seqs)
        return msgspec.structs.replace(batch, moved=places)

    assert batch_fault(with_places(5, 7)) is None
    assert "event 8, which is not in the batch" in (batch_fault(with_places(5, 8)) or "")
    assert "two first places" in (batch_fault(with_places(6, 6)) or "")


def test_what_older_gateways_said_of_forks_passages_and_plates_is_read() -> None:
    forked = decode_data("stream.forked", b'{"old_stream":"","agreed":0,"why":"damaged"}')
    assert isinstance(forked, StreamForked)
    assert (forked.moved, forked.missing) == (None, None)
    seen = decode_data("plate.seen", b'{"plate":"A1","camera":"c","confidence":0.9,"replayed":true}')
    assert isinstance(seen, PlateSeen)
    assert (seen.replayed, seen.reason) == (True, None)
    passage = decode_data("passage.made", b'{"direction":"in","after":41}')
    assert isinstance(passage, PassageMade)
    assert passage.after_stream is None


def test_every_kind_has_a_golden_example() -> None:
    assert set(DATA) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_golden_data_both_ways(kind: str) -> None:
    data = decode_data(kind, json.dumps(DATA[kind]).encode())
    assert data is not None
    assert json.loads(bytes(encode_data(data))) == DATA[kind]


def test_unknown_kinds_are_carried() -> None:
    assert decode_data("comet.sighted", b'{"anything": true}') is None


def test_data_of_the_wrong_shape_is_named() -> None:
    with pytest.raises(Malformed, match=r"meter\.read.*value"):
        decode_data("meter.read", b'{"register":"total","value":"many","unit":"kWh","meter_no":"1"}')


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_700_000_000_123, "2023-11-14T22:13:20.123Z"),
        (4_102_444_799_999, "2099-12-31T23:59:59.999Z"),
    ],
)
def test_instants_both_ways(ms: int, text: str) -> None:
    assert instant(ms) == text
    assert milliseconds(text) == ms


def test_an_instant_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        milliseconds("2026-01-02T03:04:05.678")
