"""How the command lines speak: `--lang`, else the environment, else Chinese; also the words that Typer has of its own.

Typer's words are English and stand in its code, so they are exchanged in what it has written: a table for help, one
for what is wrong with a command line. Help is written before any option is read: its language is that of the arguments
as they are.
"""

from __future__ import annotations

import os
import re
import sys
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup

from contract.speech import Language, Speech

_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
"""The first that is set decides (POSIX, Environment Variables, 8.2)."""

_OPTION = "--lang"

Command = TypeVar("Command", bound=Callable[..., object])


def language_of(arguments: Sequence[str], environ: Mapping[str, str]) -> Language:
    """What `--lang` says, else what the environment says, else Chinese."""
    asked = _asked(arguments)
    if asked is not None:
        return asked
    said = next((environ[name] for name in _VARIABLES if environ.get(name)), "")
    return "en" if said.lower().startswith("en") else "zh"


def _asked(arguments: Sequence[str]) -> Language | None:
    for at, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name != _OPTION:
            continue
        if not equals:
            value = arguments[at + 1] if at + 1 < len(arguments) else ""
        match value:
            case "zh" | "en":
                return value
    return None


say: Final = Speech(language_of(sys.argv[1:], os.environ))
"""The language of this process's command line."""

_HELP: Final = (
    (r"^Usage: ", "用法："),
    (r"\[OPTIONS\]", "[选项]"),
    (r"COMMAND \[ARGS\]\.\.\.", "指令 [参数]..."),
    (r"^Arguments:$", "参数："),
    (r"^Options:$", "选项："),
    (r"^Commands:$", "指令："),
    (r"Show this message and exit\.", "显示本帮助。"),
    (r"(?<=[\[ ])default: ?(?!\])", "默认："),
    (r"(?<=\[)env var: ?", "环境变量："),
    (r"(?<=[\[ ])required(?=\])", "必填"),
)
"""What stands in every help."""

_KINDS: Final = {
    "str": "文字",
    "int": "整数",
    "int range": "整数",
    "float": "数值",
    "float range": "数值",
    "path": "路径",
}
"""What a value is."""

_WRONG: Final = (
    (r"Missing command\.", "缺少指令。"),
    (r"Missing option '(\S+)' \(env var: '(\w+)'\)\.", r"缺少选项 '\1'（环境变量 \2）。"),
    (r"Missing option (.+?)\.(?: .*)?", r"缺少选项 \1。"),
    (r"Missing argument (.+?)\.(?: .*)?", r"缺少参数 \1。"),
    (r"No such option: (\S+) \(Possible options: (.+)\)", r"没有选项 \1；是否想写 \2？"),
    (r"No such option: (\S+)", r"没有选项 \1。"),
    (r"No such command (\S+)\. Did you mean (.+)\?", r"没有指令 \1；是否想写 \2？"),
    (r"No such command (\S+)\.", r"没有指令 \1。"),
    (r"Got unexpected extra argument(?:\(s\)|s)? \((.+)\)", r"多余的参数：\1"),
    (r"Option (\S+) requires an argument\.", r"选项 \1 需要一个值。"),
    (r"Option (\S+) does not take a value\.", r"选项 \1 不带值。"),
)

_VALUES: Final = (
    (r"(?i:file|path|directory) (.+) does not exist\.", r"没有文件 \1。"),
    (r"(?i:file|path|directory) (.+) is a directory\.", r"\1 是文件夹。"),
    (r"(?i:file|path|directory) (.+) is a file\.", r"\1 不是文件夹。"),
    (r"(?i:file|path|directory) (.+) is not readable\.", r"\1 读不了。"),
    (r"Input should be a valid integer.*", "应为整数"),
    (r"Input should be a valid number.*", "应为数值"),
    (r"Input should be (greater|less) than or equal to (\S+)", r"超出范围（\1 \2）"),
    (r"(?:Value error, )?(.+) is not one of (.+)\.", r"\1 不在可选值中：\2"),
    (r"(.+) is not in the range (.+)\.", r"\1 超出范围 \2"),
)
"""Why a value is not taken."""


def in_chinese(written: str) -> str:
    """A help text of Typer's with its own words in Chinese."""
    for pattern, words in _HELP:
        written = re.sub(pattern, words, written, flags=re.MULTILINE)
    return re.sub(rf"<({'|'.join(map(re.escape, _KINDS))})>( *)", _kind, written)


