"""The key store: on the disk before a key is used, for its owner alone, never lost to a file that cannot be read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from drivers.osdp.keys import Keys, KeyStore, KeysUnreadable

KEY = bytes(range(16))


def test_no_file_no_keys(tmp_path: Path) -> None:
    assert KeyStore(tmp_path).of("lobby-in") == Keys()


def test_a_key_is_prepared_settled_and_found_again(tmp_path: Path) -> None:
    prepared = KeyStore(tmp_path).prepare("lobby-in")
    assert prepared.current is None
    assert prepared.pending is not None
    assert len(prepared.pending) == 16
    assert KeyStore(tmp_path).of("lobby-in") == prepared
    KeyStore(tmp_path).settle("lobby-in", prepared.pending)
    assert KeyStore(tmp_path).of("lobby-in") == Keys(prepared.pending)


def test_both_are_tried_while_it_is_open_which_one_the_reader_holds(tmp_path: Path) -> None:
    store = KeyStore(tmp_path)
    store.settle("lobby-in", KEY)
    keys = store.prepare("lobby-in")
    assert keys.to_try == (KEY, keys.pending)
    assert store.prepare("lobby-in") == keys, "a key that the reader may hold is offered again"
    assert store.withdraw("lobby-in") == Keys(KEY)


def test_two_keys_are_never_alike(tmp_path: Path) -> None:
    store = KeyStore(tmp_path)
    assert len({store.prepare(f"reader-{number}").pending for number in range(20)}) == 20


def test_only_the_owner_reads(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        KeyStore(tmp_path).settle("lobby-in", KEY)
    finally:
        os.umask(before)
    folder = tmp_path / "osdp-keys"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()] == [0o600]


def test_a_key_is_never_shown() -> None:
    assert KEY.hex() not in repr(Keys(KEY, KEY))
    assert repr(KEY) not in repr(Keys(KEY, KEY))


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"current": 7, "pending": null}', '{"current": "00"}'])
def test_a_file_that_is_none_is_left_alone(tmp_path: Path, text: str) -> None:
    store = KeyStore(tmp_path)
    store.settle("lobby-in", KEY)
    file = tmp_path / "osdp-keys" / "lobby-in.json"
    file.write_text(text)
    for ask in (store.of, store.prepare):
        with pytest.raises(KeysUnreadable, match=r"lobby-in\.json"):
            ask("lobby-in")
    assert file.read_text() == text


def test_a_broken_off_write_leaves_the_old_key(tmp_path: Path) -> None:
    store = KeyStore(tmp_path)
    store.settle("lobby-in", KEY)
    (tmp_path / "osdp-keys" / "lobby-in.json.part").write_text("half")
    assert store.of("lobby-in") == Keys(KEY)
    assert store.prepare("lobby-in").current == KEY
