"""Exchange time has its own speed and its own start."""

import pytest

from services.simulator.simulation.exchange_clock import ExchangeClock


class ManualClock:
    """A clock that the test sets and that sleeping advances."""

    def __init__(self) -> None:
        self.secs = 50.0
        self.slept: list[float] = []

    def now_ms(self) -> int:
        raise AssertionError("exchange time must not follow the wall clock")

    now_us = now_ms

    def monotonic(self) -> float:
        return self.secs

    async def sleep(self, secs: float) -> None:
        self.slept.append(secs)
        self.secs += secs


@pytest.mark.parametrize(("speed", "expected_ms"), [(1.0, 12_000), (60.0, 130_000), (0.5, 11_000)])
def test_exchange_time_advances_at_its_speed(speed: float, expected_ms: int) -> None:
    wall = ManualClock()
    clock = ExchangeClock(wall, start_ms=10_000, speed=speed)
    assert clock.now_ms() == 10_000
    wall.secs += 2
    assert clock.now_ms() == expected_ms


async def test_the_wall_time_of_waiting_depends_on_the_speed() -> None:
    wall = ManualClock()
    clock = ExchangeClock(wall, start_ms=10_000, speed=4.0)
    await clock.wait_until(12_000)
    assert wall.slept[0] == pytest.approx(0.5)
    assert clock.now_ms() >= 12_000


async def test_waiting_for_a_past_time_yields_once() -> None:
    wall = ManualClock()
    clock = ExchangeClock(wall, start_ms=10_000, speed=1.0)
    await clock.wait_until(9_000)
    assert wall.slept == [0.0]
