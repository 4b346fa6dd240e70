"""What several screens are sent is deflated once, and stands in each one's stream."""

from __future__ import annotations

import asyncio
import random
import threading
import zlib
from dataclasses import dataclass, field

import pytest

from tests.web.servers import MemorySource, event, house, running, streaming, until
from tests.web.test_live import token_of
from web.live.packing import PackedStream
from web.live.pieces import LARGE, LEAST, PackedPiece, PackedPieces
from web.live.screens import View
from web.live.stream import Snapshot

CHANCE = random.Random(11)


@dataclass
class Made:
    """What was packed, by which thread."""

    pieces: list[tuple[bytes, int]] = field(default_factory=list)

    def count(self, data: bytes) -> int:
        return sum(1 for piece, _ in self.pieces if data in piece)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Made:
    found, of = Made(), PackedPiece.of

    def noted(data: bytes) -> PackedPiece:
        found.pieces.append((data, threading.get_ident()))
        return of(data)

    monkeypatch.setattr(PackedPiece, "of", noted)
    return found


async def test_streams_that_begin_apart_send_the_same_pieces(made: Made) -> None:
    packer = PackedPieces()
    first, second = PackedStream(), PackedStream()
    readers = [zlib.decompressobj(zlib.MAX_WBITS | 16) for _ in range(2)]
    first_only = b"data: " + b"only here " * 9000
    shared = [b": beat\n\n", CHANCE.randbytes(LARGE - 1), b"", b"x" * LEAST, CHANCE.randbytes(LARGE), b"y" * 700_000]
    assert readers[0].decompress(first.add(first_only, await packer.of(first_only))) == first_only
    for piece in shared * 2:
        for stream, reader in zip((first, second), readers, strict=True):
            again = bytes(bytearray(piece))
            assert reader.decompress(stream.add(again, await packer.of(again))) == piece
    for stream, reader in zip((first, second), readers, strict=True):
        # The sum and the size at the end are those of the whole: a reader compares.
        assert reader.decompress(stream.end()) == b"" and reader.eof
    assert len(made.pieces) == 1 + sum(1 for piece in shared if len(piece) >= LEAST)


@pytest.mark.parametrize("size", [LARGE, LARGE + 1, 65_537, 1_000_003])
def test_a_sum_is_carried_on_as_if_it_was_read(size: int) -> None:
    piece = PackedPiece.of(CHANCE.randbytes(size))
    assert piece.joins is not None
    for before in (0, 1, 0xFFFFFFFF, zlib.crc32(b"before")):
        assert piece.sum_after(before) == zlib.crc32(piece.data, before)


async def test_a_large_piece_is_deflated_once_for_all_who_wait_and_the_loop_goes_on(made: Made) -> None:
    packer, data = PackedPieces(most=10), b"z" * LARGE
    one, *others = [asyncio.create_task(packer.of(data)) for _ in range(20)]
    await asyncio.sleep(0)
    one.cancel()
    assert len(set(await asyncio.gather(*others))) == 1
    [(_, thread)] = made.pieces
    assert thread != threading.get_ident()


async def test_what_is_kept_has_a_bound_and_goes_by_its_last_use(made: Made) -> None:
    pieces = [CHANCE.randbytes(10_000) for _ in range(4)]
    packer = PackedPieces(most=3 * 20_100)
    for data in (*pieces[:3], pieces[0], pieces[3], pieces[0], pieces[1]):
        await packer.of(data)
    assert [made.count(data) for data in pieces] == [1, 2, 1, 1]
    assert sum(len(data) + len(piece.packed) for data, piece in packer._kept.items()) == packer._held <= 3 * 20_100


class Large(MemorySource):
    """A house that fills two megabytes."""

    async def snapshot(self, view: View) -> Snapshot:
        found = await super().snapshot(view)
        return found._replace(body=found.body[:-1] + b',"pad":"' + b"p" * 2_000_000 + b'"}')


async def test_what_two_screens_are_sent_is_packed_once(made: Made) -> None:
    place = house()
    source = place.live._source = Large(place.source.events)
    source.slow = asyncio.Event()
    token = await token_of(place)
    async with running(place.app) as url, streaming(url, token) as one, streaming(url, token) as two:
        await until(lambda: len(place.live._screens) == 2 and source.snapshots > 0)
        source.slow.set()
        for stream in (one, two):
            assert len((await stream.named("snapshot")).data["pad"]) == 2_000_000
        for number in (1, 2):
            place.publish(event(number, what="w" * 5000))
            for stream in (one, two):
                assert (await stream.named("events")).id == number
    # Browsers take it packed, and so does this client.
    assert (made.count(b"event: snapshot"), made.count(b"w" * 5000)) == (1, 2)
