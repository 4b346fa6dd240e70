"""Why devices are lost: every reason that a driver can give stands in `losses.json`, and has Chinese words.

There, 7 stands for whatever a reason names: a number, a place, a device. The console's tests read the same file.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.speech import Speech
from drivers.camera.stream.bus import refusal
from drivers.modbus.refusals import UNREACHABLE, reason
from drivers.osdp.reader import KEY_REFUSED, NO_KEY
from gateway.installer.terminal.wording import lost

ROOT = Path(__file__).resolve().parents[2]
LOSSES = json.loads((ROOT / "tests" / "drivers" / "losses.json").read_text(encoding="utf-8"))
SAID: frozenset[str] = frozenset(LOSSES["said"])

GIVES = frozenset(
    {
        "WireDown",
        "Silence",
        "DeviceLost",
        "KeysUnreadable",
        "lose",
        "lose_all",
        "_lose",
        "_lose_port",
        "_silent",
        "_missed",
        "_failed",
        "_broken",
    }
)
"""What is called with a reason."""


def _sample(node: ast.expr) -> str | None:
    """A text of the source as it is said; what is put in only at times is left out."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(
                str(part.value) if isinstance(part, ast.Constant) else ""
                if isinstance(part, ast.FormattedValue) and isinstance(part.value, ast.IfExp) else "7"
                for part in parts
            )  # fmt: skip
    return None


def _reasons(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        given: list[ast.expr] = []
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=args) if name in GIVES:
                given = args
            case ast.Assign(targets=[ast.Name(id="why")], value=value):
                given = [value]
        for argument in given:
            text = _sample(argument)
            if text:
                yield text


def test_every_reason_of_a_driver_is_named() -> None:
    found = {
        reason for path in (ROOT / "drivers").rglob("*.py") for reason in _reasons(ast.parse(path.read_text("utf-8")))
    }
    assert "it does not answer" in found
    assert found - SAID == set()


def test_reasons_that_have_names_are_named() -> None:
    assert {NO_KEY.en, KEY_REFUSED.en, *(reason(code)[0] for code in UNREACHABLE)} <= SAID
    assert refusal(401) in {text.replace("7", "401") for text in SAID}
    assert refusal(404) in {text.replace("7", "404") for text in SAID}


@pytest.mark.parametrize("why", sorted(SAID | {why for why, key in LOSSES["examples"].items() if key != "other"}))
def test_every_reason_has_chinese_words(why: str) -> None:
    words = lost(why, Speech("zh"))
    assert words != why
    assert any("一" <= letter <= "鿿" for letter in words)
    assert lost(why, Speech("en")) == why
