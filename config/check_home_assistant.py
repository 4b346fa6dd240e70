"""Whether the site's Home Assistant hangs on a broker that the site has."""

from __future__ import annotations

from config.draft import Draft
from config.mistakes import one_of
from contract.texts import Text


def check_home_assistant(draft: Draft) -> None:
    """Adds every mistake of `home_assistant`."""
    place = ("home_assistant", "bus")
    bus = draft.document.at(place)
    if not isinstance(bus, str):
        return
    brokers = [id_ for id_, each in draft.buses.items() if each.kind == "mqtt"]
    if bus not in draft.ids["buses"] or (bus in draft.buses and bus not in brokers):
        draft.wrong(place, one_of(Text("一条 mqtt 线路", "an mqtt bus of the site"), brokers, bus), bus)
