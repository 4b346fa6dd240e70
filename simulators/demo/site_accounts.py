"""Who may sign in at a site's own broker in the demo, and which topics each of them may use.

The gateway asks its devices and shows the site; the simulated devices say what they measure; Frigate alone says what
its cameras saw; a Home Assistant presses buttons. Nobody speaks for another: a plate is believed because its topic is
Frigate's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from config import LoadedSite
from drivers.camera.frigate import Cameras
from drivers.mqtt.mapping import Topics
from drivers.mqtt.wires import MqttBus
from drivers.profiles.profile import Profile
from simulators.demo.programs import BrokerUser
from simulators.mqtt.announce import announcements
from simulators.mqtt.commands import topics_of

ACCOUNTS = ("gateway", "simulators", "frigate", "homeassistant")
DISCOVERY = "homeassistant"


def site_accounts(loaded: LoadedSite, password: Callable[[str], str]) -> list[BrokerUser]:
    """Every account of the site's broker. `password`: of an account."""
    devices = _devices(loaded)
    cameras = Cameras({id: topic for id, (topic, profile) in devices.items() if profile.dialect == "frigate"})
    plain = {id: device for id, device in devices.items() if device[1].dialect != "frigate"}
    told = Topics(plain).topics
    asked = _unique(topic for topic, profile in plain.values() for topic in topics_of(profile, topic))
    announced = _unique(
        topic for id, (prefix, profile) in plain.items() for topic in announcements(profile, prefix, id, id)
    )
    site = loaded.site
    shown = f"gatehouse/{site.site}"
    prefix = DISCOVERY if site.home_assistant is None else site.home_assistant.prefix
    commands = (f"{shown}/door/+/set", f"{shown}/lane/+/set")
    entities = f"{prefix}/+/gatehouse-{site.site}/+/config"
    rights: Mapping[str, tuple[Iterable[str], Iterable[str]]] = {
        "gateway": (
            (*asked, f"{shown}/#", entities),
            (*told, *cameras.topics, f"{shown}/#", *commands, f"{prefix}/#", entities),
        ),
        "simulators": ((*told, *announced), asked),
        "frigate": (cameras.topics, ()),
        "homeassistant": ((*commands, f"{prefix}/status"), (f"{prefix}/#", f"{shown}/#")),
    }
    return [
        BrokerUser(name, password(name), publish=tuple(publish), subscribe=tuple(subscribe))
        for name, (publish, subscribe) in rights.items()
    ]


def _devices(loaded: LoadedSite) -> dict[str, tuple[str, Profile]]:
    site = loaded.site
    return {
        id: (device.topic or id, loaded.profile_of(id))
        for id, device in site.devices.items()
        if isinstance(site.buses[device.bus], MqttBus)
    }


def _unique(topics: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(topics))
