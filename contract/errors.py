"""What can be wrong with a message from the other side. The sender is at fault, never the reader."""

from __future__ import annotations


class ContractError(ValueError):
    """A message that cannot be accepted; carries the first bytes so that a person can look at them."""

    def __init__(self, message: str, raw: bytes = b"") -> None:
        super().__init__(message)
        self.raw = raw[:200]


class Malformed(ContractError):
    """Not the JSON, the types or the compression that the contract says."""


class TooLarge(ContractError):
    """Larger than any honest message, packed or unpacked."""


class UnknownVersion(ContractError):
    """An envelope version that this software does not read."""

    def __init__(self, version: int, raw: bytes = b"") -> None:
        super().__init__(f"envelope version {version!r} is not read here", raw)
        self.version = version
