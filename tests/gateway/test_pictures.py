from __future__ import annotations

import threading
from pathlib import Path

import pytest

from contract.limits import PICTURE_LIMIT
from contract.pictures import picture_id
from gateway import pictures
from gateway.clock import Clock
from gateway.pictures import PictureStore
from tests.gateway.disks import Hands, until


def jpeg(text: str, size: int = 100) -> bytes:
    return b"\xff\xd8\xff\xe0" + text.encode().ljust(size - 4, b".")


def opened(folder: Path, hands: Hands | None = None, quota_bytes: int = 1_000_000) -> PictureStore:
    return PictureStore.open(folder, clock=Clock((hands or Hands()).machine), quota_bytes=quota_bytes)


async def test_a_picture_is_kept_under_the_hash_of_its_bytes(tmp_path: Path) -> None:
    store = opened(tmp_path)
    name = await store.save(jpeg("a"))
    assert name == picture_id(jpeg("a"))
    file = store.path(name)
    assert file is not None
    assert file.read_bytes() == jpeg("a")
    assert store.path("0" * 32) is None
    assert store.path("../" + name) is None


@pytest.mark.parametrize("bad", [b"", b"GIF89a", b"\xff\xd8", jpeg("large", PICTURE_LIMIT + 1)])
async def test_what_is_no_picture_is_refused(tmp_path: Path, bad: bytes) -> None:
    store = opened(tmp_path)
    with pytest.raises(ValueError, match=r"not a JPEG|at most"):
        await store.save(bad)
    assert store.backlog == 0


async def test_the_oldest_unsent_goes_first_and_once(tmp_path: Path) -> None:
    hands = Hands()
    store = opened(tmp_path, hands)
    heard: list[int] = []
    store.watch(lambda: heard.append(store.backlog))
    first = await store.save(jpeg("a"))
    hands.pass_s(1)
    second = await store.save(jpeg("b"))
    assert await store.save(jpeg("a")) == first
    assert heard == [1, 2]
    picture = await store.next_unsent()
    assert picture is not None
    assert (picture.id, picture.at, picture.jpeg) == (first, "2026-09-21T14:13:20.000Z", jpeg("a"))
    await store.mark_sent(first)
    await store.mark_sent(first)
    picture = await store.next_unsent()
    assert picture is not None
    assert picture.id == second
    await store.mark_sent(second)
    assert await store.next_unsent() is None
    assert store.path(first) is not None


async def test_a_restart_knows_what_was_sent(tmp_path: Path) -> None:
    hands = Hands()
    store = opened(tmp_path, hands)
    first = await store.save(jpeg("a"))
    hands.pass_s(5)
    second = await store.save(jpeg("b"))
    await store.mark_sent(first)
    (tmp_path / "waiting" / "half.part").write_bytes(b"half")
    (tmp_path / "waiting" / "notes.txt").write_text("left alone")
    again = opened(tmp_path, hands)
    assert again.backlog == 1
    picture = await again.next_unsent()
    assert picture is not None
    assert (picture.id, picture.at) == (second, "2026-09-21T14:13:25.000Z")
    assert sorted(file.name for file in (tmp_path / "waiting").iterdir()) == [f"{second}.jpg", "notes.txt"]


async def test_the_quota_takes_the_sent_ones_first(tmp_path: Path) -> None:
    store = opened(tmp_path, quota_bytes=300)
    names = [await store.save(jpeg(text)) for text in "abc"]
    await store.mark_sent(names[1])
    names.append(await store.save(jpeg("d")))
    assert [store.path(name) is not None for name in names] == [True, False, True, True]
    assert store.dropped == 0
    names.append(await store.save(jpeg("e")))
    assert [store.path(name) is not None for name in names] == [False, False, True, True, True]
    assert store.dropped == 1
    assert len(list((tmp_path / "waiting").iterdir())) == 3


async def test_half_a_picture_is_not_sent(tmp_path: Path) -> None:
    store = opened(tmp_path)
    name = await store.save(jpeg("a"))
    whole = await store.save(jpeg("b"))
    file = store.path(name)
    assert file is not None
    file.write_bytes(jpeg("a")[:50])
    picture = await store.next_unsent()
    assert picture is not None
    assert picture.id == whole
    assert store.path(name) is None


async def test_a_picture_that_vanished_is_passed_over(tmp_path: Path) -> None:
    store = opened(tmp_path)
    name = await store.save(jpeg("a"))
    (tmp_path / "waiting" / f"{name}.jpg").unlink()
    assert await store.next_unsent() is None
    assert store.backlog == 0


async def test_a_disk_that_refuses_keeps_nothing_half(tmp_path: Path) -> None:
    store = opened(tmp_path)
    (tmp_path / "waiting").rmdir()
    (tmp_path / "waiting").write_bytes(b"")
    with pytest.raises(OSError, match="waiting"):
        await store.save(jpeg("a"))
    assert store.backlog == 0


async def test_a_folder_that_takes_long_to_list_is_taken_up_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = PictureStore.open(tmp_path / "pictures", clock=Clock())
    name = await store.save(b"\xff\xd8\xff" + b"1" * 100)
    goes = threading.Event()
    real = pictures._files
    monkeypatch.setattr(pictures, "OPEN_S", 0.02)
    monkeypatch.setattr(pictures, "_files", lambda folder: (goes.wait(20), real(folder))[1])
    again = PictureStore.open(tmp_path / "pictures", clock=Clock())
    assert again.backlog == 0
    goes.set()
    await until(lambda: again.backlog == 1)
    assert again.path(name) is not None
