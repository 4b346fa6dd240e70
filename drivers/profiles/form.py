"""The form of a protocol's products: what their files say, what is wrong in one, and the profile that it is. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

from drivers.profiles.head import Fault
from drivers.profiles.profile import Profile
from drivers.profiles.words import Head

File = TypeVar("File", bound=Head)


class FaultyFile(Exception):
    """A file that has the shape of its form and still cannot be meant."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(f"{len(faults)} faults")
        self.faults = faults


class Form(Generic[File]):
    """`file`: the shape; `faults`: what the shape allows and cannot be meant; `build`: the profile of a sound file."""

    def __init__(
        self, file: type[File], faults: Callable[[File], Iterable[Fault]], build: Callable[[File], Profile]
    ) -> None:
        self._file = file
        self._faults = faults
        self._build = build

    def read(self, document: object) -> Profile:
        """The profile of a file's content. Raises pydantic's `ValidationError`, or `FaultyFile`."""
        file = self._file.model_validate(document)
        if faults := list(self._faults(file)):
            raise FaultyFile(faults)
        return self._build(file)
