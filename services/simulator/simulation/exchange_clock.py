"""Exchange time: the machine's time with another start and another speed."""

from shared.runtime.clock import Clock


class ExchangeClock:
    """A clock that starts at `start_ms` and advances `speed` seconds per wall second.

    It follows monotonic time, so a change of the machine's clock does not move it.
    """

    def __init__(self, clock: Clock, *, start_ms: int, speed: float) -> None:
        self._clock = clock
        self._started_at = clock.monotonic()
        self._start_ms = start_ms
        self.speed = speed

    def now_ms(self) -> int:
        """Exchange time, epoch ms."""
        elapsed_secs = self._clock.monotonic() - self._started_at
        return self._start_ms + int(elapsed_secs * 1_000 * self.speed)

    async def wait_until(self, at_ms: int) -> None:
        """Return once exchange time is `at_ms`; yields to the event loop even if it is past."""
        while True:
            wait_secs = (at_ms - self.now_ms()) / 1_000 / self.speed
            await self._clock.sleep(max(0.0, wait_secs))
            if self.now_ms() >= at_ms:
                return
