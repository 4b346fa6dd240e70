"""Which language an installer reads, and the sentence in it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Language = Literal["zh", "en"]

_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
"""The first that is set decides (POSIX, Environment Variables, 8.2)."""


class Worded(Protocol):
    """Anything with a sentence in both languages (`contract.texts.Text`, a profile's words, a site file's names)."""

    @property
    def zh(self) -> str: ...

    @property
    def en(self) -> str: ...


def language_of(arguments: Sequence[str], environ: Mapping[str, str]) -> Language:
    """What `--lang` says, else what the environment says, else Chinese."""
    asked = _asked(arguments)
    if asked is not None:
        return asked
    said = next((environ[name] for name in _VARIABLES if environ.get(name)), "")
    return "en" if said.lower().startswith("en") else "zh"


def _asked(arguments: Sequence[str]) -> Language | None:
    for at, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name != "--lang":
            continue
        if not equals:
            value = arguments[at + 1] if at + 1 < len(arguments) else ""
        match value:
            case "zh" | "en":
                return value
    return None


@dataclass(frozen=True, slots=True)
class Speech:
    """Picks the sentence: `say("没有应答", "no answer")`."""

    language: Language

    def __call__(self, zh: str, en: str) -> str:
        return zh if self.language == "zh" else en

    def of(self, words: Worded) -> str:
        """The sentence of a text."""
        return words.zh if self.language == "zh" else words.en

    def listed(self, parts: Sequence[str]) -> str:
        """Several things in a row."""
        return ("、" if self.language == "zh" else ", ").join(parts)
