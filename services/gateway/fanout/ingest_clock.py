"""The time on ingest's clock, estimated from the times at which it publishes. Pure.

A quote is live or late by its age, and its age is the difference of two clocks. Clocks of two
hosts differ: without this estimate, a gateway whose clock is some seconds ahead would send no
quote as live, and one that is behind would take late quotes for live ones.
"""

from collections import deque
from typing import Final

from shared.runtime.clock import Clock

# A message can only be delayed, so the smallest of some differences is the closest to the skew.
_SAMPLES: Final = 5
# Messages that arrive together have waited together: they count as one sample.
_MIN_INTERVAL_SECS: Final = 1.0
# Below this a difference is a delay rather than a skew, and synchronised clocks are as exact.
_IGNORED_US: Final = 100_000
# This clock was set if it moved by this much against the monotonic one since the last sample.
_STEP_US: Final = 250_000


class IngestClock:
    """Converts this process's time to ingest's."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._samples_us: deque[int] = deque(maxlen=_SAMPLES)
        self._epoch = 0
        self._sampled_at = float("-inf")
        self._wall_minus_monotonic_us = 0.0
        self._offset_us = 0

    def now_us(self) -> int:
        """The time on ingest's clock, epoch microseconds."""
        return self._clock.now_us() - self._offset_us

    def observe(self, epoch: int, published_us: int) -> float:
        """Record a message that ingest's leader of `epoch` published at `published_us`.

        Returns how far this clock is ahead of ingest's, in seconds; negative if it is behind.
        """
        wall_us, monotonic = self._clock.now_us(), self._clock.monotonic()
        wall_minus_monotonic_us = wall_us - monotonic * 1e6
        step_us = abs(wall_minus_monotonic_us - self._wall_minus_monotonic_us)
        if epoch != self._epoch or step_us > _STEP_US:
            self._samples_us.clear()
        self._epoch = epoch
        self._wall_minus_monotonic_us = wall_minus_monotonic_us
        sample_us = wall_us - published_us
        if self._samples_us and monotonic - self._sampled_at < _MIN_INTERVAL_SECS:
            self._samples_us[-1] = min(self._samples_us[-1], sample_us)
        else:
            self._samples_us.append(sample_us)
            self._sampled_at = monotonic
        ahead_us = min(self._samples_us)
        self._offset_us = ahead_us if abs(ahead_us) > _IGNORED_US else 0
        return ahead_us / 1e6
