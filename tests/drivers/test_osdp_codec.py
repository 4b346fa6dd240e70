"""OSDP frames: the golden ones both ways, whole and in pieces; nothing from a frame whose check is wrong."""

from __future__ import annotations

import pytest

from drivers.errors import FrameError
from drivers.osdp.codec import CHLNG, LONGEST, POLL, RAW, Frame, Frames, check, read, write

GOLDEN: dict[str, tuple[str, str]] = {
    "poll": ("ff530108000460ba00", "→ 1 POLL · seq 0"),
    "ack": ("5381080004400806", "← 1 ACK · seq 0"),
    "id": ("ff530109000561005014", "→ 1 ID · seq 1 · 00"),
    "pdid": (
        "538114000545bebafe0101afbeaddeaddeade881",
        "← 1 PDID · seq 1 · be ba fe 01 01 af be ad de ad de ad",
    ),
    "cap": ("ff530109000662005318", "→ 1 CAP · seq 2 · 00"),
    "all is well": ("53810a00074800009392", "← 1 LSTATR · seq 3 · 00 00"),
    "tampered": ("53810a0005480100ca4c", "← 1 LSTATR · seq 1 · 01 00"),
    "lamp": (
        "ff53011600056900000205050200140000000000004750",
        "→ 1 LED · seq 1 · 00 00 02 05 05 02 00 14 00 00 00 00 00 00",
    ),
    "card": ("53811000075000011a0080003440e5a5", "← 1 RAW · seq 3 · 00 01 1a 00 80 00 34 40"),
    "keys": ("53810f00055300053132333423a2fe", "← 1 KEYPAD · seq 1 · 00 05 31 32 33 34 23"),
    "challenge": (
        "ff530113000e03110176d764c8cce93255c41f4f",
        "→ 1 CHLNG · seq 2 · begins a secure channel · d7 64 c8 cc e9 32 55 c4",
    ),
}
"""Captured between two independent implementations: address 1, CRC."""

NAK = Frame(address=3, reply=True, sequence=2, code=0x41, data=b"\x06", crc=False)


def frame_of(name: str) -> bytes:
    return bytes.fromhex(GOLDEN[name][0])


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_frames_both_ways(name: str) -> None:
    raw = frame_of(name)
    frame = read(raw)
    assert frame.words() == GOLDEN[name][1]
    assert write(frame) == raw.removeprefix(b"\xff") == frame.raw


@pytest.mark.parametrize("name", GOLDEN)
@pytest.mark.parametrize("size", [1, 3, 100])
def test_in_pieces(name: str, size: int) -> None:
    raw, frames = frame_of(name), Frames()
    found = [f for at in range(0, len(raw), size) for f in frames.feed(raw[at : at + size], 0.0)]
    assert found == [read(raw)]


def test_the_whole_conversation_in_one_read() -> None:
    raws = [frame_of(name) for name in GOLDEN]
    assert list(Frames().feed(b"".join(raws), 0.0)) == [read(raw) for raw in raws]


@pytest.mark.parametrize("at", range(len(frame_of("card"))))
def test_one_flipped_bit_is_never_a_card(at: int) -> None:
    raw = bytearray(frame_of("card"))
    for bit in range(8):
        raw[at] ^= 1 << bit
        found = [each for each in Frames().feed(bytes(raw) + frame_of("ack"), 0.0) if isinstance(each, Frame)]
        assert all(frame.code != RAW for frame in found)
        raw[at] ^= 1 << bit


def test_a_wrong_check_is_told_with_its_bytes_and_what_follows_is_read() -> None:
    spoilt = frame_of("card")[:-1] + b"\x00"
    wrong, right = Frames().feed(spoilt + frame_of("ack"), 0.0)
    assert isinstance(wrong, FrameError)
    assert wrong.raw == spoilt
    assert right == read(frame_of("ack"))


def test_noise_before_a_frame() -> None:
    noise = bytes.fromhex("00 53 12 34 ff aa 53")
    wrong, right = Frames().feed(noise + frame_of("poll"), 0.0)
    assert isinstance(wrong, FrameError)
    assert isinstance(right, Frame)
    assert right.code == POLL


def test_a_length_that_lies_does_not_swallow_the_next_frame_for_ever() -> None:
    frames = Frames()
    lie = bytes.fromhex("5381f0000440")
    assert list(frames.feed(lie, 0.0)) == []
    # Readers pause between frames; what was unfinished then is broken off.
    broken, right = frames.feed(frame_of("ack"), 0.2)
    assert isinstance(broken, FrameError)
    assert right == read(frame_of("ack"))


def test_a_frame_longer_than_any_is_refused_at_its_head() -> None:
    (wrong,) = Frames().feed(bytes.fromhex("5381") + (LONGEST + 1).to_bytes(2, "little") + bytes(4), 0.0)
    assert isinstance(wrong, FrameError)


def test_marks_between_frames_are_silence() -> None:
    assert list(Frames().feed(b"\xff\xff" + frame_of("poll") + b"\xff", 0.0)) == [read(frame_of("poll"))]


def test_a_checksum_instead_of_a_crc() -> None:
    raw = write(NAK)
    assert raw.hex() == "538308000241" + "06" + check(bytes.fromhex("53830800024106"), crc=False).hex()
    assert sum(raw) % 256 == 0
    assert read(raw).words() == "← 3 NAK · seq 2 · a secure channel is wanted"


def test_what_is_encrypted_is_not_shown() -> None:
    raw = bytes.fromhex("53811e000d02185063a237c82031073f5a7dd116972f524769d2cd55af6b")
    frame = read(raw)
    assert (frame.code, frame.encrypted, len(frame.data), len(frame.mac)) == (RAW, True, 16, 4)
    assert frame.words() == "← 1 RAW · seq 1 · secure, encrypted"
    assert write(frame) == raw


def test_the_default_key_is_told() -> None:
    frame = read(bytes.fromhex("ff530113000f03110076d764c8cce93255c43965"))
    assert frame.code == CHLNG
    assert "with the default key" in frame.words()


@pytest.mark.parametrize(
    "raw",
    ["", "53", "5381080004400800", "5381080004400806ff", "5481080004400806", "5381080004", "538109000c0940000000"],
)
def test_not_one_whole_frame(raw: str) -> None:
    with pytest.raises(FrameError):
        read(bytes.fromhex(raw))


def test_a_channel_that_is_announced_before_there_is_one() -> None:
    """So begins osdp 1.6: the block of a secure frame, and no MAC."""
    raw = bytes.fromhex("53000a000c02156058d5")
    frame = read(raw)
    assert (frame.code, frame.block, frame.mac) == (POLL, b"\x15", b"")
    assert write(frame) == raw


def test_a_security_block_longer_than_its_frame() -> None:
    body = bytes.fromhex("538109000c0940")
    with pytest.raises(FrameError, match="contradicts itself"):
        read(body + check(body, crc=True))
