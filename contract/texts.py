"""A text for people, in both languages."""

from __future__ import annotations

import msgspec


class Text(msgspec.Struct, frozen=True):
    """One sentence in Chinese and in English."""

    zh: str
    en: str


class Reason(msgspec.Struct, frozen=True):
    """Why something was decided: a code for machines, a sentence for people."""

    code: str
    zh: str
    en: str
