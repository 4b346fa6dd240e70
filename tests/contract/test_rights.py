"""Who sees what: the table names every kind, every field, every role, and what it hides does not come through."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args, get_type_hints

import msgspec
import pytest

from contract.desired import Role
from contract.kinds import KINDS
from contract.rights import (
    EVERYBODY_SEES,
    FIELD_SIGHTS,
    HIDDEN,
    KIND_SIGHTS,
    SIGHTS,
    data_seen,
    kinds_seen,
    number_seen,
    sees_event,
    shapes_in,
    thing_seen,
    viewer_of,
)
from tests.marks import ALL, hidden_from, mark, marked

ROLES: tuple[Role, ...] = get_args(Role)


def shapes() -> Iterator[type[msgspec.Struct]]:
    """Every shape that the data of any kind holds."""
    waiting, seen = list(KINDS.values()), set[type[msgspec.Struct]]()
    while waiting:
        shape = waiting.pop()
        if shape not in seen:
            seen.add(shape)
            yield shape
            hints = get_type_hints(shape, include_extras=True)
            waiting += [nested for hint in hints.values() for _, nested in shapes_in(hint)]


def test_the_table_names_every_kind_and_every_role() -> None:
    assert set(KIND_SIGHTS) == set(KINDS)
    assert set(SIGHTS) == set(ROLES)


@pytest.mark.parametrize("shape", sorted(shapes(), key=str), ids=str)
def test_the_table_names_every_field_once(shape: type[msgspec.Struct]) -> None:
    named = " ".join(FIELD_SIGHTS[shape]).split()
    assert sorted(named) == sorted(shape.__struct_fields__)


def test_the_table_names_nothing_that_is_not_there() -> None:
    assert set(FIELD_SIGHTS) == set(shapes())


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("kind", KINDS)
def test_of_every_kind_every_role_sees_its_fields_and_no_others(kind: str, role: Role) -> None:
    data, viewer = marked(kind), viewer_of(role, "me")
    allowed = KIND_SIGHTS[kind] in SIGHTS[role]
    assert sees_event(viewer, kind, "somebody", data) is allowed
    assert kind in (kinds_seen(viewer) or KINDS) if allowed else kind not in (kinds_seen(viewer) or ())
    if allowed:
        seen = bytes(data_seen(viewer, kind, data)).decode()
        assert [secret for secret in hidden_from(role) if secret in seen] == []
        for sight in ALL:
            # What is not hidden is all there.
            assert seen.count(mark(sight)) == (bytes(data).decode().count(mark(sight)) if sight in SIGHTS[role] else 0)


def test_what_is_hidden_leaves_a_text_or_nothing_in_its_place() -> None:
    data = msgspec.Raw(
        b'{"credential":{"kind":"card","value":"04A1"},"holder":"h-1","rule":"g","picture":"p","direction":"in"}'
    )
    seen = data_seen(viewer_of("maintenance"), "access.granted", data)
    assert msgspec.json.decode(seen) == {
        "credential": {"kind": "card", "value": HIDDEN},
        "holder": None,
        "rule": "g",
        "picture": None,
        "direction": "in",
    }
    # Where nothing is hidden it is the very text that was recorded.
    assert data_seen(viewer_of("guard"), "access.granted", data) is data


@pytest.mark.parametrize(
    ("role", "kind", "value", "told"),
    [
        ("guard", "card", "04A1B2C3D4E5F6", "••••E5F6"),
        ("guard", "qr", "GH1.4f7a.99c1", "••••99c1"),
        ("guard", "pin", "****", "****"),
        ("guard", "plate", "沪A12345", "沪A12345"),
        ("manager", "card", "04A1B2C3D4E5F6", "04A1B2C3D4E5F6"),
        ("installer", "card", "04A1B2C3D4E5F6", "04A1B2C3D4E5F6"),
        ("maintenance", "card", "04A1B2C3D4E5F6", HIDDEN),
        ("maintenance", "plate", "沪A12345", HIDDEN),
    ],
)
def test_of_a_number_a_post_sees_the_end(role: Role, kind: str, value: str, told: str) -> None:
    data = msgspec.Raw(msgspec.json.encode({"credential": {"kind": kind, "value": value}, "rule": "g"}))
    seen = data_seen(viewer_of(role), "access.denied", data)
    assert msgspec.json.decode(seen)["credential"] == {"kind": kind, "value": told}
    assert number_seen(viewer_of(role), kind, value) == told
    assert (seen is data) is (told == value)


def test_one_sees_what_is_about_oneself() -> None:
    opened = msgspec.Raw(b'{"username":"wang","role":"guard","address":"192.0.2.1"}')
    wang, song = viewer_of("guard", "id-wang", "wang"), viewer_of("guard", "id-song", "song")
    assert sees_event(wang, "session.opened", "gw", opened)
    assert not sees_event(song, "session.opened", "gw", opened)
    changed = msgspec.Raw(b'{"id":"id-song"}')
    assert sees_event(song, "account.changed", "id-song", changed)
    assert not sees_event(wang, "account.changed", "id-song", changed)
    # A name in something else makes it nobody's.
    assert not sees_event(wang, "holder.changed.later", "wang", opened)


def test_what_nobody_knows_only_an_administrator_sees() -> None:
    data = msgspec.Raw(b'{"plate":"x"}')
    for role in ROLES:
        assert sees_event(viewer_of(role), "something.new", "x", data) is (role == "admin")
        new = thing_seen(viewer_of(role), "lane", {"id": "l", "site": "s", "brand_new": 1, "last_plate": "A"})
        assert new["brand_new"] == (1 if role == "admin" else None)
        assert new["last_plate"] == (None if role == "maintenance" else "A")
    assert EVERYBODY_SEES.sees_everything
