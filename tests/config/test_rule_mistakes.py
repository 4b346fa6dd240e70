"""What can be wrong in a rule file: names, types, labels, texts. Told at its line, before the site runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.sites import RULES, broken, instead, loaded

WHEN = "when: alarm && !rotating"

# old text, new text, where (below the rule), words that must stand in the sentence
ONE_THING: dict[str, tuple[str, str, str, list[str]]] = {
    "no condition": (WHEN, "when: alarm &&", "when", ["not a condition", "too early"]),
    "another language": (WHEN, "when: alarm and rotating", "when", ["'and rotating'"]),
    "a misspelt point": (WHEN, "when: alram && !rotating", "when", ["found alram", "did you mean alarm"]),
    "a misspelt device": (WHEN, "when: alarm && pmup_2.alarm", "when", ["did you mean pump_2"]),
    "a device with its dash": (WHEN, "when: alarm && pump-2.alarm", "when", ["a point of pump-", "found pump"]),
    "a misspelt point elsewhere": (WHEN, "when: pump_2.flwo < 1.0", "when", ["a point of pump-2", "did you mean flow"]),
    "a number compared with a text": (WHEN, "when: flow == 'low'", "when", ["flow is a number", "a label"]),
    "a label compared with a number": (WHEN, "when: alarm_code == 57", "when", ["alarm_code is a label"]),
    "a flag compared with a number": (WHEN, "when: alarm == 1", "when", ["alarm is a flag"]),
    "the other way round": (WHEN, "when: 1 == alarm", "when", ["alarm is a flag"]),
    "a label that does not exist": (WHEN, "when: alarm_code == 'dry_runing'", "when", ["did you mean dry_running"]),
    "a label that a list does not have": (
        WHEN,
        "when: alarm_code in ['blocked', 'hot']",
        "when",
        ["found 'hot'", "a label"],
    ),
    "a sum with a whole number": (WHEN, "when: flow + 1 > 3.0", "when", ["cannot be evaluated", "flow number"]),
    "a number as an answer": (WHEN, "when: flow", "when", ["not true or false"]),
    "a mistake behind a condition that hides it": (
        WHEN,
        "when: alarm && flow > alarm_code",
        "when",
        ["cannot be evaluated"],
    ),
    "a misspelt clearing": (WHEN, f'{WHEN}\n    clear_when: "!alram"', "clear_when", ["did you mean alarm"]),
    "a placeholder that nothing fills": (
        '{alarm_code}", en',
        '{alarm_kode}", en',
        "message",
        ["found {alarm_kode}", "did you mean alarm_code"],
    ),
    "a point in the response": (
        "severity: major",
        "severity: major\n    response: {zh: '{flow}', en: x}",
        "response",
        ["found {flow}", "name, place"],
    ),
    "a severity that does not exist": (
        "severity: major",
        "severity: high",
        "severity",
        ["critical, major, minor, warning"],
    ),
    "no severity": ("    severity: major\n", "", "severity", ["is missing"]),
    "a profile that nothing has": (
        "profile: grundfos_cim200",
        "profile: grundfos",
        "profile",
        ["a profile that this site uses", "did you mean grundfos_cim200"],
    ),
    "a device that is not there": ("profile: grundfos_cim200", "device: pump-3", "device", ["did you mean pump-"]),
    "a device of a list that is not there": (
        "profile: grundfos_cim200",
        "devices: [pump-1, pump-3]",
        "devices.1",
        ["found pump-3"],
    ),
    "nothing to watch": ("    profile: grundfos_cim200\n", "", "", ["one of device, devices, profile"]),
    "two ways to say what to watch": (
        "profile: grundfos_cim200",
        "profile: grundfos_cim200\n    device: pump-1",
        "",
        ["one of device, devices, profile"],
    ),
    "a wait below zero": ("severity: major", "severity: major\n    for_s: -1", "for_s", ["0 or more"]),
    "a misspelt word": (
        "severity: major",
        "severity: major\n    claer_when: alarm",
        "claer_when",
        ["did you mean clear_when"],
    ),
}


@pytest.mark.parametrize("name", ONE_THING)
def test_one_mistake(name: str, tmp_path: Path) -> None:
    old, new, where, words = ONE_THING[name]
    mistakes = broken(tmp_path, rules=instead(old, new, RULES))
    place = f"rules.pump-trip.{where}".rstrip(".")
    found = [mistake for mistake in mistakes if mistake.where == place]
    assert found, "\n".join(map(str, mistakes))
    assert found[0].file.endswith("rules.yaml")
    said = "\n".join(mistake.say("en") for mistake in found)
    for word in words:
        assert word in said
    first = RULES[: RULES.index(old)].count("\n") + 1
    # What is missing is missed where its rule begins.
    assert (first - 1 if new else 2) <= found[0].line <= first + new.count("\n") + 1


def test_a_profiles_rule_is_told_wrong_once_not_for_each_device(tmp_path: Path) -> None:
    mistakes = broken(tmp_path, rules=instead(WHEN, "when: flow == 'low'", RULES))
    assert len(mistakes) == 1


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("", "empty"),
        ("rules: []", "lines of `name: …`"),
        ("- a", "lines of `name: …`"),
        ("rules: {}\nrule: {}", "did you mean rules"),
        ("rules: {A-1: {}}", "lower-case"),
    ],
)
def test_no_rule_file(content: str, word: str, tmp_path: Path) -> None:
    assert word in "\n".join(map(str, broken(tmp_path, rules=content)))


def test_a_rule_file_that_is_not_there(tmp_path: Path) -> None:
    from tests.config.sites import SITE  # noqa: PLC0415

    mistakes = broken(tmp_path, SITE + "rules: [rulez.yaml]\n")
    assert "no such rule file" in str(mistakes[0])
    assert mistakes[0].file.endswith("site.yaml")


def test_two_files_with_one_rule(tmp_path: Path) -> None:
    from tests.config.sites import SITE  # noqa: PLC0415

    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(RULES, encoding="utf-8")
    mistakes = broken(tmp_path, SITE + "rules: [a.yaml, b.yaml, a.yaml]\n")
    said = "\n".join(map(str, mistakes))
    assert "already has a rule of this id" in said
    assert "listed once" in said


def test_a_whole_rule_watches_each_device(tmp_path: Path) -> None:
    site = loaded(tmp_path, rules=RULES)
    assert [rule.key for rule in site.rules] == ["pump-trip@pump-1", "pump-trip@pump-2"]
    rule = site.rules[0]
    assert rule.decisive == ("pump-1.alarm", "pump-1.rotating")
    assert rule.shown == ("pump-1.alarm_code",)
    assert (rule.severity, rule.for_s, rule.clear_when, rule.ticket) == ("major", 0.0, None, None)


def test_labels_and_devices_that_exist_are_fine(tmp_path: Path) -> None:
    text = instead(
        WHEN, "when: alarm_code in ['blocked', \"overload\"] && pump_1.flow < 1.0 && 'blocked' != alarm_code", RULES
    )
    assert loaded(tmp_path, rules=text).rules[1].decisive == ("pump-2.alarm_code", "pump-1.flow")
