"""The load estimate, and the turns of the wheel under load."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.fanout.wheel import SLOTS, LoadEstimate, Wheel, turn_secs


@pytest.mark.parametrize(
    ("work_secs", "load_share", "expected_secs"),
    [
        (0.0, 0.0, 0.0),  # idle
        (0.004, 0.8, 0.006),  # low load: only the minimum of 1.5 times the work
        (0.001, 3.0, 0.005),  # few clients: five times the work
        (0.009, 3.0, 0.018),  # many clients: the longest turn
        (0.009, 2.0, 0.0135),  # load half way to the longest turn: limited to 1.5 times the work
        (0.003, 2.0, 0.009),  # load half way: half the longest turn
        (0.020, 3.0, 0.030),  # more work than fits into the longest turn
        (1.0, 9.0, 1.5),
    ],
)
def test_a_turn_grows_with_the_load(
    work_secs: float, load_share: float, expected_secs: float
) -> None:
    assert turn_secs(work_secs, load_share, 0.018) == pytest.approx(expected_secs)


@given(st.floats(0, 0.1), st.floats(0, 5), st.floats(0, 5))
def test_more_load_never_shortens_a_turn(work_secs: float, first: float, second: float) -> None:
    low, high = sorted((first, second))
    assert turn_secs(work_secs, low, 0.018) <= turn_secs(work_secs, high, 0.018)


def estimate(
    deliveries_per_sec: int, *, cost_secs: float, other_share: float, per_write: int = 1
) -> float:
    """The estimate after three seconds of steady load."""
    load = LoadEstimate()
    cpu_secs = 0.0
    for number in range(31):
        load.sample(number / 10, cpu_secs)
        deliveries = deliveries_per_sec // 10
        writes = deliveries // per_write
        load.wrote(writes, deliveries, writes * cost_secs)
        cpu_secs += writes * cost_secs + other_share / 10
    return load.share


def test_the_estimate_assumes_one_write_per_delivery() -> None:
    unbatched = estimate(50_000, cost_secs=12e-6, other_share=0.1)
    assert unbatched == pytest.approx(0.7, rel=0.01)
    batched = estimate(50_000, cost_secs=12e-6, other_share=0.1, per_write=10)
    assert batched == pytest.approx(0.7, rel=0.01)


def test_the_estimate_includes_other_work() -> None:
    assert estimate(0, cost_secs=0.0, other_share=0.9) == pytest.approx(0.9, rel=0.01)


def test_a_wheel_without_load_writes_at_once() -> None:
    assert Wheel(0.018).writes_at_once


def test_a_wheel_under_load_does_not_write_at_once() -> None:
    wheel = Wheel(0.018)
    for number in range(31):
        wheel.load.sample(number / 10, 0.0)
        wheel.load.wrote(5_000, 50_000, 0.06)
    assert not wheel.writes_at_once
    assert wheel.load.share > 5


@given(
    st.lists(st.floats(0.000_1, 0.5), min_size=1, max_size=200),
    st.floats(0, 0.002),
    st.floats(0, 3),
)
def test_slots_advance_in_order_and_each_at_most_once_per_call(
    pauses: list[float], slot_cost_secs: float, load_share: float
) -> None:
    wheel = Wheel(0.018)
    wheel.load.share = load_share
    wheel.start(0.0)
    now = 0.0
    advanced: list[int] = []
    for pause in pauses:
        now += pause
        slots = wheel.advance(now)
        assert len(slots) == len(set(slots)) <= SLOTS
        advanced += slots
        for _ in slots:
            wheel.flushed_slot(slot_cost_secs)
    first = advanced[0] if advanced else 0
    assert advanced == [(first + number) % SLOTS for number in range(len(advanced))]


def test_a_tick_lasts_at_least_one_millisecond() -> None:
    wheel = Wheel(0.018)
    wheel.load.share = 3.0
    assert wheel.tick_secs == 0.001


def test_a_turn_has_the_maximum_length_while_messages_are_written_at_once() -> None:
    wheel = Wheel(0.018)
    assert wheel.writes_at_once
    assert wheel.turn_secs == 0.018
