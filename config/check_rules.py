"""Rule files: whether their conditions and texts mean something at this site; the rules, ready to watch.

What CEL itself would only notice while the site runs is found here by trying each condition on values of its points'
types, and by looking at comparisons that could never hold.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from config.document import Document, Place
from config.draft import Draft
from config.mistakes import Mistake, closest, one_of
from config.rulefile import RuleFile, RulePart
from config.shape import mended, validated
from config.site import Name
from contract.readings import Value
from contract.texts import Text
from drivers.profiles.profile import Point
from rules.alarms.conditions import Condition, ConditionError, PointName, compile_condition, identifier
from rules.alarms.rule import AlarmRule, TicketTemplate, placeholders

_TRIES_LIMIT = 256
_SAMPLES: dict[str, tuple[Value, ...]] = {"flag": (True, False), "number": (0.0, 1e6, -1e6), "label": ("", "\x00")}
_COMPARED = re.compile(
    r"(?<![\w.'\"])(?P<name>[A-Za-z_]\w*(?:\.\w+)?)\s*(?:==|!=)\s*"
    r"(?P<other>'[^']*'|\"[^\"]*\"|true\b|false\b|-?\d[\d.]*)"
)
_REVERSED = re.compile(
    r"(?P<other>'[^']*'|\"[^\"]*\"|\btrue|\bfalse|(?<![\w.])-?\d[\d.]*)\s*(?:==|!=)\s*(?P<name>[A-Za-z_]\w*(?:\.\w+)?)"
)
_LISTED = re.compile(r"(?<![\w.'\"])(?P<name>[A-Za-z_]\w*(?:\.\w+)?)\s+in\s+\[(?P<others>[^\]]*)\]")
_WORDS = ("name", "place")
_LITERAL = re.compile(r"'[^']*'|\"[^\"]*\"|true\b|false\b|-?\d[\d.]*")


@dataclass(slots=True)
class RuleBook:
    """Reads rule files against a site's draft. `rules`: what can watch; `mistakes`: what cannot."""

    draft: Draft
    rules: list[AlarmRule]
    mistakes: list[Mistake]
    _owners: dict[str, str]

    @classmethod
    def of(cls, draft: Draft) -> RuleBook:
        """An empty book for the site in `draft`."""
        return cls(draft, [], [], {})

    def add(self, document: Document) -> None:
        """Reads one rule file."""
        self.mistakes += document.mistakes
        if document.data is None:
            return
        validated(RuleFile, document, (), self.mistakes)
        rules = document.at(("rules",))
        for id_ in rules if isinstance(rules, dict) else ():
            place: Place = ("rules", id_)
            owner = self._owners.setdefault(id_, document.file)
            if owner != document.file:
                words = Text(f"规则编号在 {owner} 中已有", f"{owner} already has a rule of this id")
                self.mistakes.append(document.mistake(place, words, id_))
            part, stand_ins = mended(RulePart, document, place)
            if part is not None:
                before = len(self.mistakes)
                self._rule(document, place, part)
                doubtful = {".".join(map(str, stand_in)) for stand_in in stand_ins}
                self.mistakes[before:] = [each for each in self.mistakes[before:] if each.where not in doubtful]

    def _rule(self, document: Document, place: Place, part: RulePart) -> None:
        devices = list(self._devices(document, place, part))
        when = self._compiled(document, (*place, "when"), part.when)
        clear = None if part.clear_when is None else self._compiled(document, (*place, "clear_when"), part.clear_when)
        if when is None or (part.clear_when is not None and clear is None):
            return
        for device in devices:
            reader = _AtDevice(self.draft, document, place, device, self.mistakes)
            before = len(self.mistakes)
            conditions = [
                reader.bound(word, condition)
                for word, condition in (("when", when), ("clear_when", clear))
                if condition
            ]
            shown = reader.shown(part)
            if len(self.mistakes) == before:
                self.rules.append(_built(str(place[-1]), part, device, conditions, shown))

    def _devices(self, document: Document, place: Place, part: RulePart) -> Iterator[str]:
        draft = self.draft
        named = [word for word in ("device", "devices", "profile") if getattr(part, word)]
        if len(named) != 1:
            words = Text("应写 device、devices、profile 三者之一", "expected one of device, devices, profile")
            self.mistakes.append(document.mistake(place, words, ", ".join(named)))
            return
        if part.profile is not None:
            fitting = [id_ for id_, device in draft.devices.items() if device.profile == part.profile]
            if not fitting:
                used = sorted({device.profile for device in draft.devices.values()})
                what = Text("本项目在用的产品型号", "a profile that this site uses")
                self.mistakes.append(document.mistake((*place, "profile"), one_of(what, used, part.profile)))
            yield from fitting
            return
        places = [(*place, "device")] if part.device else [(*place, "devices", i) for i in range(len(part.devices))]
        for at, id_ in zip(places, [part.device] if part.device else part.devices, strict=True):
            assert id_ is not None
            if id_ in draft.ids["devices"]:
                yield id_
            else:
                what = Text("一个设备", "a device")
                self.mistakes.append(document.mistake(at, one_of(what, draft.ids["devices"], id_)))

    def _compiled(self, document: Document, place: Place, text: str) -> Condition | None:
        try:
            return compile_condition(text)
        except ConditionError as error:
            words = Text(f"条件写法有误：{error}", f"not a condition: {error}")
            self.mistakes.append(document.mistake(place, words, text))
            return None


