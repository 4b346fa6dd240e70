"""Faults of drivers. Each says whose fault it is and carries the bytes at which it was seen."""

from __future__ import annotations


class DriverError(Exception):
    """Root of everything that a driver raises."""


class FrameError(DriverError):
    """The peer sent bytes that its protocol does not allow."""

    def __init__(self, message: str, raw: bytes = b"") -> None:
        super().__init__(f"{message} [{raw[:64].hex(' ')}]" if raw else message)
        self.raw = raw


class Silence(DriverError):
    """No answer within the time that it may take."""


class WireDown(DriverError):
    """The wire itself is not there: refused, unplugged, closed by its other end."""
