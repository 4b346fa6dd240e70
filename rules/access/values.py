"""Credential values in the one form in which they are compared. Exact after this; never fuzzy."""

from __future__ import annotations

import re
import unicodedata

from contract.desired import CredentialKind

NO_PLATE = frozenset({"", "_无_", "无", "无牌", "无牌车", "NOPLATE", "UNKNOWN"})
"""What cameras write when they saw a vehicle but no plate."""

_PLATE_MARKS = re.compile(r"[\s.\-·•‧∙⋅・﹒‐‑‒–—−]+")
_CARD_MARKS = re.compile(r"[\s:\-]+")


def normal_plate(text: str) -> str:
    """A plate without spaces, dots and hyphens, half-width and upper case; "" if the text says that there is none."""
    plate = _PLATE_MARKS.sub("", unicodedata.normalize("NFKC", text)).upper()
    return "" if plate in NO_PLATE else plate


def normal_value(kind: CredentialKind, value: str) -> str:
    """The value of a credential as it is compared: plates and cards without marks in upper case, others trimmed."""
    if kind == "plate":
        return normal_plate(value)
    if kind == "card":
        return _CARD_MARKS.sub("", value).upper()
    return value.strip()
