"""Why a tool ends without having done what it was asked, in both languages, and its exit status. Pure."""

from __future__ import annotations

from contract.texts import Text

FAILED = 1
"""The tool worked; what it met is not as it should be: nobody answers, a write was refused, a file has mistakes."""

UNUSABLE = 2
"""The tool could not work: a wrong option, a port that is missing, busy or forbidden."""

INTERRUPTED = 130
"""Ended by Ctrl-C before it was done (a shell's own number: 128 + SIGINT)."""


class Trouble(Exception):
    """Ends a tool: `why` for the person, `code` for the shell."""

    def __init__(self, zh: str, en: str, code: int = UNUSABLE) -> None:
        super().__init__(en)
        self.why = Text(zh=zh, en=en)
        self.code = code
