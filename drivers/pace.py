"""How often each group of points is read. Pure."""

from __future__ import annotations

from drivers.profiles.profile import Profile
from drivers.profiles.words import Group


def periods(profile: Profile, poll_s: float | None) -> dict[Group, float]:
    """Seconds between reads. A site's `poll_s` replaces the normal pace; alarms are no slower, meters no faster."""
    poll = profile.poll
    if poll_s is None:
        return {"alarm": poll.alarm, "normal": poll.normal, "meter": poll.meter}
    return {"alarm": min(poll.alarm, poll_s), "normal": poll_s, "meter": max(poll.meter, poll_s)}
