"""The system clock has the units that it promises."""

import time

from shared.runtime.clock import SystemClock


def test_wall_time_is_in_milliseconds_and_microseconds_since_the_epoch() -> None:
    clock = SystemClock()
    before = time.time()
    now_ms, now_us = clock.now_ms(), clock.now_us()
    after = time.time()
    assert int(before * 1_000) <= now_ms <= after * 1_000
    assert int(before * 1_000_000) - 1 <= now_us <= after * 1_000_000 + 1


async def test_monotonic_time_advances_by_the_seconds_slept() -> None:
    clock = SystemClock()
    before = clock.monotonic()
    await clock.sleep(0.02)
    assert clock.monotonic() - before >= 0.019
