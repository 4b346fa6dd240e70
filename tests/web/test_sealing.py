"""Sealed texts: what comes out is what went in, nobody else's opens, and the secret stays what it was."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.errors import Invalid
from web.paging import Cursors
from web.sealing import NotSealed, Seal, SecretUnreadable, is_sealed, new_secret, secret_in

SECRET = bytes(range(32))


@given(st.text(max_size=100))
def test_what_was_sealed_opens_and_shows_nothing(text: str) -> None:
    seal = Seal(SECRET, "x")
    sealed = seal.seal(text)
    assert seal.open(sealed) == text
    assert is_sealed(sealed)
    assert len(text) < 4 or text not in sealed
    assert seal.seal(text) == sealed


@given(st.text(min_size=1, max_size=40), st.data())
def test_one_changed_bit_and_it_does_not_open(text: str, data: st.DataObject) -> None:
    seal = Seal(SECRET, "x")
    sealed = seal.seal(text)
    raw = bytearray(base64.urlsafe_b64decode(sealed[3:] + "=" * (-len(sealed[3:]) % 4)))
    bit = data.draw(st.integers(0, 8 * len(raw) - 1))
    raw[bit // 8] ^= 1 << bit % 8
    with pytest.raises(NotSealed):
        seal.open("s1." + base64.urlsafe_b64encode(raw).decode().rstrip("="))


FORGED = ["", "s1.", "s1.AAAA", "s1." + "A" * 43, "835512", "s2.AAAA", "s1.\u00e9", "WyI4MzU1MTIiXQ", "s1.=" * 9]


@pytest.mark.parametrize("forged", FORGED)
def test_what_was_not_sealed_here_does_not_open(forged: str) -> None:
    with pytest.raises(NotSealed):
        Seal(SECRET, "x").open(forged)


def test_another_purpose_and_another_secret_open_nothing() -> None:
    sealed = Seal(SECRET, "pin demo").seal("835512")
    for other in (Seal(SECRET, "pin north"), Seal(SECRET, "cursor"), Seal(new_secret(), "pin demo")):
        assert other.seal("835512") != sealed
        with pytest.raises(NotSealed):
            other.open(sealed)


def test_a_pin_is_as_long_as_any_other() -> None:
    seal = Seal(SECRET, "pin")
    assert len({len(seal.seal("1" * digits)) for digits in range(4, 13)}) == 1


def test_servers_of_one_secret_read_each_others_cursors_and_no_forged_ones() -> None:
    here, there = Cursors(SECRET), Cursors(SECRET)
    cursor = here.after("835512", "demo", None)
    assert there.key(cursor, str, str, str | None) == ("835512", "demo", None)
    old = base64.urlsafe_b64encode(b'["835512","demo",null]').decode().rstrip("=")
    for wrong, types in ((cursor, (str,)), (old, (str, str, str)), ("nonsense", (str,))):
        with pytest.raises(Invalid) as refused:
            there.key(wrong, *types)
        assert refused.value.fields["cursor"].en == "This cursor is not one of ours; begin with the first page"


def test_a_secret_is_made_once_for_its_owners_eyes(tmp_path: Path) -> None:
    path = tmp_path / "new" / "hub.secret"
    secret = secret_in(path)
    assert (len(secret), secret_in(path)) == (32, secret)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["hub.secret"]


@pytest.mark.parametrize("held", ["", "nonsense", "00" * 31, "00" * 33, "é"])
def test_a_file_that_is_no_secret_is_left_as_it_is(tmp_path: Path, held: str) -> None:
    path = tmp_path / "hub.secret"
    path.write_text(held, encoding="utf-8")
    with pytest.raises(SecretUnreadable):
        secret_in(path)
    assert path.read_text(encoding="utf-8") == held
