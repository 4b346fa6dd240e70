"""What the files of all protocols have in common: faults with their place, and the head of a profile. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from contract.texts import Text
from drivers.profiles.profile import Profile
from drivers.profiles.words import Head, Label, Words

Place = tuple[str | int, ...]


class Fault(NamedTuple):
    """What is wrong, and where in the file (the keys that lead there)."""

    place: Place
    message: str


def profile_of(file: Head, protocol: str, **rest: object) -> Profile:
    """The profile of a file: its head, and what its protocol adds."""
    return Profile(
        id=file.id,
        kind=file.kind,
        protocol=protocol,
        name=text(file.name),
        vendor=file.vendor,
        transformers=file.transformers,
        confidence=file.confidence,
        sources=tuple(file.sources),
        notes=tuple(file.notes),
        **rest,  # type: ignore[arg-type]
    )


def label_faults(enum: Mapping[int, Label], place: Place) -> Iterator[Fault]:
    """Labels that occur twice with different texts."""
    texts: dict[str, tuple[str, str]] = {}
    for raw, label in enum.items():
        if texts.setdefault(label.label, (label.zh, label.en)) != (label.zh, label.en):
            yield Fault((*place, raw), f"the label {label.label} has two different texts")


def label_texts(labels: Iterable[Label]) -> dict[str, Text]:
    """What people read for each label."""
    return {label.label: text(label) for label in labels}


def text(words: Words) -> Text:
    """Words of a file as a text."""
    return Text(zh=words.zh, en=words.en)


def dotted(place: Iterable[str | int]) -> str:
    """A place for a person's eyes."""
    return ".".join(str(step) for step in place)
