"""Keeps the process small: gateways are small machines, and what they do not use should not fill them."""

from __future__ import annotations

import ctypes
import sys
import types

# glibc's malloc.h
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8

LARGE = 128 * 1024
"""Bytes from which a piece of memory is the system's again as soon as it is free."""


def keep_out() -> None:
    """Leaves out what no gateway uses; call it before anything that compiles conditions is imported.

    The package of the expression language imports its own command line, which brings a text editor with it: 8 MB, and a
    quarter of a second at each start.
    """
    sys.modules.setdefault("cel.cli", types.ModuleType("cel.cli"))


def give_back() -> None:
    """Makes glibc return freed memory; elsewhere it does nothing. Call it before threads begin.

    By itself it keeps what was once large: every password that was checked would hold 19 MB for ever.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    mallopt(_M_ARENA_MAX, 1)
    mallopt(_M_MMAP_THRESHOLD, LARGE)
    mallopt(_M_TRIM_THRESHOLD, LARGE)