@dataclass(slots=True)
class _AtDevice:
    """One rule as it stands at one device."""

    draft: Draft
    document: Document
    place: Place
    device: str
    mistakes: list[Mistake]

    @property
    def devices(self) -> Mapping[str, str]:
        """Name in conditions → device id."""
        return {identifier(id_): id_ for id_ in self.draft.ids["devices"]}

    def bound(self, word: str, condition: Condition) -> Condition:
        """The condition for this device; adds what is wrong with its names and comparisons."""
        place = (*self.place, word)
        points: dict[PointName, Point] = {}
        for name in condition.names:
            point = self._point(place, name)
            if point is not None:
                points[name] = point
        if len(points) < len(condition.names):
            return condition
        before = len(self.mistakes)
        for found, why in _never(condition.text, points):
            self.mistakes.append(self.document.mistake(place, why, found))
        if len(self.mistakes) == before:
            self._try(place, condition, points)
        return condition.bind(self.device, self.devices)

    def shown(self, part: RulePart) -> tuple[str, ...]:
        """The points that the message names, as `device.point`; adds placeholders that nothing fills in."""
        own = {point: f"{self.device}.{point}" for point in self._own_points()}
        named = [word for word in placeholders(_text(part.message)) if word not in _WORDS]
        for word in named:
            if word not in own and self._elsewhere(word) is None:
                self._unfilled(("message",), word, [*_WORDS, *own])
        self._unnamed(("response",), part.response)
        self._unnamed(("ticket", "title"), None if part.ticket is None else part.ticket.title)
        points = [own.get(word) or self._elsewhere(word) for word in named]
        return tuple(point for point in points if point is not None)

    def _unnamed(self, at: Place, text: Name | None) -> None:
        for word in () if text is None else placeholders(_text(text)):
            if word not in _WORDS:
                self._unfilled(at, word, list(_WORDS))

    def _elsewhere(self, word: str) -> str | None:
        """The point of another device that a placeholder names."""
        name, _, point = word.partition(".")
        device = self.devices.get(name)
        profile = None if device is None else self.draft.profile_of(device)
        return f"{device}.{point}" if profile is not None and point in profile.points else None

    def _unfilled(self, at: Place, word: str, known: list[str]) -> None:
        words = one_of(Text("下列之一", "one of"), known, word)
        self.mistakes.append(self.document.mistake((*self.place, *at), words, f"{{{word}}}"))

    def _point(self, place: Place, name: PointName) -> Point | None:
        device = self.device
        if name.device:
            found = self.devices.get(name.device)
            if found is None:
                known = [*self.devices, *self._own_points()]
                what = Text("设备（- 写作 _）或本设备的点位", "a device (- written _) or a point of this device")
                likely = closest(name.device, known)
                self.mistakes.append(
                    self.document.mistake(place, one_of(what, [likely] if likely else known, name.device), str(name))
                )
                return None
            device = found
        profile = self.draft.profile_of(device)
        if profile is None:
            return None
        point = profile.points.get(name.point)
        if point is None:
            what = Text(f"{device} 的一个点位", f"a point of {device}")
            self.mistakes.append(self.document.mistake(place, one_of(what, profile.points, name.point), str(name)))
        return point

    def _own_points(self) -> list[str]:
        profile = self.draft.profile_of(self.device)
        return [] if profile is None else list(profile.points)

    def _try(self, place: Place, condition: Condition, points: Mapping[PointName, Point]) -> None:
        samples = [
            tuple(point.labels) or _SAMPLES["label"] if point.type == "label" else _SAMPLES[point.type]
            for point in points.values()
        ]
        for values in itertools.islice(itertools.product(*samples), _TRIES_LIMIT):
            try:
                condition.checked(dict(zip(points, values, strict=True)))
            except ConditionError as error:
                types = ", ".join(f"{name} {point.type}" for name, point in points.items())
                words = Text(f"条件无法计算（{types}）：{error}", f"it cannot be evaluated ({types}): {error}")
                self.mistakes.append(self.document.mistake(place, words, condition.text))
                return


def _never(text: str, points: Mapping[PointName, Point]) -> Iterator[tuple[str, Text]]:
    """Comparisons that never hold: a label that does not exist, a text with a number, a flag with 1."""
    by_text = {str(name): point for name, point in points.items()}
    pairs = [(m["name"], m["other"]) for pattern in (_COMPARED, _REVERSED) for m in pattern.finditer(text)]
    pairs += [(m["name"], other) for m in _LISTED.finditer(text) for other in _LITERAL.findall(m["others"])]
    for name, other in dict.fromkeys(pairs):
        point = by_text.get(name)
        if point is None:
            continue
        kind = "label" if other[0] in "'\"" else "flag" if other in {"true", "false"} else "number"
        if kind != point.type:
            zh = {"label": "文字", "flag": "是/否", "number": "数值"}
            yield (
                f"{name} == {other}",
                Text(f"{name} 是{zh[point.type]}，不能与{zh[kind]}比较", f"{name} is a {point.type}, {other} a {kind}"),
            )
        elif kind == "label" and other[1:-1] not in point.labels:
            yield other, one_of(Text(f"{name} 的一个取值", f"a label of {name}"), point.labels, other[1:-1])


def _built(id_: str, part: RulePart, device: str, conditions: list[Condition], shown: tuple[str, ...]) -> AlarmRule:
    return AlarmRule(
        id=id_,
        device=device,
        when=conditions[0],
        severity=part.severity,
        message=_text(part.message),
        response=None if part.response is None else _text(part.response),
        for_s=part.for_s,
        clear_when=conditions[1] if len(conditions) > 1 else None,
        clear_for_s=part.clear_for_s,
        ticket=None if part.ticket is None else TicketTemplate(_text(part.ticket.title)),
        shown=shown,
    )


def _text(name: Name) -> Text:
    return Text(name.zh, name.en)
