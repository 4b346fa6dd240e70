"""The command lines speak Chinese and English: every text of help in both, and Typer's own words."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from contract.commandline import in_chinese, wrong_in_chinese

ROOT = Path(__file__).parents[2]
CHINESE = re.compile(r"[\u4e00-\u9fff]")
SENTENCE = re.compile(r"\b[A-Za-z]{2,} [a-z]{2,} [a-z]{2,}\b")
"""English words in a row: what is no name of something."""

MISTAKES = (
    ["hub", "--nix"],
    ["hub", "srve"],
    ["hub", "nothing-like-it"],
    ["hub", "enrol"],
    ["hub", "enrol", "--gateway"],
    ["hub", "account", "password"],
    ["hub", "account", "list", "more"],
    ["hub", "serve", "--port", "x"],
    ["hub", "serve", "--check=1"],
    ["hub", "seed", "--site-file", "/nowhere.yaml"],
    ["config", "schema", "nonsense"],
    ["gateway", "--check"],
    ["gateway", "scan", "--patience", "1"],
    ["gateway", "watch", "--seconds", "soon"],
    ["gateway", "watch", "--prot", "modbus"],
)

ALL = """
import contextlib, io, json, sys
import typer
from typer.main import get_command
language, mistakes = sys.argv[2], json.loads(sys.argv[3])
import config.__main__, gateway.__main__, hub.__main__, simulators.__main__
roots = {m.__name__.partition(".")[0]: get_command(m.app) for m in map(sys.modules.get, (
    "config.__main__", "gateway.__main__", "hub.__main__", "simulators.__main__"))}
found = {}
def walk(name, command, above=None):
    context = typer.Context(command, info_name=name, parent=above)
    texts = [command.help, *(getattr(each, "help", "") for each in command.params)]
    found[context.command_path] = {"help": command.get_help(context), "texts": [each for each in texts if each]}
    for below, each in getattr(command, "commands", {}).items():
        walk(below, each, context)
for name, command in roots.items():
    walk(name, command)
said = []
for name, *given in mistakes:
    err = io.StringIO()
    with contextlib.redirect_stderr(err), contextlib.suppress(SystemExit):
        roots[name].main(given, prog_name=name)
    said.append(err.getvalue())
print(json.dumps({"found": found, "said": said}))
"""


def spoken(language: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", ALL, "--lang", language, json.dumps(MISTAKES)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    document: dict[str, Any] = json.loads(done.stdout)
    return document


@pytest.fixture(scope="module")
def zh() -> dict[str, Any]:
    return spoken("zh")


@pytest.fixture(scope="module")
def en() -> dict[str, Any]:
    return spoken("en")


def test_no_text_is_in_one_language_only(zh: dict[str, Any], en: dict[str, Any]) -> None:
    assert zh["found"].keys() == en["found"].keys() and len(zh["found"]) > 35
    for command, said in zh["found"].items():
        for words in said["texts"]:
            assert CHINESE.search(words) or "Show this message" in words, f"{command}: {words}"
        for words in en["found"][command]["texts"]:
            assert not CHINESE.search(words), f"{command}: {words}"
        assert len(said["texts"]) == len(en["found"][command]["texts"])


def test_help_is_chinese_throughout(zh: dict[str, Any]) -> None:
    for command, said in zh["found"].items():
        assert not SENTENCE.search(said["help"].partition("\n")[2]), f"{command}: {said['help']}"
        assert said["help"].startswith("用法：") and "Options" not in said["help"]
        assert "--lang" in said["help"], command


def test_what_is_wrong_is_said_in_chinese(zh: dict[str, Any], en: dict[str, Any]) -> None:
    for given, said, english in zip(MISTAKES, zh["said"], en["said"], strict=True):
        last = said.strip().splitlines()[-1]
        assert last.startswith("错误：") and CHINESE.search(last[3:]), f"{given}: {said}"
        assert not re.search(r"\b[A-Za-z]{3,} [a-z]{2,}\b", last), f"{given}: {last}"
        assert "Error: " in english and not CHINESE.search(english), f"{given}: {english}"


def test_columns_stay_beneath_each_other() -> None:
    assert in_chinese("  --port <int>     x\n  --file <path>    x") == "  --port <整数>    x\n  --file <路径>    x"


def test_what_no_table_knows_is_said_as_it_is() -> None:
    assert wrong_in_chinese("Something else.") == "Something else."
    assert wrong_in_chinese("Invalid value for '--a': odd") == "'--a' 的值不对：odd"
