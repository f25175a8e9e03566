"""Clocks that are off, for services that measure their skew."""

from shared.runtime.clock import SystemClock


class OffClock(SystemClock):
    """The system's clock, ahead by some seconds, or behind if they are negative."""

    def __init__(self, ahead_secs: float) -> None:
        self.ahead_secs = ahead_secs

    def now_ms(self) -> int:
        return super().now_ms() + int(self.ahead_secs * 1_000)

    def now_us(self) -> int:
        return super().now_us() + int(self.ahead_secs * 1_000_000)
