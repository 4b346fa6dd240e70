"""Drafts of profiles and of the site file's lines, of what devices announce about themselves. Pure.

A draft is for a person to look over: it says where everything came from, and what was not understood.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import yaml
from pydantic import ValidationError

from contract.texts import Text
from drivers.mqtt.discovery import PREFIX, About, Entity, read_announcement
from drivers.mqtt.form import MqttFile, faults
from drivers.mqtt.parts import Parts, add_part, checked_topic, slug
from drivers.mqtt.templates import WHOLE, NotUnderstood, read_template
from drivers.profiles.words import path_of

AVAILABILITY_LIMIT = 8
LONGEST_S = 86_400.0
_Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # libyaml, where the wheel has it


@dataclass(frozen=True, slots=True)
class Refused:
    """Something that was announced and is not in any draft: where it was said, and why not."""

    topic: str
    why: Text


@dataclass(frozen=True, slots=True)
class Draft:
    """One device. `profile`: the text of the file `<kind>/<id>.yaml`; `line`: its line under `devices:` of the site.

    `topics`: where it was announced.
    """

    id: str
    kind: str
    device: str
    name: str
    profile: str
    line: str
    topics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Drafts:
    """What can be made of everything that was announced."""

    drafts: tuple[Draft, ...]
    refused: tuple[Refused, ...]


def drafts_of(said: Mapping[str, bytes], bus: str, prefix: str = PREFIX, taken: Iterable[str] = ()) -> Drafts:
    """Drafts of every device that retained messages (topic → payload) announce.

    `bus`: its id in the site file. `taken`: ids of profiles that there are already.
    """
    refused: list[Refused] = []
    devices: dict[str, list[tuple[str, Entity]]] = {}
    for topic, payload in sorted(said.items()):
        try:
            for entity in read_announcement(topic, payload, prefix):
                devices.setdefault(entity.about.key, []).append((topic, entity))
        except NotUnderstood as why:
            refused.append(Refused(topic, why.text))
    drafts: list[Draft] = []
    ids = set(taken)
    for entities in devices.values():
        try:
            draft, remarks = _draft(entities, bus, ids)
        except NotUnderstood as why:
            refused += [Refused(topic, why.text) for topic in dict.fromkeys(topic for topic, _ in entities)]
            continue
        refused += remarks
        ids.add(draft.id)
        drafts.append(draft)
    return Drafts(tuple(drafts), tuple(refused))


def _draft(entities: list[tuple[str, Entity]], bus: str, taken: set[str]) -> tuple[Draft, list[Refused]]:
    parts = Parts()
    remarks: list[Refused] = []
    taken_up: list[Entity] = []
    for topic, entity in entities:
        try:
            remark = add_part(parts, entity)
        except NotUnderstood as why:
            remarks.append(Refused(topic, _about_part(entity, why.text)))
            continue
        taken_up.append(entity)
        if remark is not None:
            remarks.append(Refused(topic, _about_part(entity, remark)))
    if not taken_up:
        raise NotUnderstood(
            "；".join(dict.fromkeys(remark.why.zh for remark in remarks)),
            "; ".join(dict.fromkeys(remark.why.en for remark in remarks)),
        )
    about = entities[0][1].about
    id = _free(_profile_id(about), taken)
    document = _document(id, about, parts, taken_up)
    _check(document)
    device = id.replace("_", "-")
    draft = Draft(
        id=id,
        kind=str(document["kind"]),
        device=device,
        name=about.name,
        profile=_written(document, about, entities, remarks),
        line=_line(device, id, bus, about),
        topics=tuple(dict.fromkeys(topic for topic, _ in entities)),
    )
    return draft, remarks


def _profile_id(about: About) -> str:
    return slug(about.name, slug(about.key, "device"))


def _free(word: str, taken: set[str]) -> str:
    return word if word not in taken else next(f"{word}_{n}" for n in range(2, 100_000) if f"{word}_{n}" not in taken)


def _about_part(entity: Entity, why: Text) -> Text:
    return Text(f"{entity.component} {entity.object}：{why.zh}", f"{entity.component} {entity.object}: {why.en}")


def _document(id: str, about: About, parts: Parts, entities: list[Entity]) -> dict[str, object]:
    document: dict[str, object] = {
        "id": id,
        "kind": _kind(entities),
        "protocol": "mqtt",
        "vendor": about.vendor,
        "name": {"zh": about.name, "en": about.name},
        "confidence": "partial",
        "sources": [
            f"announced by the device itself (Home Assistant MQTT discovery), model {about.model or 'unknown'}"
        ],
        "notes": ["drafted, not tried: compare every point with the device before anything depends on it"],
    }
    document |= _availability(entities)
    silent_s = _silent_s(entities)
    if silent_s is not None or "availability" not in document:
        document["silent_s"] = silent_s or LONGEST_S
    for section, found in (("points", parts.points), ("outputs", parts.outputs), ("commands", parts.commands)):
        if found:
            document[section] = found
    return document


def _kind(entities: list[Entity]) -> str:
    """What the device mostly is, for the file's folder and people's eyes."""
    components = {entity.component for entity in entities}
    for component, kind in (("lock", "lock"), ("cover", "cover"), ("switch", "relay"), ("light", "relay")):
        if component in components:
            return kind
    return "sensor"


def _silent_s(entities: list[Entity]) -> float | None:
    """Parts that expire say how often the device must be heard."""
    given = [entity.config.get("expire_after") for entity in entities]
    times = [float(each) for each in given if isinstance(each, int | float) and 0 < each < 1e9]
    return min(LONGEST_S, max(times)) if times else None


def _availability(entities: list[Entity]) -> dict[str, object]:
    """The places that every part names: what only some have says nothing about the device."""
    shared: list[dict[str, str]] | None = None
    modes: set[str] = set()
    for entity in entities:
        places = _places(entity)
        shared = places if shared is None else [place for place in shared if place in places]
        mode = entity.config.get("availability_mode", "latest")
        modes.add(mode if mode in ("all", "any", "latest") else "latest")
    if not shared:
        return {}
    needs = modes.pop() if len(modes) == 1 else "all"
    return {"availability": shared[:AVAILABILITY_LIMIT], "availability_needs": needs}


def _places(entity: Entity) -> list[dict[str, str]]:
    config = entity.config
    given = config.get("availability")
    places = given if isinstance(given, list) else []
    if config.get("availability_topic") is not None:
        template = config.get("availability_template")
        places = [{**config, "topic": config["availability_topic"], "value_template": template}]
    found: list[dict[str, str]] = []
    for place in places:
        try:
            found.append(_one_place(place))
        except NotUnderstood:
            continue
    return found


def _one_place(place: Mapping[str, object]) -> dict[str, str]:
    given = place.get("value_template")
    template = WHOLE if given is None else read_template(given if isinstance(given, str) else "")
    words: dict[str, str] = {}
    for key in ("online", "offline"):
        word = place.get("payload_available" if key == "online" else "payload_not_available", key)
        if not isinstance(word, str) or not word.strip() or len(word) > 200 or not word.isprintable():
            raise NotUnderstood("在线状态的词无法使用", "the words of availability cannot be used")
        words[key] = word.strip()
    found = {"topic": checked_topic(place.get("topic"))}
    path = path_of(template.path)
    return found | ({"path": path} if path else {}) | words


def _check(document: dict[str, object]) -> None:
    """The draft must be a profile: whatever slipped through is told here."""
    try:
        found = list(faults(MqttFile.model_validate(document)))
    except ValidationError as wrong:
        error = wrong.errors()[0]
        place = ".".join(str(step) for step in error["loc"])
        raise NotUnderstood(
            f"无法写成产品型号：{place}", f"no profile can be made of it: {place}: {error['msg']}"
        ) from wrong
    if found:
        place = ".".join(str(step) for step in found[0].place)
        raise NotUnderstood(f"无法写成产品型号：{place}", f"no profile can be made of it: {place}: {found[0].message}")


def _written(
    document: dict[str, object], about: About, entities: list[tuple[str, Entity]], remarks: list[Refused]
) -> str:
    head = [f"# {about.name}: drafted from its own announcement ({entities[0][0]}); topics are this device's own."]
    head += [f"# Left out: {remark.why.en}" for remark in remarks]
    body = yaml.dump(document, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=110)
    return "\n".join(_comment(line) for line in head) + "\n" + body


def _comment(line: str) -> str:
    """One line of YAML comment, whatever a stranger called his device."""
    return "".join(sign if sign.isprintable() else " " for sign in line)[:400]


def _line(device: str, profile: str, bus: str, about: About) -> str:
    value = {"profile": profile, "bus": bus, "name": {"zh": about.name, "en": about.name}}
    written = yaml.dump(
        value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, default_flow_style=True, width=100_000
    )
    # An id may be a word that other readers of YAML take for a flag (`on`): it is quoted as it is where it is a value.
    key = yaml.dump(device, Dumper=_Dumper).splitlines()[0]
    return f"{key}: {written.strip()}"
