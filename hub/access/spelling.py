"""How names are found and sorted: 周建国 as zhou jian guo, zhoujianguo or zjg. Pure.

A name with a character of several readings is found by each; it is sorted by the reading that it has as a surname, or
that is the most common one. Readings: pypinyin, without its phrases, which say nothing of names.
"""

from __future__ import annotations

import itertools
import os
import re
import unicodedata
from typing import NamedTuple

os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")  # 50 MB

from pypinyin import Style, pinyin

SURNAMES = {
    "单": "shan", "仇": "qiu", "曾": "zeng", "解": "xie", "区": "ou", "查": "zha", "任": "ren", "盖": "ge",
    "朴": "piao", "翟": "zhai", "尉": "wei", "员": "yun", "缪": "miao", "乐": "yue", "折": "she", "黑": "he",
    "洗": "xian", "冼": "xian", "覃": "qin", "宓": "mi", "燕": "yan", "葛": "ge", "华": "hua", "纪": "ji",
    "宁": "ning", "万": "wan", "长": "zhang", "种": "chong", "秘": "bi", "繁": "po", "召": "shao", "占": "zhan",
}  # fmt: skip
"""Surnames that are read otherwise than the same character alone."""

MOST_READINGS = 8
"""Of one name: what is beyond it is found by the others."""

LONGEST = 500


class Spelt(NamedTuple):
    """`sorts`: by which the name is sorted. `sounds`: every word that it is found by, a blank before each."""

    sorts: str
    sounds: str


def spelt(name: str) -> Spelt:
    """How a name sounds. What is not Chinese stands as it is, in small letters."""
    signs = [sign for sign in unicodedata.normalize("NFKC", name).lower() if sign.isalnum() or sign.isspace()]
    syllables = _syllables("".join(signs))
    if not syllables:
        return Spelt("", "")
    words: dict[str, None] = {}
    for reading in itertools.islice(itertools.product(*syllables), MOST_READINGS):
        for since in range(len(reading)):
            words["".join(reading[since:])] = None
            words["".join(part[0] for part in reading[since:])] = None
    main = " ".join(choices[0] for choices in syllables)
    return Spelt(main[:LONGEST], "".join(f" {word}" for word in words)[:LONGEST])


def sound_key(typed: str) -> str:
    """What somebody typed as `sounds` has it; "" if it is no word of Latin letters."""
    word = "".join(unicodedata.normalize("NFKC", typed).lower().replace("'", "").split())
    return word if word.isascii() and word.isalnum() else ""


def _syllables(text: str) -> list[list[str]]:
    found: list[list[str]] = []
    for place, word in enumerate(re.findall(r"[一-鿿]|[^\W一-鿿]+", text)):
        if not "一" <= word <= "鿿":
            found.append([word])
            continue
        readings = pinyin(word, style=Style.NORMAL, heteronym=True, errors=str)[0]
        surname = SURNAMES.get(word) if place == 0 else None
        found.append(list(dict.fromkeys([*([surname] if surname else []), *readings])))
    return found
