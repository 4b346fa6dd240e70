"""What can be wrong in a file that people write: where, what stood there, and what was expected, in both languages."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from contract.texts import Text

Language = Literal["zh", "en"]

_LISTED = 12
"""So many choices are named in full; of longer lists the beginning."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing wrong. `line`: 1-based. `where`: the keys that lead there, with dots. `found`: as it is written."""

    file: str
    line: int
    where: str
    found: str
    expected: Text

    def say(self, language: Language = "en") -> str:
        """One line for a person."""
        head = f"{self.file}:{self.line}: {self.where}".rstrip(": ")
        expected = self.expected.zh if language == "zh" else self.expected.en
        if not self.found:
            return f"{head}: {expected}"
        return (
            f"{head}: 写的是 {self.found}，{expected}"
            if language == "zh"
            else f"{head}: found {self.found}; {expected}"
        )

    def __str__(self) -> str:
        return self.say()


class SiteErrors(Exception):
    """Files that cannot be used: all their mistakes at once, in the order of files and lines."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = sorted(set(mistakes), key=lambda each: (each.file, each.line, each.where, each.expected.en))
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))

    def say(self, language: Language = "en") -> str:
        """All mistakes, a line each."""
        return "\n".join(mistake.say(language) for mistake in self.mistakes)


def one_of(what: Text, known: Iterable[str], found: str = "") -> Text:
    """ "expected one of …", with the likeliest one named."""
    choices = list(known)
    likely = closest(found, choices)
    space = " " if what.zh[:1].isascii() else ""
    zh, en = f"应为{space}{what.zh}", f"expected {what.en}"
    if not choices:
        return Text(zh + "（一个也没有）", en + " (there is none)")
    shown = choices[:_LISTED]
    more = len(choices) - len(shown)
    zh += "：" + "、".join(shown) + (f" 等 {len(choices)} 个" if more else "")
    en += ": " + ", ".join(shown) + (f" and {more} more" if more else "")
    if likely is not None:
        zh, en = f"{zh}；是否想写 {likely}？", f"{en}; did you mean {likely}?"
    return Text(zh, en)


def closest(found: str, known: Iterable[str]) -> str | None:
    """The known word that `found` most likely is, or None."""
    choices = list(known)
    near = difflib.get_close_matches(found.lower(), [word.lower() for word in choices], n=1, cutoff=0.6)
    return next((word for word in choices if word.lower() == near[0]), None) if near else None
