"""Read plans: everything is covered, limits hold, nothing is read twice for nothing."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from drivers.modbus.plan import GROUPS, Block, Limits, Span, plan, spans_of, split
from drivers.profiles.files import load_all
from tests.drivers.products import product


@st.composite
def disjoint_spans(draw: st.DrawFn) -> list[Span]:
    """Spans as profiles have them: of several function codes, never overlapping within one."""
    spans: list[Span] = []
    for fc in draw(st.sets(st.sampled_from([1, 2, 3, 4]), min_size=1)):
        address = draw(st.integers(0, 300))
        for number in range(draw(st.integers(0, 30))):
            width = 1 if fc <= 2 else draw(st.sampled_from([1, 2, 4]))
            spans.append(Span(f"{fc}-{number}", fc, address, width, draw(st.sampled_from(GROUPS))))
            address += width + draw(st.sampled_from([0, 0, 0, 1, 5, 40, 200]))
    return draw(st.permutations(spans))


limits = st.builds(
    Limits,
    registers=st.integers(4, 125),
    bits=st.integers(1, 2000),
    gap=st.integers(0, 50),
)


@given(disjoint_spans(), limits)
def test_every_span_is_read_whole_exactly_once(spans: list[Span], limit: Limits) -> None:
    blocks = plan(spans, limit)
    assert sorted(span for block in blocks for span in block.spans) == sorted(spans)
    for block in blocks:
        assert all(span.fc == block.fc for span in block.spans)
        assert all(block.start <= span.address and span.end <= block.end for span in block.spans)


@given(disjoint_spans(), limits)
def test_no_block_is_larger_than_the_limit_or_has_a_wider_hole(spans: list[Span], limit: Limits) -> None:
    for block in plan(spans, limit):
        assert 1 <= block.size <= limit.of(block.fc)
        covered = sorted(block.spans, key=lambda span: span.address)
        assert covered[0].address == block.start
        assert max(span.end for span in covered) == block.end
        reached = block.start
        for span in covered:
            assert span.address - reached <= limit.gap
            reached = max(reached, span.end)


@given(disjoint_spans(), limits)
def test_no_plan_has_fewer_reads(spans: list[Span], limit: Limits) -> None:
    one_group = [span._replace(group="normal") for span in spans]
    assert len(plan(one_group, limit)) == sum(_fewest(sorted(_of(one_group, fc)), limit) for fc in (1, 2, 3, 4))


def _of(spans: list[Span], fc: int) -> list[Span]:
    return [span for span in spans if span.fc == fc]


def _fewest(spans: list[Span], limit: Limits) -> int:
    """By trying: the fewest blocks for the first n spans, for each n."""
    ordered = sorted(spans, key=lambda span: span.address)
    best = [0] + [len(ordered)] * len(ordered)
    for last in range(1, len(ordered) + 1):
        for first in range(last, 0, -1):
            run = ordered[first - 1 : last]
            gaps = [after.address - before.end for before, after in pairwise(run)]
            if run[-1].end - run[0].address <= limit.of(run[0].fc) and all(gap <= limit.gap for gap in gaps):
                best[last] = min(best[last], best[first - 1] + 1)
    return best[len(ordered)]


def test_less_urgent_points_ride_along() -> None:
    profile = product(
        "limits: {gap: 2}\n"
        "points:\n"
        "  a: {fc: 3, address: 0, group: alarm, name: {zh: 甲, en: A}}\n"
        "  b: {fc: 3, address: 1, group: meter, name: {zh: 乙, en: B}}\n"
        "  c: {fc: 3, address: 2, group: alarm, name: {zh: 丙, en: C}}\n"
        "  d: {fc: 3, address: 3, group: meter, name: {zh: 丁, en: D}}\n"
    )
    blocks = plan(spans_of(profile), Limits(gap=2))
    assert [(block.group, [span.key for span in block.spans]) for block in blocks] == [
        ("alarm", ["a", "b", "c"]),
        ("meter", ["d"]),
    ]


def test_the_pump_needs_few_reads() -> None:
    profile = load_all()["grundfos_cim200"]
    form = profile.limits
    blocks = plan(spans_of(profile), Limits(form.registers, form.bits, form.gap))
    assert [(block.fc, block.start, block.size, block.group) for block in blocks] == [
        (4, 200, 6, "alarm"),
        (4, 300, 19, "normal"),
        (4, 326, 9, "meter"),
    ]


def test_a_value_wider_than_the_limit_is_read_alone() -> None:
    spans = [Span("a", 3, 0, 1, "normal"), Span("b", 3, 1, 2, "normal"), Span("c", 3, 3, 1, "normal")]
    blocks = plan(spans, Limits(registers=1))
    assert [(block.start, block.size) for block in blocks] == [(0, 1), (1, 2), (3, 1)]


@given(disjoint_spans(), limits)
def test_a_refused_block_becomes_smaller_until_it_cannot(spans: list[Span], limit: Limits) -> None:
    for block in plan(spans, limit):
        waiting: list[Block] = [block]
        seen: list[Span] = []
        steps = 0
        while waiting:
            steps += 1
            assert steps < 500
            now = waiting.pop()
            parts = split(now)
            assert all(part.size < now.size for part in parts)
            if parts:
                assert sorted(span for part in parts for span in part.spans) == sorted(now.spans)
                waiting += parts
            else:
                seen += now.spans
        assert sorted(seen) == sorted(block.spans)
