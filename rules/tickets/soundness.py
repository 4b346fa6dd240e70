"""Whether a flow can be lived with: every state is reached, every step is somebody's, everything comes to an end.

Proven by walking all that a piece of work of the kind can be: its state, whether somebody has it, whether anybody
asked for it, whether a device vouches for it. A few hundred situations at the most, so that nothing is left to luck.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from contract.texts import Text
from rules.tickets.kinds import OVER, Kind, Who, WorkStep


class Flaw(NamedTuple):
    """What is wrong with a kind: at which keys of its file, and what was expected."""

    place: tuple[str, ...]
    expected: Text


class Situation(NamedTuple):
    """Work as the proof sees it. `held`: somebody has it; `asked`: an account asked for it; `device`: one vouches."""

    state: str
    held: bool
    asked: bool
    device: bool


def flaws(kind: Kind) -> list[Flaw]:
    """Everything that makes the flow unsound; none: it may be worked by. The names in it must be known already."""
    beginnings = list(_beginnings(kind))
    reached = _reached(kind, beginnings)
    found = list(_shape(kind))
    found += _unreached(kind, reached)
    found += _nobodys(kind, reached)
    found += _endless(kind, reached)
    found += _unasked(kind, beginnings)
    return found


def _beginnings(kind: Kind) -> Iterator[Situation]:
    for origin in sorted(kind.origins):
        yield Situation(kind.start, held=False, asked=origin == "people", device=origin == "gateway")


def _next(kind: Kind, now: Situation, without: str = "") -> Iterator[tuple[WorkStep, Situation]]:
    """The steps that somebody, or the hub, can take in a situation. `without`: a field that no step may ask for."""
    for step in kind.steps_from(now.state):
        if without in step.asks or not takers(kind, step, now):
            continue
        held = (now.held or bool(step.does & {"assign", "take_over"})) and "release" not in step.does
        yield step, now._replace(state=step.to or now.state, held=held)


def takers(kind: Kind, step: WorkStep, now: Situation) -> frozenset[Who]:
    """Who could take the step there: somebody of a role who has nothing else to do with the work, or by a relation.

    Of the hub's own steps everybody, where they can come to pass.
    """
    if step.on is not None:
        comes = now.device if step.on in ("device_well", "device_faulty") else True
        return step.who | frozenset({"admin"}) if comes else frozenset()
    if "take_over" in step.does and not now.held:
        return frozenset()
    found: set[Who] = set()
    for who in step.who:
        if who == "executor":
            # Whoever has it never says that it is good.
            if now.held and "executor" not in step.never and not kind.ends(step):
                found.add(who)
        elif who == "requester":
            if now.asked and "requester" not in step.never:
                found.add(who)
        else:
            found.add(who)
    return frozenset(found)


def _reached(kind: Kind, beginnings: Iterable[Situation], without: str = "") -> set[Situation]:
    reached = set(beginnings)
    waiting = list(reached)
    while waiting:
        for _, after in _next(kind, waiting.pop(), without):
            if after not in reached:
                reached.add(after)
                waiting.append(after)
    return reached


def _shape(kind: Kind) -> Iterator[Flaw]:
    if kind.of(kind.start) != "open":
        yield Flaw(("start",), Text("起始状态应属于 open 类", "expected a state of the class `open` to start with"))
    if not kind.states_of("ended"):
        yield Flaw(("states",), Text("至少要有一个 ended 类的状态", "expected at least one state of the class `ended`"))
    for step in kind.steps:
        place = ("steps", step.id)
        if step.on is None and not step.who:
            yield Flaw((*place, "who"), Text("应写明谁可以操作", "expected whose step it is"))
        if step.on is not None and (step.who or step.asks or step.says == "must"):
            expected = Text(
                "系统自动执行的步骤没有操作人，也不能要求填写",
                "a step of the hub's own is nobody's and asks for nothing",
            )
            yield Flaw((*place, "on"), expected)
        if len(step.does & {"assign", "take_over", "release"}) > 1:
            expected = Text("assign、take_over、release 只能选一个", "assign, take_over and release exclude each other")
            yield Flaw((*place, "does"), expected)
        yield from _waiting(kind, step)
    yield from _returning(kind)


def _waiting(kind: Kind, step: WorkStep) -> Iterator[Flaw]:
    """Every hour of late work belongs to somebody, or to something that is waited for until a day."""
    if step.to is None or kind.of(step.to) != "waiting":
        return
    if not any(kind.fields[id_].type == "date" for id_ in step.asks):
        expected = Text(
            "进入等待状态时应要求填写日期（等到何时）", "expected a date among them: until when is it waited"
        )
        yield Flaw(("steps", step.id, "asks"), expected)


def _returning(kind: Kind) -> Iterator[Flaw]:
    """A fault that comes back while its work is checked must take the work back."""
    if "gateway" not in kind.origins:
        return
    for state in sorted(kind.states_of("checking")):
        if kind.upon(state, "device_faulty") is None:
            expected = Text(
                "设备再次故障时要有一个步骤（on: device_faulty）离开此状态",
                "expected a step out of it with `on: device_faulty`, for the fault that comes back",
            )
            yield Flaw(("states", state), expected)


def _unreached(kind: Kind, reached: set[Situation]) -> Iterator[Flaw]:
    known = {situation.state for situation in reached}
    for state in kind.states:
        if state not in known:
            yield Flaw(("states", state), Text("没有任何步骤能到达此状态", "no step ever leads to this state"))


def _nobodys(kind: Kind, reached: set[Situation]) -> Iterator[Flaw]:
    states = {situation.state for situation in reached}
    for step in kind.steps:
        if not step.start & states or (step.on is None and not step.who):
            continue  # said of its state, or of the step itself
        if not any(takers(kind, step, now) for now in reached if now.state in step.start):
            expected = Text(
                "任何情况下都没有人能操作此步骤（执行人不能验收自己的工作）",
                "nobody can ever take this step (an executor never accepts work of their own)",
            )
            yield Flaw(("steps", step.id, "who" if step.on is None else "on"), expected)


def _endless(kind: Kind, reached: set[Situation]) -> Iterator[Flaw]:
    """Situations from which no end is reached: one flaw a state."""
    leads: dict[Situation, set[Situation]] = {now: set() for now in reached}
    for now in reached:
        for _, after in _next(kind, now):
            leads[after].add(now)
    good = [now for now in reached if kind.of(now.state) in OVER]
    ending = set(good)
    while good:
        for before in leads[good.pop()]:
            if before not in ending:
                ending.add(before)
                good.append(before)
    told: set[str] = set()
    for now in sorted(reached - ending):
        if now.state not in told:
            told.add(now.state)
            yield Flaw(("states", now.state), _stuck(now))


def _stuck(now: Situation) -> Text:
    zh, en = [], []
    for holds, words in (
        (now.held, Text("已有执行人", "somebody has it")),
        (not now.held, Text("无执行人", "nobody has it")),
        (not now.asked, Text("无报修人账号", "no account asked for it")),
        (now.device, Text("由设备告警产生", "a device raised it")),
        (not now.device, Text("没有设备可以证明", "no device vouches for it")),
    ):
        if holds:
            zh.append(words.zh)
            en.append(words.en)
    return Text(
        f"从此状态无法到达结束（{'、'.join(zh)}时）", f"no end can be reached from here (while {', '.join(en)})"
    )


def _unasked(kind: Kind, beginnings: Sequence[Situation]) -> Iterator[Flaw]:
    """Required fields that some way to an end never asks for."""
    for id_, field in kind.fields.items():
        if not field.required:
            continue
        around = {now.state for now in _reached(kind, beginnings, without=id_)} & kind.states_of("ended")
        if around:
            names = sorted(around)
            expected = Text(
                f"必填项，但有到达 {'、'.join(names)} 的路径从不要求填写（由某一步的 asks 要求）",
                f"it is required, but {', '.join(names)} is reached by a way that never asks for it (`asks` of a step)",
            )
            yield Flaw(("fields", id_), expected)
