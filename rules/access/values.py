"""Credential values in the one form in which they are compared. Exact after this; never fuzzy."""

from __future__ import annotations

import re
import unicodedata

from contract.desired import CredentialKind
from contract.texts import Text

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


PLATE_EXPECTED = Text(
    "应为完整的车牌号，如 沪A12345 或新能源 沪AD12345",
    "must be a whole plate, such as 沪A12345, or 沪AD12345 of an electric car",
)
"""What to say of what is none."""

_PROVINCES = "京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新"
_OURS = re.compile(f"[{_PROVINCES}][A-Z].{{5,8}}")
_OTHERS = re.compile(r"[^\W_]{5,10}")


def is_plate(plate: str) -> bool:
    """Whether a plate in its normal form can be one: a car of a shorter one is never let in.

    One that begins with a province has a letter and five to eight signs after it; others (embassies, forces, abroad)
    have five to ten signs.
    """
    if not _OTHERS.fullmatch(plate):
        return False
    return plate[0] not in _PROVINCES or _OURS.fullmatch(plate) is not None


def plate_key(text: str) -> str:
    """By what a plate, or a part of one, is looked for: letters and digits of its normal form; "" if there are none.

    Whatever way it is written (spaces, dots, brackets, full width, lower case), the key is the same.
    """
    return "".join(sign for sign in normal_plate(text) if sign.isalnum())
