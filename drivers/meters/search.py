"""What searching for meters of several protocols has in common. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from drivers.errors import FrameError
from drivers.meters.framing import Frames
from drivers.meters.product import meter_of
from drivers.profiles.profile import Profile
from drivers.searching import Setting

THINKS_S = 0.55
"""How long a meter may think, with what an adapter adds (DL/T 645-2007, section 5.3: it answers within 500 ms)."""

SERIAL, TCP = "meter-serial", "meter-tcp"
"""The buses of a site file for lines of meters."""


def usual(setting: Setting) -> bool:
    """Whether meters are met with such a setting."""
    return (setting.parity == "E" and setting.baud <= 9600) or setting == Setting(9600)


def sound(frames: Frames, data: bytes) -> list[bytes]:
    """The sound frames in the bytes."""
    try:
        return [*frames.feed(data), *frames.quiet()]
    except FrameError:
        return []


def suits(traits: Mapping[str, object], profile: Profile) -> bool:
    """Whether a product's meters have the traits (`version`, `type_code`, `di_order`) that an answer told."""
    if not traits:
        return True
    form = meter_of(profile)
    return form is not None and all(getattr(form, trait) == value for trait, value in traits.items())
