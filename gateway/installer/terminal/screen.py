"""Where the tools write: coloured tables and progress on a terminal, plain lines into a pipe, JSON for machines.

What was found goes to standard output, everything else (progress, warnings, questions) to standard error.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text as Styled

from contract.speech import Language, Speech


class Doing:
    """One long doing: told how far it is. On a pipe it says nothing between beginning and end."""

    def __init__(self, progress: Progress | None, total: float) -> None:
        self._progress = progress
        self._task = None if progress is None else progress.add_task("", total=total)

    def now(self, words: str, done: float | None = None) -> None:
        """What is being done, and how much of it is done."""
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, description=escape(words), completed=done)

    def total(self, total: float) -> None:
        """It is more (or less) than was thought."""
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, total=total)


class Screen:
    """`as_json`: standard output carries JSON lines and nothing else."""

    def __init__(self, language: Language, *, as_json: bool = False) -> None:
        self.say = Speech(language)
        self.as_json = as_json
        self.terminal = sys.stdout.isatty() and not as_json
        self.out = Console(file=sys.stdout, highlight=False, soft_wrap=True)
        self.err = Console(file=sys.stderr, highlight=False, soft_wrap=True)

    def line(self, zh: str, en: str, style: str = "") -> None:
        """A sentence of the answer."""
        if not self.as_json:
            self.text(self.say(zh, en), style)

    def text(self, words: str, style: str = "") -> None:
        """A sentence of the answer that is in the language already."""
        if not self.as_json:
            self.out.print(Styled(words, style=style if self.terminal else ""))

    def note(self, zh: str, en: str, style: str = "dim") -> None:
        """Something beside the answer: to standard error, so that a pipe stays clean."""
        self.err.print(Styled(self.say(zh, en), style=style if sys.stderr.isatty() else ""))

    def warn(self, zh: str, en: str) -> None:
        """Something that is not as it should be."""
        self.note(zh, en, "yellow")

    def record(self, **fields: object) -> None:
        """A line of JSON, if that is what is wanted."""
        if self.as_json:
            sys.stdout.write(json.dumps(fields, ensure_ascii=False) + "\n")
            sys.stdout.flush()

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[str]], marked: int | None = None) -> None:
        """Rows under heads; `marked`: the row to look at."""
        if self.as_json:
            return
        if not self.terminal:
            for words in plain(heads, rows):
                self.out.print(Styled(words))
            return
        self.out.print(self.drawn(heads, rows, marked))

    def drawn(self, heads: Sequence[str], rows: Sequence[Sequence[str]], marked: int | None = None) -> Table:
        """The same as something that can be shown live."""
        table = Table(show_edge=False, header_style="bold", pad_edge=False)
        for head in heads:
            table.add_column(Styled(head), overflow="fold")
        for at, row in enumerate(rows):
            table.add_row(*(Styled(cell) for cell in row), style="bold green" if at == marked else "")
        return table

    @contextmanager
    def doing(self, total: float) -> Iterator[Doing]:
        """A progress bar with the time left, where there is a terminal to draw it on."""
        if not sys.stderr.isatty() or self.as_json:
            yield Doing(None, total)
            return
        columns = (
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeRemainingColumn(elapsed_when_finished=True),
            TextColumn("{task.description}"),
        )
        with Progress(*columns, console=self.err, transient=True) as progress:
            yield Doing(progress, total)


def plain(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns under each other with two spaces between them; Chinese takes two cells a character."""
    lines = [heads, *rows]
    widths = [max(cell_len(line[at]) for line in lines) for at in range(len(heads))]
    return [
        "  ".join(cell + " " * (widths[at] - cell_len(cell)) for at, cell in enumerate(line)).rstrip() for line in lines
    ]
