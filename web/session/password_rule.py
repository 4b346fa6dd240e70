"""What a new password must be: long, and not among what is tried first. Pure.

How many guesses a password stands is estimated as the cheapest way to put it together from what guessers know: common
words, names of people in pinyin, rows of keys, runs, years and dates, repeats, and the person's own names. No list of
millions is needed for that, as such lists are made of the same parts. What remains is counted letter by letter.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from functools import cache

from contract.texts import Text

SHORTEST = 12
LONGEST = 200

ENOUGH = 9.0
"""Guesses, as a power of ten. With argon2id a guess costs a core some 20 ms: a lifetime of a thousand cores' work."""

TOO_SHORT = Text(f"至少 {SHORTEST} 个字符", f"must have at least {SHORTEST} characters")
TOO_EASY = Text(
    "太容易被猜到：请避免常用词、姓名、日期、连续按键和重复，可用几个不相关的词组成",
    "is too easy to guess: avoid common words, names, dates, rows of keys and repeats; a few unrelated words do well",
)

_COMMON = """
password passwd passw0rd admin administrator root user guest test demo login welcome letmein secret master default
change changeme dragon monkey shadow sunshine princess football baseball superman batman iloveyou love trustno1 hello
freedom whatever computer internet server access security system manager guard gate gateway gatehouse door property
company office service summer winter spring autumn monday friday qwerty azerty abc abcd asdf asd zxc zxcv qwe qweasd
asdzxc qazwsx 1qaz2wsx 1q2w3e4r 1q2w3e qaz wsx edc zaq q1w2e3r4 china beijing shanghai guangzhou shenzhen hangzhou
chengdu nanjing wuhan tianjin suzhou woaini woaiwojia aini wozuiai mima wangguan guanli guanliyuan baoan menwei menjin
wuye xiaoqu gongsi yonghu ceshi denglu huanying nihao zhongguo qinaide baobao laopo laogong tianshi kaixin jintian
fengkuang 5201314 1314520 520520 5201 1314 147258369 147258 159357 789456123 456789 888888 666666 112233 123123 321321
p@ssw0rd p@ssword admin123 abc123 a123456 aa123456 qq123456 woaini1314
"""
_KEYS = (
    "1234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "abcdefghijklmnopqrstuvwxyz",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "!@#$%^&*()",
    "147258369",
    "7894561230",
)
_LEET = str.maketrans("013457@$!|", "oleastasil")
_INITIALS = "b p m f d t n l g k h j q x zh ch sh r z c s y w"
_FINALS = "a o e i u v ai ei ao ou an en ang eng ong ia ie iao iu ian in iang ing ua uo uai ui uan un uang ue"
_SYLLABLES = frozenset({a + b for a in ("", *_INITIALS.split()) for b in _FINALS.split()})
_LONGEST_WORD = 16

_WORD = math.log10(300)
_SYLLABLE = 2.2
_RUN = 1.8
_YEAR = 1.9
_DATE = 3.6
_YEAR_FORM = re.compile(r"(?:19|20)\d\d")
_DATES = (
    re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"),
    re.compile(r"\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"),
)


def password_fault(password: str, about: Iterable[str] = ()) -> Text | None:
    """What is wrong with a new password; None if nothing is. `about`: the person's, company's and site's names."""
    if len(password) < SHORTEST:
        return TOO_SHORT
    return None if guesses(password, about) >= ENOUGH else TOO_EASY


def guesses(password: str, about: Iterable[str] = ()) -> float:
    """The power of ten of the guesses that find it."""
    text = password[:LONGEST].lower()
    own = {word for name in about for word in _words_of(name)}
    # Several ways to write it: as it stands, and with the signs that stand for letters.
    return min(_cheapest(text, own), _cheapest(text.translate(_LEET), own) + 0.5)


def _cheapest(text: str, own: set[str]) -> float:
    best = [0.0] + [math.inf] * len(text)
    for start, letter in enumerate(text):
        best[start + 1] = min(best[start + 1], best[start] + _letter(letter))
        for end, cost in _parts(text, start, own):
            best[end] = min(best[end], best[start] + cost)
        for size in range(1, start + 1):
            # The same once more, as often as it comes.
            if text.startswith(text[start - size : start], start):
                best[start + size] = min(best[start + size], best[start] + 0.3)
    return best[-1]


def _parts(text: str, start: int, own: set[str]) -> Iterable[tuple[int, float]]:
    """(end, cost) of everything known that begins at `start`."""
    for end in range(start + 2, min(len(text), start + _LONGEST_WORD) + 1):
        piece = text[start:end]
        if piece in own:
            yield end, 0.5
        elif piece in _common():
            yield end, _WORD
        elif piece in _SYLLABLES:
            yield end, _SYLLABLE
        if end - start >= 3 and any(piece in row for row in _rows()):
            yield end, _RUN
    if _YEAR_FORM.match(text, start):
        yield start + 4, _YEAR
    for form in _DATES:
        if found := form.match(text, start):
            yield found.end(), _DATE


def _letter(letter: str) -> float:
    if letter.isdigit():
        return 1.0
    if "a" <= letter <= "z":
        return 1.4
    return 1.5 if letter.isascii() else 2.5


def _words_of(name: str) -> Iterable[str]:
    """The parts of a name that somebody who knows it would try; single letters are none."""
    name = name.lower()
    yield from (word for word in {name, name.replace(" ", ""), *re.split(r"[\W_]+", name)} if len(word) > 1)


@cache
def _common() -> frozenset[str]:
    return frozenset(_COMMON.split())


@cache
def _rows() -> tuple[str, ...]:
    return (*_KEYS, *(row[::-1] for row in _KEYS))
