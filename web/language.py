"""Which of the two languages a person reads. Chinese is what everybody gets who asks for nothing."""

from __future__ import annotations

from typing import Literal

from contract.texts import Reason, Text

Language = Literal["zh", "en"]
DEFAULT: Language = "zh"


def accepted(header: str) -> Language | None:
    """The language that an Accept-Language header (RFC 9110, 12.5.4) likes best, None if it names neither."""
    best: Language | None = None
    best_weight = 0.0
    for part in header.split(",")[:20]:
        tag, _, parameters = part.strip().partition(";")
        language = _of_tag(tag)
        weight = _weight(parameters)
        if language is not None and weight > best_weight:
            best, best_weight = language, weight
    return best


def in_language(text: Text | Reason, language: Language) -> str:
    """The sentence of `text` in `language`."""
    return text.en if language == "en" else text.zh


def _of_tag(tag: str) -> Language | None:
    primary = tag.strip().lower().split("-", 1)[0]
    if primary == "zh":
        return "zh"
    return "en" if primary == "en" else None


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0
