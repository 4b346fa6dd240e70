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

from rules.access.rooms import is_room, room_key

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

LONGEST_WORD, MOST_ENDINGS = 32, 16
"""Signs of one word of `found_by`, and from how many of its signs on a name is found."""

MOST_FOUND_BY = 2_000

MOST_SIGNS, SAID_WORD, MOST_SAID = 80, 16, 4_000
"""Signs of a text that `said_in` reads, of one of its words in letters, and of all of them."""

_LETTERS = re.compile(r"[^\W\d_]+")


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


def found_by(name: str, unit: str) -> str:
    """Every word that a person is found by, a blank before each: an index of trigrams finds what begins so.

    The name from each of its signs on, how it sounds, the words of the unit, and the room from each of its parts on.
    """
    words = [*_endings(_plain(name)), *spelt(name).sounds.split()]
    words += [ending for run in _LETTERS.findall(_plain(unit)) for ending in _endings(run)]
    parts = room_key(unit).split("-")
    words += [_room_word("-".join(parts[since:])) for since in range(len(parts)) if parts[since]]
    return "".join(f" {word}" for word in dict.fromkeys(words))[:MOST_FOUND_BY]


def said_in(*texts: str) -> str:
    """Every word that texts are found by, a blank before each: from each of their signs on, in letters and by sound."""
    words: dict[str, None] = {}
    for text in texts:
        plain = _plain(text)[:MOST_SIGNS]
        words |= dict.fromkeys(plain[since : since + SAID_WORD] for since in range(len(plain)))
        syllables = _syllables(plain)
        for since, readings in enumerate(syllables):
            after = [choices[0] for choices in syllables[since + 1 : since + SAID_WORD]]
            for reading in readings:
                words["".join((reading, *after))[:LONGEST_WORD]] = None
                words["".join(part[0] for part in (reading, *after))[:SAID_WORD]] = None
    return "".join(f" {word}" for word in words)[:MOST_SAID]


def sayings(typed: str) -> list[str]:
    """With which of the words of `said_in` what somebody typed may begin; none if it is no word."""
    words = [_plain(typed)[:SAID_WORD], sound_key(typed)[:LONGEST_WORD]]
    return list(dict.fromkeys(word for word in words if word))


def beginnings(typed: str) -> list[str]:
    """With which of the words of `found_by` what somebody typed may begin; none if it can mean nobody."""
    room = room_key(typed)
    words = [_plain(typed), sound_key(typed), _room_word(room) if is_room(room) else ""]
    return list(dict.fromkeys(word for word in words if word))


def sound_key(typed: str) -> str:
    """What somebody typed as `sounds` has it; "" if it is no word of Latin letters."""
    word = "".join(unicodedata.normalize("NFKC", typed).lower().replace("'", "").split())
    return word if word.isascii() and word.isalnum() else ""


def _plain(text: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFKC", text).lower() if sign.isalnum())


def _endings(word: str) -> list[str]:
    return [word[since : since + LONGEST_WORD] for since in range(min(len(word), MOST_ENDINGS))]


def _room_word(room: str) -> str:
    """One word for trigrams, which end at a hyphen."""
    return f"r{room.replace('-', 'x')}"


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
