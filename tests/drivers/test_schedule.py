"""What is read next: urgency without starvation, back-off, and the pace that is kept."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from drivers.modbus.plan import Block, Span
from drivers.profiles.words import Group
from drivers.schedule import PROBE_LIMIT_S, PROBES_S, REFUSED_S, Timetable, Turn, probe_delay

PERIODS: dict[Group, float] = {"alarm": 0.5, "normal": 2.0, "meter": 30.0}


def block(group: Group, start: int = 0, key: str = "p") -> Block:
    return Block(3, start, 1, group, (Span(key, 3, start, 1, group),))


def timetable(*blocks: Block, device: str = "d") -> Timetable[Block]:
    table = Timetable[Block]()
    table.add(device, blocks, PERIODS, 0.0)
    return table


def go(table: Timetable[Block], now: float) -> Turn[Block]:
    turn = table.next(now)
    assert turn is not None
    table.answered(turn.device, now)
    table.read(turn, now)
    return turn


def test_alarms_come_first_and_everything_comes() -> None:
    table = timetable(block("meter", 2), block("normal", 1), block("alarm", 0))
    assert [go(table, 0.0).block.group for _ in range(3)] == ["alarm", "normal", "meter"]
    assert table.next(0.0) is None
    assert table.wake_at() == 0.5


def test_nothing_starves_on_a_wire_that_is_too_slow() -> None:
    table = timetable(block("alarm", 0), block("alarm", 1), block("normal", 2), block("meter", 3))
    seen: Counter[Group] = Counter()
    now = 0.0
    while now < 120.0:
        seen[go(table, now).block.group] += 1
        now += 0.4
    assert seen["normal"] >= 20
    assert seen["meter"] >= 3
    assert seen["alarm"] > 3 * seen["normal"]
    assert table.overruns > 0


def test_the_pace_is_kept_and_missed_moments_are_left_out() -> None:
    table = timetable(block("alarm"))
    moments = [0.0, 0.53, 1.01, 2.6, 3.0]
    for now in moments:
        assert table.wake_at() is not None
        go(table, now)
    assert table.wake_at() == 3.5
    # 2.0 and 2.5 had passed when the one of 1.5 was read.
    assert table.overruns == 2
    assert table.left_out() == {"d": (2, 0)}


def test_a_silent_device_is_probed_ever_more_rarely() -> None:
    table = timetable(block("alarm"))
    now, lost = 0.0, []
    for step in range(7):
        turn = table.next(now)
        assert turn is not None
        assert turn.probe == (step > 0)
        lost.append(table.silent("d", now))
        assert table.next(now + probe_delay(step + 1) - 0.01) is None
        now += probe_delay(step + 1)
    assert [probe_delay(step) for step in range(1, 8)] == [*PROBES_S, 8.0, 8.0, 8.0]
    assert lost == [False, True, False, False, False, False, False]


def test_one_silence_is_not_a_loss_and_an_answer_is_found_once() -> None:
    table = timetable(block("alarm"))
    assert not table.online("d")
    assert table.answered("d", 0.0)
    assert table.online("d")
    assert not table.silent("d", 1.0)
    assert not table.online("d")
    assert not table.answered("d", 2.0)
    assert not table.silent("d", 3.0)
    assert table.silent("d", 4.0)
    assert table.answered("d", 5.0)


def test_the_sick_do_not_slow_the_well() -> None:
    table = Timetable[Block]()
    for device in ("sick", "well"):
        table.add(device, [block("alarm")], PERIODS, 0.0)
    now, reads = 0.0, 0
    while now < 60.0:
        turn = table.next(now)
        if turn is None:
            now = table.wake_at() or now
        elif turn.device == "sick":
            now += 0.3
            table.silent("sick", now)
        else:
            now += 0.01
            table.answered("well", now)
            table.read(turn, now)
            reads += 1
    assert reads >= 115


def line(*devices: str) -> Timetable[Block]:
    table = Timetable[Block]()
    for device in devices:
        table.add(device, [block("alarm")], PERIODS, 0.0)
    return table


def test_what_probes_cost_is_a_small_share_of_the_wire() -> None:
    """1 s on a wire that others need: 20 s between two probes; of three such devices each waits three times as long."""
    table = line("well", "a", "b", "c")
    for silences in range(5):
        table.silent("a", 100.0 * silences, cost_s=1.0)
    assert table.wake_at() == 0.0  # the others
    for device in ("well", "b", "c"):
        table.postpone(device, 10_000.0)
    assert table.wake_at() == 420.0
    table.dearer("a", 1.0)
    assert table.wake_at() == 440.0
    for device in ("b", "b", "c", "c"):
        table.silent(device, 400.0, cost_s=1.0)
    table.silent("a", 400.0, cost_s=0.5)
    assert table.wake_at() == 430.0


def test_a_cheap_probe_finds_a_device_within_ten_seconds() -> None:
    assert probe_delay(9, 0.35) == 8.0
    assert probe_delay(9, 0.1) == 8.0
    assert probe_delay(1, 1.0) == 1.0  # one silence may be an accident
    assert probe_delay(9, 1000.0) == PROBE_LIMIT_S


def test_where_nobody_is_well_nobody_is_spared() -> None:
    table = line("a", "b")
    for now in (0.0, 1.0, 100.0):
        table.silent("a", now, cost_s=5.0)
    assert table.next(150.0) == Turn("b", table.blocks("b")[0], False)
    table.silent("b", 100.0, cost_s=5.0)
    assert table.wake_at() == 101.0
    table.silent("b", 104.0, cost_s=5.0)
    assert table.wake_at() == 105.0
    assert table.next(105.0) == Turn("a", table.blocks("a")[0], True)


def test_a_sign_of_life_is_followed_up_at_once() -> None:
    table = line("a", "b")
    table.silent("a", 0.0)
    table.silent("a", 1.0)
    table.postpone("b", 100.0)
    table.stirs("a", 1.5)
    table.stirs("b", 1.5)
    assert table.wake_at() == 1.5
    assert table.next(1.5) == Turn("a", table.blocks("a")[0], True)


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.floats(0.001, 3.0), st.booleans()), max_size=80),
    st.sampled_from([0.25, 0.5, 2.0]),
)
def test_every_moment_is_accounted_for(steps: list[tuple[str, float, bool]], period: float) -> None:
    """Read, left out because the wire was too slow, or left out because the device was silent: nothing else."""
    table = Timetable[Block]()
    for device in "ab":
        table.add(device, [block("alarm")], {"alarm": period}, 0.0)
    reads, now = Counter[str](), 0.0
    for _, took, answers in steps:
        now = max(now, table.wake_at() or now)
        turn = table.next(now)
        assert turn is not None
        now += took
        if answers:
            table.answered(turn.device, now)
            table.read(turn, now)
            reads[turn.device] += 1
        else:
            table.silent(turn.device, now)
    now += 100.0
    for device in "ab":
        table.answered(device, now)
        table.read(Turn(device, table.blocks(device)[0], False), now)
        overruns, missed = table.left_out()[device]
        passed = int(now // period) + 1
        assert abs(reads[device] + 1 + overruns + missed - passed) <= 1
    assert (table.overruns, table.missed) == tuple(map(sum, zip(*table.left_out().values(), strict=True)))


def test_multipliers_are_read_before_what_needs_them() -> None:
    ratio = block("meter", 9, "×ct")
    table = timetable(block("alarm"), ratio)
    assert go(table, 0.0).block is ratio
    assert go(table, 0.0).block.group == "alarm"
    table.silent("d", 1.0)
    table.silent("d", 2.0)
    assert go(table, 10.0).block is ratio
    assert go(table, 10.0).block.group == "alarm"


def test_a_refused_block_gives_way_to_its_parts() -> None:
    whole, left, right = block("alarm"), block("alarm", 0), block("alarm", 1)
    table = timetable(whole)
    turn = table.next(0.0)
    assert turn is not None
    table.answered("d", 0.0)
    table.refused(turn, [left, right], 0.0)
    assert table.blocks("d") == [left, right]
    turn = table.next(0.0)
    assert turn is not None
    table.refused(turn, [], 0.0)
    assert go(table, 0.0).block is right
    assert go(table, 0.5).block is right
    assert table.next(REFUSED_S - 1.0) is not None


def test_after_a_write_values_are_read_at_once() -> None:
    table = timetable(block("normal"), block("meter", 1))
    go(table, 0.0)
    go(table, 0.0)
    table.soon("d", 0.1)
    assert go(table, 0.1).block.group == "normal"
    assert table.next(0.1) is None


def test_when_the_wire_is_back_nobody_waits() -> None:
    table = timetable(block("alarm"))
    for now in (0.0, 1.0, 3.0, 8.0, 16.0):
        table.silent("d", now)
    assert table.wake_at() == 24.0
    table.wire_back(20.0)
    assert table.wake_at() == 20.0


@given(st.lists(st.tuples(st.floats(0.001, 2.0), st.booleans()), max_size=60))
def test_the_table_is_always_alive(steps: list[tuple[float, bool]]) -> None:
    """Whatever answers or does not: there is always a next moment, at most 30 s away (a meter's pace)."""
    table = timetable(block("alarm"), block("normal", 1), block("meter", 2))
    now = 0.0
    for took, answered in steps:
        moment = table.wake_at()
        assert moment is not None
        assert moment <= now + 30.0
        now = max(now, moment)
        turn = table.next(now)
        assert turn is not None
        now += took
        if answered:
            table.answered("d", now)
            table.read(turn, now)
        else:
            table.silent("d", now)


def test_what_a_dead_device_misses_is_counted_while_it_is_dead() -> None:
    table = Timetable[Block]()
    table.add("a", [block("alarm")], {"alarm": 0.5}, 0.0)
    for moment in (0.1, 5.1, 60.1):
        table.silent("a", moment)
        assert table.left_out()["a"].missed == int(moment / 0.5)
    assert (table.missed, table.overruns) == (120, 0)
