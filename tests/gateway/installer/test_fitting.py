"""Which product answers: every profile is found among all of them when it is simulated, and impossible values count."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from drivers.modbus.decode import in_order
from drivers.modbus.product import RegisterSource, told_factors
from drivers.profiles.files import FOLDER, read
from drivers.profiles.profile import Profile
from gateway.installer.scan.identifying import examine, profiles
from gateway.installer.scan.ranking import LIKELY, MOST_READS, Answer, Fit, Read, alike, judge, questions, rank

KNOWN = [profile for profile in profiles()[0] if profile.protocol == "modbus"]
FORMATS = {"u16": ">H", "i16": ">h", "u32": ">I", "i32": ">i", "u64": ">Q", "i64": ">q", "f32": ">f", "f64": ">d"}
USUAL = {
    "V": 230.0,
    "Hz": 50.0,
    "A": 12.5,
    "W": 4200.0,
    "kW": 4.2,
    "kWh": 15_322.0,
    "degC": 41.0,
    "bar": 3.2,
    "%": 60.0,
    "rpm": 1450.0,
}


class Unit:
    """A unit that holds what a profile says, with usual values; it refuses every other address."""

    def __init__(self, profile: Profile) -> None:
        self.words: dict[tuple[int, int], int] = {}
        self.asked = 0
        for name, source in told_factors(profile).items():
            self._put(source, next(iter(profile.multipliers[name].values), 1))
        for point in profile.points.values():
            if isinstance(point.source, RegisterSource):
                self._put(point.source, self._raw(point.source, USUAL.get(point.unit, 7.0), point.high))

    def _raw(self, source: RegisterSource, usual: float, high: float | None) -> float:
        if source.bit is not None:
            return 0
        if source.enum:
            return max(source.enum)
        value = usual if high is None else min(usual, high)
        raw = (value - source.offset) / source.scale
        return raw if source.type in {"f32", "f64"} else min(round(raw), (1 << 16 * source.width - 1) - 1)

    def _put(self, source: RegisterSource, raw: float) -> None:
        if source.fc <= 2:
            self.words[source.fc, source.address] = int(raw)
            return
        piece = struct.pack(FORMATS[source.type], raw if source.type in {"f32", "f64"} else int(raw))
        for at, word in enumerate(struct.unpack(f">{source.width}H", in_order(piece, source.order))):
            self.words[source.fc, source.address + at] = word

    async def ask(self, unit: int, read: Read) -> Answer:
        """As `gateway.installer.scan.identifying.Asker`."""
        self.asked += 1
        held = [self.words.get((read.fc, read.start + at)) for at in range(read.size)]
        if None in held:
            return 2
        if read.fc <= 2:
            return bytes((read.size + 7) // 8)
        return struct.pack(f">{read.size}H", *held)


@pytest.mark.parametrize("profile", KNOWN, ids=lambda profile: profile.id)
async def test_each_product_is_among_the_best(profile: Profile) -> None:
    unit = Unit(profile)
    fits, asked = await examine(unit, 1, KNOWN, None)
    assert asked == unit.asked
    assert profile.id in {fit.profile.id for fit in alike(fits)}, [
        (fit.profile.id, fit.score, fit.bits) for fit in fits[:4]
    ]
    assert fits[0].why


async def test_few_questions_are_enough() -> None:
    asked = [(await examine(Unit(profile), 1, KNOWN, None))[1] for profile in KNOWN]
    assert max(asked) <= MOST_READS * len(KNOWN) * 0.75
    assert all(len(questions(profile)) <= MOST_READS for profile in KNOWN)


def pump() -> Profile:
    return read(FOLDER / "pump" / "grundfos_cim200.yaml")


def answered(profile: Profile, change: dict[tuple[int, int], int] | None = None) -> Fit:
    unit = Unit(profile)
    unit.words.update(change or {})
    answers: dict[Read, Answer] = {}
    for question in questions(profile):
        words = [unit.words[question.fc, question.start + at] for at in range(question.size)]
        answers[question] = struct.pack(f">{question.size}H", *words)
    return judge(profile, answers)


def test_an_unknown_label_and_an_impossible_value_speak_against_a_product() -> None:
    good = answered(pump())
    wrong_label = answered(pump(), {(4, 202): 77})
    assert good.score > wrong_label.score
    assert any("77" in words.en for words in wrong_label.against)
    assert not good.against


def test_a_refused_address_speaks_against_a_product() -> None:
    profile = pump()
    refused = judge(profile, dict.fromkeys(questions(profile), 2))
    assert refused.score == 0
    assert "refused (exception 2)" in refused.against[0].en
    silent = judge(profile, dict.fromkeys(questions(profile), None))
    assert "no answer" in silent.against[0].en


def test_zeros_everywhere_convince_nobody() -> None:
    profile = pump()
    zeros = judge(profile, {question: bytes(2 * question.size) for question in questions(profile)})
    assert zeros.score < LIKELY


def test_the_factory_setting_counts_a_little() -> None:
    profile = pump()
    plain, factory = judge(profile, {}), judge(profile, {}, factory=True)
    assert factory.bits == plain.bits + 1.0


def test_ranking_is_by_score_and_leaves_out_what_nothing_speaks_for() -> None:
    profile = pump()
    assert rank([judge(profile, dict.fromkeys(questions(profile), 2))]) == []


def test_a_file_with_mistakes_costs_only_itself(tmp_path: Path) -> None:
    found, wrong = profiles()
    assert len(found) > 20 and wrong == []
