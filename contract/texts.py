"""A text for people, in both languages."""

from __future__ import annotations

import msgspec

from contract.limits import Id, Words


class Text(msgspec.Struct, frozen=True):
    """One sentence in Chinese and in English."""

    zh: Words
    en: Words


class Reason(msgspec.Struct, frozen=True):
    """Why something was decided: a code for machines, a sentence for people."""

    code: Id
    zh: Words
    en: Words
