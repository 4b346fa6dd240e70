"""Which language an installer reads. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from contract.speech import Language

_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
"""The first that is set decides (POSIX, Environment Variables, 8.2)."""


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
        if name != "--lang":
            continue
        if not equals:
            value = arguments[at + 1] if at + 1 < len(arguments) else ""
        match value:
            case "zh" | "en":
                return value
    return None
