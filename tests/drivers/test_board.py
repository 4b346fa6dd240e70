"""Frames of the text-and-voice board, against frames that other programs send."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.camera.board import TEXT_LIMIT, VOICE_LIMIT, checked, line, voice

WELCOME = bytes.fromhex("0064FFFF300901BBB6D3ADB9E2C1D93258")
PLEASE_PARK = bytes.fromhex("0064FFFF301401BBB6D3ADB9E2C1D92CC7EBC8EBB3A1CDA3B3B5A936")
LINE_HEAD = bytes.fromhex("0064FFFF621B 01 1501000215010300 FF000000 00000000 0800")


def test_the_frames_that_others_send() -> None:
    assert voice("欢迎光临") == WELCOME
    assert voice("欢迎光临,请入场停车") == PLEASE_PARK
    shown = line(1, "欢迎光临")
    assert shown[:-2] == LINE_HEAD + "欢迎光临".encode("gb18030")
    assert checked(shown)


@given(st.text(max_size=80), st.integers(0, 3))
def test_any_text_makes_a_frame_that_a_board_takes(text: str, number: int) -> None:
    for frame, limit in ((voice(text), VOICE_LIMIT + 1), (line(number, text), TEXT_LIMIT + 19)):
        assert checked(frame)
        assert len(frame) - 8 <= limit


@pytest.mark.parametrize("frame", [b"", WELCOME[:-1], WELCOME[:6] + b"\x00" + WELCOME[7:], WELCOME + b"\x00"])
def test_a_frame_whose_check_is_wrong(frame: bytes) -> None:
    assert not checked(frame)


def test_a_board_has_four_lines() -> None:
    with pytest.raises(ValueError, match="line 4"):
        line(4, "x")
