"""Codes of the second factor against the standards' own test values, and each of them once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.session.second_factor import (
    DRIFT,
    address_of_secret,
    code_at,
    matching_step,
    plain_recovery,
    readable,
    recovery_code,
)

SECRET = b"12345678901234567890"

# RFC 4226, appendix D
COUNTED = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"]

# RFC 6238, appendix B: (seconds, eight digits)
TIMED = [
    (59, "94287082"),
    (1111111109, "07081804"),
    (1111111111, "14050471"),
    (1234567890, "89005924"),
    (2000000000, "69279037"),
    (20000000000, "65353130"),
]


@pytest.mark.parametrize(("counter", "code"), list(enumerate(COUNTED)))
def test_counted_codes_of_rfc_4226(counter: int, code: str) -> None:
    assert code_at(SECRET, counter) == code


@pytest.mark.parametrize(("seconds", "code"), TIMED)
def test_timed_codes_of_rfc_6238(seconds: int, code: str) -> None:
    assert code_at(SECRET, seconds // 30, 8) == code
    assert matching_step(SECRET, code[2:], seconds * 1000, 0) == seconds // 30


@given(st.integers(10, 10**8), st.integers(-5, 5))
def test_a_code_is_taken_near_its_time_and_once(step: int, off: int) -> None:
    code = code_at(SECRET, step)
    found = matching_step(SECRET, code, (step + off) * 30_000, 0)
    if abs(off) <= DRIFT:
        assert found is not None
        assert matching_step(SECRET, code, (step + off) * 30_000, found + 2 * DRIFT) is None
    elif found is not None:
        assert code_at(SECRET, found) == code  # another step with the same six digits


def test_what_apps_read() -> None:
    assert readable(SECRET) == "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"
    address = address_of_secret(SECRET, "王 wang", "Gatehouse")
    assert address == (
        "otpauth://totp/Gatehouse%3A%E7%8E%8B%20wang?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Gatehouse"
    )


@given(st.binary(min_size=12, max_size=32))
def test_recovery_codes_are_read_however_they_are_typed(random: bytes) -> None:
    code = recovery_code(random)
    assert plain_recovery(f" {code.upper()} ") == plain_recovery(code.replace("-", ""))
    assert len(plain_recovery(code)) == 12
