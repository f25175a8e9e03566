"""Ages of quotes are right whatever the difference between two clocks is."""

import pytest

from services.gateway.fanout.ingest_clock import IngestClock

START_US = 1_795_408_200_000_000


class SetClock:
    """The gateway's clock: `ahead_secs` ahead of ingest's, and time passes when a test lets it."""

    def __init__(self, ahead_secs: float) -> None:
        self.ahead_secs = ahead_secs
        self.passed_secs = 0.0

    def now_us(self) -> int:
        return self.ingest_us() + int(self.ahead_secs * 1e6)

    def now_ms(self) -> int:
        return self.now_us() // 1_000

    def monotonic(self) -> float:
        return self.passed_secs

    async def sleep(self, secs: float) -> None:
        self.passed_secs += secs

    def ingest_us(self) -> int:
        return START_US + int(self.passed_secs * 1e6)


def observe(
    ingest_clock: IngestClock, clock: SetClock, *delays_secs: float, epoch: int = 1
) -> float:
    """One message every 2 s, each delivered after a delay; returns the last measurement."""
    ahead_secs = 0.0
    for delay_secs in delays_secs:
        clock.passed_secs += 2.0
        published_us = clock.ingest_us() - int(delay_secs * 1e6)
        ahead_secs = ingest_clock.observe(epoch, published_us)
    return ahead_secs


def error_secs(ingest_clock: IngestClock, clock: SetClock) -> float:
    """How far the estimate is from ingest's clock."""
    return (ingest_clock.now_us() - clock.ingest_us()) / 1e6


@pytest.mark.parametrize("ahead_secs", [-3_600.0, -5.0, -0.5, 0.5, 5.0, 3_600.0])
def test_the_difference_of_the_clocks_is_measured_and_subtracted(ahead_secs: float) -> None:
    clock = SetClock(ahead_secs)
    ingest_clock = IngestClock(clock)
    assert observe(ingest_clock, clock, 0.001) == pytest.approx(ahead_secs + 0.001)
    assert error_secs(ingest_clock, clock) == pytest.approx(-0.001, abs=1e-5)


def test_without_a_measurement_the_own_clock_counts() -> None:
    clock = SetClock(3.0)
    assert IngestClock(clock).now_us() == clock.now_us()


@pytest.mark.parametrize("ahead_secs", [-0.09, 0.0, 0.05])
def test_a_difference_that_may_be_a_delay_is_not_subtracted(ahead_secs: float) -> None:
    clock = SetClock(ahead_secs)
    ingest_clock = IngestClock(clock)
    observe(ingest_clock, clock, 0.0, 0.0)
    assert ingest_clock.now_us() == clock.now_us()


def test_delayed_messages_do_not_make_late_quotes_look_live() -> None:
    clock = SetClock(5.0)
    ingest_clock = IngestClock(clock)
    observe(ingest_clock, clock, 0.0, 0.0, 3.0, 3.0, 3.0)
    assert error_secs(ingest_clock, clock) == pytest.approx(0.0, abs=1e-3)


def test_a_backlog_that_arrives_at_once_counts_as_one_message() -> None:
    clock = SetClock(5.0)
    ingest_clock = IngestClock(clock)
    observe(ingest_clock, clock, 0.0, 0.0)
    clock.passed_secs += 20.0
    for delay_secs in (20.0, 18.0, 16.0, 14.0, 12.0, 10.0):
        ingest_clock.observe(1, clock.ingest_us() - int(delay_secs * 1e6))
    assert error_secs(ingest_clock, clock) == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize("step_secs", [-5.0, 5.0, 3_600.0])
def test_setting_the_own_clock_is_noticed_with_the_next_message(step_secs: float) -> None:
    clock = SetClock(0.0)
    ingest_clock = IngestClock(clock)
    observe(ingest_clock, clock, 0.0, 0.0, 0.0)
    clock.ahead_secs += step_secs
    observe(ingest_clock, clock, 0.0)
    assert error_secs(ingest_clock, clock) == pytest.approx(0.0, abs=1e-3)


def test_setting_ingests_clock_back_is_followed_within_five_messages() -> None:
    clock = SetClock(0.0)
    ingest_clock = IngestClock(clock)
    observe(ingest_clock, clock, 0.0, 0.0, 0.0, 0.0, 0.0)
    assert observe(ingest_clock, clock, 5.0, 5.0, 5.0, 5.0) == pytest.approx(0.0)
    assert observe(ingest_clock, clock, 5.0) == pytest.approx(5.0)


def test_a_new_leader_is_measured_anew() -> None:
    clock = SetClock(0.0)
    ingest_clock = IngestClock(clock)
    observe(ingest_clock, clock, 0.0, 0.0)
    assert observe(ingest_clock, clock, 4.0, epoch=2) == pytest.approx(4.0)
