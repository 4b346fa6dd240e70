"""Loads a site: its file, the profiles and rule files that it names, and where its wires really are.

Everything is validated before anything starts, and every mistake is told at once (`SiteErrors`).
"""

from __future__ import annotations

import hashlib
import json
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.check_cards import check_cards
from config.check_devices import check_devices
from config.check_home_assistant import check_home_assistant
from config.check_places import check_places
from config.check_rules import RuleBook
from config.check_secrets import check_secrets
from config.document import Document, Place
from config.draft import Draft, site_of
from config.mistakes import Mistake, SiteErrors, closest, one_of
from config.own_profiles import OwnProfiles, own_profiles, told
from config.site import Site
from contract.texts import Text
from drivers.profiles.files import ProfileErrors, UnknownProfile, load
from drivers.profiles.profile import Profile
from rules.alarms.rule import AlarmRule

Wires = Mapping[str, Mapping[str, Any]]
"""Bus id → fields to put over those of the site file."""


@dataclass(frozen=True, slots=True)
class LoadedSite:
    """A site that may start. `profiles`: those that it uses, by id; `rules`: one for each rule and device.

    `fingerprint`: of all that was read but the wires; it changes when the site does. `remarks`: what may be meant and
    should still be looked at.
    """

    path: Path
    site: Site
    profiles: Mapping[str, Profile]
    rules: tuple[AlarmRule, ...]
    fingerprint: str
    remarks: tuple[Mistake, ...] = ()

    def profile_of(self, device: str) -> Profile:
        """The profile of a device, with what the site file allows it; `KeyError` if the site has no such device."""
        part = self.site.devices[device]
        return self.profiles[part.profile].as_installed(part.allow_commands, part.verify, part.deadband)

    def zones_of_places(self) -> dict[str, list[str]]:
        """The zones that each door and lane lies in, as access decisions want them."""
        return {
            id_: list(place.zones) for places in (self.site.doors, self.site.lanes) for id_, place in places.items()
        }


UPLINK = "uplink"
"""The one wire that is not a bus: the way to the hub's broker."""


def load_site(path: Path, wires: Path | Wires | None = None) -> LoadedSite:
    """The site in the file at `path`, with `wires` (a mapping or a JSON file) over its buses. Raises `SiteErrors`."""
    document = Document.read(path)
    if document.mistakes and document.data is None:
        raise SiteErrors(document.mistakes)
    if not isinstance(document.data, dict):
        expected = Text("应为项目配置（site: … 等行）", "expected a site file (lines like `site: …`)")
        raise SiteErrors([document.mistake((), expected, "")])
    mistakes = list(document.mistakes)
    mistakes += _moved(document, wires)
    site = site_of(document, mistakes)
    draft = Draft.of(document)
    _profiles(draft, own_profiles(draft, path))
    check_home_assistant(draft)
    check_devices(draft)
    check_places(draft)
    check_cards(draft)
    check_secrets(draft)
    _timezone(draft)
    book, rule_files = _rules(draft, path)
    mistakes += draft.mistakes + book.mistakes
    if site is None or mistakes:
        raise SiteErrors(mistakes)
    fingerprint = _fingerprint(path, rule_files, draft.profiles)
    return LoadedSite(path, site, draft.profiles, tuple(book.rules), fingerprint, tuple(draft.remarks))


