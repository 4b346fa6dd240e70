"""The installer's tools: `python -m gateway scan|watch|read|write|guess|check|discover|aside`."""

from __future__ import annotations

from collections.abc import Sequence

TOOLS = ("scan", "watch", "read", "write", "guess", "check", "discover", "aside")


def wanted(arguments: Sequence[str]) -> bool:
    """Whether a command line may be about a tool; a gateway that is started in service does not load them."""
    starts = any(argument == "--site" or argument.startswith("--site=") for argument in arguments)
    return not starts or "--help" in arguments or not set(TOOLS).isdisjoint(arguments)
