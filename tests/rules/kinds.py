"""Kinds of work for tests: the shipped ones, and sound ones that nobody thought of."""

from __future__ import annotations

from typing import Any, cast

from hypothesis import strategies as st

from config.load_kinds import load_kinds
from contract.texts import Text
from rules.tickets.kinds import Act, Class, Kind, Who, WorkField, WorkState, WorkStep
from rules.tickets.soundness import flaws

SHIPPED = load_kinds()
REPAIR = next(kind for kind in SHIPPED if kind.id == "repair")

_CLASSES: tuple[Class, ...] = ("open", "doing", "waiting", "checking", "ended", "cancelled")
_WHO: tuple[Who, ...] = ("guard", "maintenance", "manager", "executor", "requester")
_DOES: tuple[tuple[Act, ...], ...] = ((), (), (), ("assign",), ("take_over",), ("release",), ("rework",))


def named(id_: str) -> Text:
    return Text(id_, id_)


def a_state(id_: str, of: Class) -> WorkState:
    return WorkState(id_, named(id_), of)


def a_step(id_: str, start: str, to: str | None, **more: Any) -> WorkStep:
    """`start`: states with blanks between them."""
    return WorkStep(id_, named(id_), frozenset(start.split()), to, **{"who": frozenset({"manager"}), **more})


def a_kind(states: dict[str, Class], *steps: WorkStep, **more: Any) -> Kind:
    """A kind that begins with the first of its states."""
    shape: dict[str, Any] = {"prefix": "X", "origins": frozenset({"people"}), "fields": {}}
    shape |= {"start": next(iter(states)), **more}
    return Kind(
        id="x", name=named("x"), states={id_: a_state(id_, of) for id_, of in states.items()}, steps=steps, **shape
    )


@st.composite
def drawn_kinds(draw: st.DrawFn) -> Kind:
    """Any kind whose names are known; often one that could not be worked by."""
    inner = draw(st.lists(st.sampled_from(_CLASSES), min_size=1, max_size=4))
    states: dict[str, Class] = {"begin": "open"}
    states |= {f"s{number}": of for number, of in enumerate(inner)}
    states["end"] = "ended"
    names = list(states)
    steps = []
    for number in range(draw(st.integers(1, 9))):
        who = draw(st.frozensets(st.sampled_from(_WHO), min_size=1, max_size=3))
        start = draw(st.frozensets(st.sampled_from(names), min_size=1, max_size=2))
        does = frozenset(draw(st.sampled_from(_DOES)))
        to = draw(st.sampled_from(names))
        steps.append(
            WorkStep(f"t{number}", named(f"t{number}"), start, to, who=who, does=does, asks=("until",), says="may")
        )
    return a_kind(states, *steps, fields={"until": WorkField("until", named("until"), "date")})


@st.composite
def _completed(draw: st.DrawFn) -> Kind:
    """Drawn, with a way to every state and an end from each."""
    kind = draw(drawn_kinds())
    names = [name for name in kind.states if name != "begin"]
    ways = [a_step(f"way{number}", "begin", name, asks=("until",)) for number, name in enumerate(names)]
    out = a_step("out", " ".join(name for name in names if name != "end"), "end", who=frozenset({"manager", "guard"}))
    return a_kind(
        {name: state.of for name, state in kind.states.items()},
        *kind.steps,
        *ways,
        *([out] if out.start else []),
        fields=kind.fields,
    )


def sound_kinds() -> st.SearchStrategy[Kind]:
    """Kinds that may be worked by: the shipped ones and random ones."""
    return cast(
        "st.SearchStrategy[Kind]",
        st.sampled_from(SHIPPED) | _completed().filter(lambda kind: not flaws(kind)),
    )