def wrong_in_chinese(message: str) -> str:
    """What is wrong with a command line, as Typer says it."""
    found = re.fullmatch(r"Invalid value(?: for (.+?))?: (.+)", message, re.DOTALL)
    if found is not None:
        whose = f"{found[1]} 的值不对" if found[1] else "值不对"
        why = _by_table(_VALUES, found[2]).replace("greater", "应不小于").replace("less", "应不大于")
        return f"{whose}：{why}"
    return _by_table(_WRONG, message)


def _by_table(table: Sequence[tuple[str, str]], message: str) -> str:
    for pattern, words in table:
        found = re.fullmatch(pattern, message, re.DOTALL)
        if found is not None:
            return found.expand(words)
    return message


def _kind(found: re.Match[str]) -> str:
    """As wide as before, so that the columns stay beneath each other: a Chinese sign takes two cells."""
    words = f"<{_KINDS[found[1]]}>"
    cells = sum(1 + (unicodedata.east_asian_width(sign) in "WF") for sign in words)
    return words + " " * max(len(found[0]) - cells, bool(found[2]))


class SpeakingCommand(TyperCommand):
    """A command whose help is in the language of the command line."""

    def get_help(self, ctx: typer.Context) -> str:  # type: ignore[override]
        """All of it."""
        return _told(super().get_help(ctx), has_own=_takes_lang(self))

    def get_usage(self, ctx: typer.Context) -> str:  # type: ignore[override]
        """The line that stands before a mistake."""
        return _told(super().get_usage(ctx), has_own=True)


class SpeakingGroup(TyperGroup):
    """Commands, their help and what is wrong with a command line in its language. `--lang` may stand anywhere."""

    def get_help(self, ctx: typer.Context) -> str:  # type: ignore[override]
        """All of it."""
        return _told(super().get_help(ctx), has_own=_takes_lang(self))

    def get_usage(self, ctx: typer.Context) -> str:  # type: ignore[override]
        """The line that stands before a mistake."""
        return _told(super().get_usage(ctx), has_own=True)

    def main(self, args: Sequence[str] | None = None, *, standalone_mode: bool = True, **options: Any) -> Any:  # type: ignore[override]
        """Runs a command; ends the process as Typer does."""
        given = self._without_lang(list(sys.argv[1:] if args is None else args))
        if not standalone_mode or say.language == "en":
            return super().main(given, standalone_mode=standalone_mode, **options)
        try:
            status = super().main(given, standalone_mode=False, **options)
        except typer.Abort:
            typer.echo("已取消。", err=True)
            raise SystemExit(1) from None
        except typer.TyperException as wrong:
            raise SystemExit(_complained(wrong)) from None
        raise SystemExit(status if isinstance(status, int) else 0)

    def _without_lang(self, given: list[str]) -> list[str]:
        """The arguments without a `--lang` that the command does not have itself: what it says is known already."""
        found: object = self
        for argument in given:
            found = getattr(found, "commands", {}).get(argument, found)
        if _takes_lang(found):
            return given
        kept: list[str] = []
        left = iter(given)
        for argument in left:
            if argument == _OPTION:
                next(left, None)
            elif not argument.startswith(f"{_OPTION}="):
                kept.append(argument)
        return kept


class CommandLine(typer.Typer):
    """A Typer whose commands speak both languages."""

    def __init__(self, *, help: str | None = None, no_args_is_help: bool = False) -> None:
        super().__init__(
            cls=SpeakingGroup, add_completion=False, rich_markup_mode=None, help=help, no_args_is_help=no_args_is_help
        )

    def command(  # type: ignore[override]
        self, name: str | None = None, *, help: str | None = None
    ) -> Callable[[Command], Command]:
        """As Typer's."""
        return super().command(name, cls=SpeakingCommand, help=help)


def _takes_lang(command: object) -> bool:
    return any(_OPTION in option.opts for option in getattr(command, "params", ()))


def _told(written: str, *, has_own: bool) -> str:
    if not has_own:
        written += "\n\n" + say("--lang zh|en 换语言。", "--lang zh|en: the language.")
    return written if say.language == "en" else in_chinese(written)


def _complained(wrong: typer.TyperException) -> int:
    """Says what is wrong, where Typer would; the exit status."""
    context = getattr(wrong, "ctx", None)
    message = wrong.format_message()
    if type(wrong).__name__ == "NoArgsIsHelpError":
        typer.echo(message, err=True)
        return wrong.exit_code
    if context is not None:
        typer.echo(f"{context.get_usage()}\n帮助：{context.command_path} --help\n", err=True)
    typer.echo(f"错误：{wrong_in_chinese(message)}", err=True)
    return wrong.exit_code
