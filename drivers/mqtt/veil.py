"""What of a message must not be told, by the names in it: in its topic, of fields and around them. Pure.

Names are free, so it is better to hide one too many: `keypad_state` too, though not `spinning` or `pump_in`.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Literal, NamedTuple

from drivers.listening import HIDDEN, Eyes, last_four

Hides = Literal["secrets", "numbers", "plates"]
"""Why: the field of `Eyes` that would have to be true."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_DIVIDER = re.compile(r"[\W_]+")
_VALUE = re.compile(r"[\d=:]")

_SECRET_WORDS = re.compile(
    r"pin(?!g|k|ne|na|io)[a-z]*|[a-z]*(?<!s)pins?|pass|code[a-z]*|[a-z]*codes?|key[a-z]*|[a-z]*keys?|otp"
)
_SECRET_PARTS = re.compile(
    r"password|passwd|passcode|passphrase|pincode|secret|token|pwd|psk|authorization|密码|口令|密钥|验证码"
)
_SECRET_SIGNS = re.compile(r"(?<![A-Z])PIN(?![A-Z])")
_NUMBER_WORDS = re.compile(r"tag[a-z]*|[a-z]*tags?|[a-z]*(?<!u)uids?|nfc[a-z]*")
_NUMBER_PARTS = re.compile(r"(?<!dis)card(?!inal)|credential|wiegand|rfid|badge|fob|卡号|证件|身份证")
_PLATE_WORDS = re.compile(r"labels?|[a-z]*label")
_PLATE_PARTS = re.compile(r"(?<!tem)plate|licen[cs]e|车牌")


class Veiled(NamedTuple):
    """As far as it may be told. `whole`: it is as it was sent, and names nothing that would have to be hidden."""

    topic: str
    payload: str
    whole: bool


def told(topic: str, payload: str, eyes: Eyes) -> Veiled:
    """A message; its bytes may be told where it is whole."""
    shown, hides = _topic(topic, eyes)
    veil = _Veil(eyes)
    try:
        said = veil.read(payload)
        veiled = veil.over(said, hides)
    except RecursionError:
        return Veiled(shown, HIDDEN, whole=False)
    if not veil.named and not hides:
        return Veiled(shown, payload, whole=True)
    text = veiled if isinstance(veiled, str) else json.dumps(veiled, ensure_ascii=False)
    return Veiled(shown, text, whole=False)


class _Veil:
    """Over one payload. `named`: something in it has a name that hides, also where nothing stands there."""

    def __init__(self, eyes: Eyes) -> None:
        self._eyes = eyes
        self.named = False

    def read(self, payload: str) -> object:
        """JSON, or text. What stands twice in an object is heard twice, though only the last is kept."""
        try:
            return json.loads(payload, object_pairs_hook=self._object)
        except ValueError:
            return payload

    def over(self, said: object, hides: Hides | None) -> object:
        """What is hidden with all that is in it: names may be numbers themselves."""
        if hides:
            plain = isinstance(said, str) and hides != "secrets"
            return None if said is None else last_four(str(said)) if plain else HIDDEN
        if isinstance(said, dict):
            return {name: self.over(each, _hidden(name, self._eyes)) for name, each in said.items()}
        if isinstance(said, list):
            return [self.over(each, None) for each in said]
        # `pin=1234`, JSON within a text, JSON that broke off.
        if isinstance(said, str) and _VALUE.search(said) and _hidden(said, self._eyes):
            self.named = True
            return HIDDEN
        return said

    def _object(self, pairs: list[tuple[str, object]]) -> dict[str, object]:
        self.named = self.named or any(_hidden(name, self._eyes) for name, _ in pairs)
        return dict(pairs)


def _topic(topic: str, eyes: Eyes) -> tuple[str, Hides | None]:
    """As it may be told, and what it hides: below `codes` a part with digits may be one."""
    hides: Hides | None = None
    parts = []
    for part in topic.split("/"):
        parts.append(HIDDEN if hides and any(map(str.isdigit, part)) else part)
        hides = _stricter(hides, _hidden(part, eyes))
    return "/".join(parts), hides


def _stricter(one: Hides | None, other: Hides | None) -> Hides | None:
    return "secrets" if "secrets" in {one, other} else one or other


def _hidden(name: str, eyes: Eyes) -> Hides | None:
    return next((each for each in _hides(name) if not getattr(eyes, each)), None)


@lru_cache(4096)
def _hides(name: str) -> tuple[Hides, ...]:
    """What that name speaks of, the strictest first."""
    words = {word.lower() for word in _WORD.findall(name)}
    joined = _DIVIDER.sub("", name).lower()
    found: list[Hides] = []
    if _SECRET_PARTS.search(joined) or _SECRET_SIGNS.search(name) or any(map(_SECRET_WORDS.fullmatch, words)):
        found.append("secrets")
    if _NUMBER_PARTS.search(joined) or any(map(_NUMBER_WORDS.fullmatch, words)):
        found.append("numbers")
    if _PLATE_PARTS.search(joined) or any(map(_PLATE_WORDS.fullmatch, words)):
        found.append("plates")
    return tuple(found)
