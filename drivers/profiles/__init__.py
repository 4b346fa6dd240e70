"""What a product is: `<kind>/<product>.yaml`, the shape of those files, and the profiles that they describe."""

from drivers.profiles.files import ProfileErrors, UnknownProfile, load, load_all
from drivers.profiles.profile import Command, Multiplier, Output, Point, Profile

__all__ = ["Command", "Multiplier", "Output", "Point", "Profile", "ProfileErrors", "UnknownProfile", "load", "load_all"]
