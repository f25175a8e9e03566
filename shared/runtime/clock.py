"""The clock as a dependency, so that tests can set the time and its speed."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Wall-clock time for timestamps, monotonic time for deadlines."""

    def now_ms(self) -> int:
        """Milliseconds since the Unix epoch."""
        ...

    def now_us(self) -> int:
        """Microseconds since the Unix epoch."""
        ...

    def monotonic(self) -> float:
        """Seconds of a clock that never goes backwards."""
        ...

    async def sleep(self, secs: float) -> None:
        """Wait for `secs` seconds of this clock."""
        ...


class SystemClock:
    """The clock of the operating system."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def now_us(self) -> int:
        return time.time_ns() // 1_000

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, secs: float) -> None:
        await asyncio.sleep(secs)
