"""Which language somebody reads, and the sentence in it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Language = Literal["zh", "en"]


class Worded(Protocol):
    """Anything with a sentence in both languages (`contract.texts.Text`, a profile's words, a site file's names)."""

    @property
    def zh(self) -> str: ...

    @property
    def en(self) -> str: ...


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
