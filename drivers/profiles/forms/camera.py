"""Files of plate cameras. Pure."""

from __future__ import annotations

from typing import Literal

from drivers.profiles.forms.head import profile_of
from drivers.profiles.profile import Profile
from drivers.profiles.words import Head, Seconds


class CameraFile(Head):
    """A plate camera that pushes its reads to the gateway. Silent for `silent_s`, it is lost."""

    protocol: Literal["http-push"]
    dialect: Literal["zhenshi"]
    silent_s: Seconds


def build(file: CameraFile) -> Profile:
    """The profile of a file."""
    return profile_of(file, "http-push", dialect=file.dialect, silent_s=file.silent_s)
