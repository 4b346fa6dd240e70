"""What cameras that push speak: one explicit table from a profile's dialect to how it is read and answered. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec

from drivers.camera import dahua, hikvision, zhenshi
from drivers.camera.plates import Pushed


class Answer(NamedTuple):
    """The body of an answer and its content type."""

    body: bytes
    kind: str


class Said(NamedTuple):
    """What the answer to a push has to say. `taken`: what it pushed is on disk."""

    pushed: Pushed = Pushed()
    lift: bool = False
    command: zhenshi.AnswerCommand | None = None
    show: zhenshi.Show | None = None
    taken: bool = True


class Dialect(NamedTuple):
    """How pushes are read and answered. `commands`: whether an answer can carry one."""

    parse: Callable[[str, bytes, str], Pushed]
    answer: Callable[[Said], Answer]
    commands: bool = False


def _json(said: Mapping[str, object]) -> Answer:
    return Answer(msgspec.json.encode(said), "application/json")


def _zhenshi(said: Said) -> Answer:
    answer = zhenshi.answer(said.lift, pushed=said.pushed, command=said.command, show=said.show, goes_on=said.taken)
    return _json(answer)


DIALECTS: Mapping[str, Dialect] = {
    "zhenshi": Dialect(zhenshi.parse, _zhenshi, commands=True),
    "hikvision": Dialect(hikvision.parse, lambda said: Answer(hikvision.ANSWER, "application/xml")),
    "dahua-itsapi": Dialect(dahua.parse, lambda said: _json(dahua.ANSWER)),
}
"""By the dialect of a camera's profile."""
