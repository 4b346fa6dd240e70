"""The second factor: codes that change with the time (TOTP, RFC 6238, over HOTP, RFC 4226), and recovery codes. Pure.

SHA-1, six digits, thirty seconds: what every authenticator app understands. One step before and after the present one
is taken too (RFC 6238, 5.2), each step once.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from urllib.parse import quote, urlencode

STEP_S = 30
DIGITS = 6
DRIFT = 1
"""Steps by which a phone's clock may be wrong."""

RECOVERY_CODES = 10
_RECOVERY_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that are mistaken for one another on paper."""
_RECOVERY_LENGTH = 12


def code_at(secret: bytes, step: int, digits: int = DIGITS) -> str:
    """The code of a time step (RFC 4226, 5.3)."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), hashlib.sha1)
    start = digest[-1] & 0x0F
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFFFFFF
    return str(number % 10**digits).zfill(digits)


def step_at(at_ms: int) -> int:
    """The time step of a moment (Unix ms)."""
    return at_ms // (STEP_S * 1000)


def matching_step(secret: bytes, code: str, at_ms: int, after: int) -> int | None:
    """The step whose code `code` is, None if it is none of the present ones or not later than the step `after`."""
    typed = code.replace(" ", "").encode()
    now = step_at(at_ms)
    for step in range(now - DRIFT, now + DRIFT + 1):
        if hmac.compare_digest(code_at(secret, step).encode(), typed) and step > after:
            return step
    return None


def readable(secret: bytes) -> str:
    """The secret as people type it into an app: base32 in groups of four."""
    text = base64.b32encode(secret).decode().rstrip("=")
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def address_of_secret(secret: bytes, username: str, issuer: str) -> str:
    """The `otpauth://` address that an app reads from a link or a QR code."""
    label = quote(f"{issuer}:{username}")
    return f"otpauth://totp/{label}?" + urlencode(
        {"secret": base64.b32encode(secret).decode().rstrip("="), "issuer": issuer}, quote_via=quote
    )


def recovery_code(random: bytes) -> str:
    """A recovery code of 12 letters made from as many random bytes: about 59 bits."""
    letters = "".join(_RECOVERY_LETTERS[byte % len(_RECOVERY_LETTERS)] for byte in random[:_RECOVERY_LENGTH])
    return f"{letters[:4]}-{letters[4:8]}-{letters[8:]}"


def plain_recovery(code: str) -> str:
    """A recovery code as it is compared: without case, blanks and dashes."""
    return "".join(letter for letter in code.lower() if letter.isalnum())


def found_in(digest: str, kept: Sequence[str]) -> bool:
    """Whether the digest of a recovery code is among those kept; looks at all of them."""
    return bool(sum(hmac.compare_digest(digest, each) for each in kept))
