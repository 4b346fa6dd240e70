"""What a reader is asked: one command at a time, so that an answer belongs to it, and none after its moment. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from contract.texts import Text
from drivers.osdp.meaning import Message

LIMIT: Final = 8


@dataclass(slots=True)
class PanelCommand:
    """A command for the reader. `done`: told once whether it did it, and if not, why."""

    command: Message
    until: float
    done: Callable[[Text | None], None] = lambda why: None
    sent: bool = False


class PanelCommands:
    """The commands of one reader that wait, the first of them perhaps under way. `LIMIT` at the most."""

    def __init__(self) -> None:
        self._waiting: deque[PanelCommand] = deque()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    @property
    def under_way(self) -> bool:
        """Whether the library has one of them, and may send it or have sent it."""
        return bool(self._waiting) and self._waiting[0].sent

    def add(self, command: PanelCommand) -> bool:
        """Takes one in; False if there are too many."""
        if len(self._waiting) >= LIMIT:
            return False
        self._waiting.append(command)
        return True

    def offer(self, now: float, submit: Callable[[Message], bool]) -> None:
        """Gives the next one to the library, unless one is under way."""
        while self._waiting and not self._waiting[0].sent:
            first = self._waiting[0]
            if now > first.until:
                self._settle(Text("来不及了", "it came too late"))
            elif submit(first.command):
                first.sent = True
            else:
                self._settle(Text("读头现在不能执行", "the reader cannot do that now"))

    def answered(self, command: int, *, done: bool) -> Message | None:
        """The reader answered a command of this kind: the one that it was, None if nobody asked."""
        if not self._waiting or not self._waiting[0].sent or self._waiting[0].command["command"] != command:
            return None
        asked = self._waiting[0].command
        self._settle(None if done else Text("读头拒绝了", "the reader refused"))
        return asked

    def drop(self, why: Text) -> None:
        """None of them will be done."""
        while self._waiting:
            self._settle(why)

    def _settle(self, why: Text | None) -> None:
        self._waiting.popleft().done(why)
