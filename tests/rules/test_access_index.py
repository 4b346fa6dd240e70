"""The next index from what changed: equal to the index of the whole, at the cost of the change."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from contract.desired import Block, Credential, Grant, Holder
from contract.texts import Text
from rules.access.decision import Request, decide
from rules.access.index import AccessIndex, Changed
from tests.rules.people import CARD, HOLDER, LOBBY, NOON, OFFICE, ZONE, ZONES, index

few = st.sampled_from(["1", "2", "3"])
instants = st.sampled_from([None, "2026-01-01T00:00:00.000Z", "2030-01-01T00:00:00.000Z", "2026-02-31T00:00:00.000Z"])
values = st.sampled_from(["04A1", "04:a1", "04B2"])
KINDS: dict[str, st.SearchStrategy[Any]] = {
    "holder": st.builds(Holder, id=few, name=few, valid_to=instants),
    "credential": st.builds(
        Credential,
        id=few,
        kind=st.sampled_from(["card", "plate"]),
        value=values,
        holder=few,
        state=st.sampled_from(["active", "revoked"]),
        valid_from=instants,
    ),
    "grant": st.builds(
        Grant,
        id=few,
        holder=few,
        places=st.lists(st.sampled_from(["lobby", "cellar"]), min_size=1, max_size=3),
        schedule=st.sampled_from(["always", "office"]),
        valid_to=instants,
    ),
    "block": st.builds(Block, id=few, kind=st.just("card"), value=values, reason=st.just(Text("x", "x"))),
    "schedule": st.builds(lambda name: msgspec.structs.replace(OFFICE, id=name), few),
    "account": st.none(),
}


@st.composite
def change(draw: st.DrawFn) -> Changed:
    kind = draw(st.sampled_from(sorted(KINDS)))
    value = draw(st.none() | KINDS[kind])
    return kind, draw(few) if value is None else value.id, value


@given(st.lists(st.lists(change(), max_size=6), max_size=8), st.booleans())
def test_step_by_step_it_is_the_index_of_the_whole(steps: list[list[Changed]], spent: bool) -> None:
    built = AccessIndex.of([], zones=ZONES, timezone=ZONE)
    whole: dict[tuple[str, str], msgspec.Struct] = {}
    for revision, step in enumerate(steps, start=1):
        before = AccessIndex.of(whole.values(), zones=ZONES, timezone=ZONE, revision=revision - 1)
        for kind, name, value in step:
            whole.pop((kind, name), None)
            if value is not None:
                whole[kind, name] = value
        was, built = built, built.after(step, revision=revision, spent=spent)
        assert spent or was == before
    assert built == AccessIndex.of(whole.values(), zones=ZONES, timezone=ZONE, revision=len(steps))


def test_what_did_not_change_is_shared_with_the_index_before() -> None:
    """So the cost is that of the change, however much is held."""
    before = index(HOLDER, CARD, LOBBY, OFFICE)
    after = before.after([("credential", CARD.id, msgspec.structs.replace(CARD, state="revoked"))], revision=8)
    assert after.grants is before.grants
    assert after.holders is before.holders
    pairs = zip(after.credentials._shards, before.credentials._shards, strict=True)
    assert sum(mine is not theirs for mine, theirs in pairs) == 1
    request = Request("lobby", "card", CARD.value)
    assert decide(before, request, NOON).granted
    assert decide(after, request, NOON).reason.code == "revoked"


def test_what_many_grants_say_is_held_once() -> None:
    built = index(*(msgspec.structs.replace(LOBBY, id=f"g-{n}", places=["lobby", "cellar"]) for n in range(9)))
    (theirs,) = built.grants.values()
    assert len({id(grant.right) for grant in theirs}) == 1
    assert len({id(grant.holder) for grant in theirs}) == 1


def test_an_index_that_is_let_go_is_empty() -> None:
    built = index(HOLDER, CARD, LOBBY)
    built.let_go()
    assert not built.holders
    assert not built.grants
