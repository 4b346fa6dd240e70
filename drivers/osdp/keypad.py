"""Keys pressed at a reader, gathered to a PIN: # ends it, * begins anew, a silence forgets it. Pure.

Source: OSDP 2.2 section 7.11: digits as ASCII, # as 0x0D, * as 0x7F; some readers send the characters themselves.
"""

from __future__ import annotations

from collections.abc import Iterator

from drivers.errors import FrameError

ENTER = frozenset(b"\r#")
CLEAR = frozenset(b"\x7f*")
DIGITS = frozenset(b"0123456789")


class Keypad:
    """The keys of one reader. Holds at most `longest` digits; what a person types beyond that is no PIN."""

    def __init__(self, *, longest: int, forget_s: float) -> None:
        self._longest = longest
        self._forget_s = forget_s
        self._digits = ""
        self._overlong = False
        self._last_at = 0.0

    def press(self, keys: bytes, at: float) -> Iterator[str | FrameError]:
        """The PINs that these keys end; what cannot be one comes as its error, which never holds digits.

        `at`: monotonic seconds.
        """
        if at - self._last_at > self._forget_s:
            self.clear()
        self._last_at = at
        for key in keys:
            if key in DIGITS:
                self._overlong = self._overlong or len(self._digits) >= self._longest
                self._digits = "" if self._overlong else self._digits + chr(key)
            elif key in CLEAR:
                self.clear()
            elif key in ENTER:
                yield from self._entered()
            else:
                self.clear()
                yield FrameError(f"a key that is none: 0x{key:02X}")

    def clear(self) -> None:
        """Forgets what was typed."""
        self._digits = ""
        self._overlong = False

    def _entered(self) -> Iterator[str | FrameError]:
        digits, overlong = self._digits, self._overlong
        self.clear()
        if overlong:
            yield FrameError(f"more than {self._longest} digits")
        elif digits:
            yield digits