def _moved(document: Document, wires: Path | Wires | None) -> list[Mistake]:
    """Puts the wires over the document's buses before anything is checked."""
    if wires is None:
        return []
    name = str(wires) if isinstance(wires, Path) else "wires"
    try:
        moves = json.loads(wires.read_bytes()) if isinstance(wires, Path) else wires
    except (OSError, ValueError) as error:
        return [Mistake(name, 1, "", "", Text(f"无法读取：{error}", f"cannot be read: {error}"))]
    if not isinstance(moves, Mapping):
        return [Mistake(name, 1, "", "", Text("应为 {线路: {…}}", "expected {bus: {…}}"))]
    buses = document.at(("buses",))
    if not isinstance(buses, dict):
        return []
    mistakes = []
    for bus, fields in moves.items():
        if bus != UPLINK and bus not in buses:
            mistakes.append(Mistake(name, 1, bus, bus, one_of(Text("一条线路", "a bus of the site"), buses, bus)))
            continue
        if not isinstance(fields, Mapping):
            mistakes.append(Mistake(name, 1, bus, repr(fields), Text("应为 {字段: 值}", "expected {field: value}")))
            continue
        if bus == UPLINK and document.data.get(UPLINK) is None:
            document.data[UPLINK] = {}
        moved = document.data[UPLINK] if bus == UPLINK else buses[bus]
        if isinstance(moved, dict):
            moved.update(fields)
    return mistakes


def _profiles(draft: Draft, own: OwnProfiles) -> None:
    told_of: set[str] = set()
    for id_, device in draft.devices.items():
        if device.profile in draft.profiles or device.profile in own.broken:
            continue
        if device.profile in own.profiles:
            draft.profiles[device.profile] = own.profiles[device.profile]
            continue
        place: Place = ("devices", id_, "profile")
        try:
            draft.profiles[device.profile] = load(device.profile)
        except UnknownProfile as error:
            known = sorted({*error.known, *own.profiles})
            draft.wrong(place, one_of(Text("一个产品型号", "a profile"), known, device.profile))
        except ProfileErrors as error:
            if device.profile not in told_of:
                told_of.add(device.profile)
                draft.mistakes += told(error)


def _timezone(draft: Draft) -> None:
    name = draft.document.at(("timezone",))
    if not isinstance(name, str):
        return
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        draft.wrong(("timezone",), _zone(name))


_WITH_ONE_TIME = frozenset({"beijing", "peking", "guangzhou", "shenzhen", "china", "prc+8", "cst", "utc+8", "gmt+8"})
"""What people write for the one time of China, whose zone bears another city's name."""


def _zone(found: str) -> Text:
    """There are hundreds, so that none is listed but the likeliest."""
    asked = found.strip().lower().rpartition("/")[2]
    likely = "Asia/Shanghai" if asked in _WITH_ONE_TIME else closest(found, sorted(zoneinfo.available_timezones()))
    zh, en = "应为 IANA 时区，如 Asia/Shanghai", "expected an IANA time zone, such as Asia/Shanghai"
    if likely is None:
        return Text(zh, en)
    return Text(f"{zh}；是否想写 {likely}？", f"{en}; did you mean {likely}?")


def _rules(draft: Draft, path: Path) -> tuple[RuleBook, list[bytes]]:
    book = RuleBook.of(draft)
    contents: list[bytes] = []
    names = draft.document.at(("rules",))
    seen: set[Path] = set()
    for index, name in enumerate(names if isinstance(names, list) else []):
        if not isinstance(name, str):
            continue
        file = path.parent / name
        place: Place = ("rules", index)
        if file in seen:
            draft.wrong(place, Text("同一文件只列一次", "a rule file is listed once"))
        elif not file.is_file():
            words = Text(
                "没有这个规则文件（路径相对于项目配置）", "no such rule file (paths are relative to the site file)"
            )
            draft.wrong(place, words)
        else:
            document = Document.read(file)
            book.add(document)
            contents.append(file.read_bytes() if not document.mistakes else b"")
        seen.add(file)
    return book, contents


def _fingerprint(path: Path, rule_files: list[bytes], profiles: Mapping[str, Profile]) -> str:
    digest = hashlib.sha256(path.read_bytes())
    for content in rule_files:
        digest.update(b"\0" + content)
    for id_ in sorted(profiles):
        digest.update(b"\0" + repr(profiles[id_]).encode())
    return digest.hexdigest()[:16]
