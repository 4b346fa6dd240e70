"""The short form of the torture: `make torture` gives each codec a million frames."""

from __future__ import annotations

import pytest

from tests.torture.__main__ import torture
from tests.torture.codecs import CODECS

FRAMES = 4_000


@pytest.mark.parametrize("codec", CODECS)
def test_spoilt_frames(codec: str) -> None:
    torture(codec, FRAMES, seed=7)
