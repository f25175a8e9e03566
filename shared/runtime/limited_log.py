"""Log entries that clients cause, at a bounded rate."""

from typing import Any, Final

from structlog.stdlib import BoundLogger

from shared.runtime.clock import Clock

_PER_SEC: Final = 20.0
_BURST: Final = 200.0


class LimitedLog:
    """Logs one kind of event: `burst` entries at once, and `per_sec` a second.

    The next entry after a pause has the number of those that were left out.
    """

    def __init__(
        self, logger: BoundLogger, clock: Clock, *, per_sec: float = _PER_SEC, burst: float = _BURST
    ) -> None:
        self._logger = logger
        self._clock = clock
        self._per_sec = per_sec
        self._burst = burst
        self._allowance = burst
        self._refilled_at = clock.monotonic()
        self._left_out = 0

    def info(self, event: str, **fields: Any) -> None:
        """Log at level info, unless there were too many entries."""
        now = self._clock.monotonic()
        refill = (now - self._refilled_at) * self._per_sec
        self._allowance = min(self._burst, self._allowance + refill)
        self._refilled_at = now
        if self._allowance < 1:
            self._left_out += 1
            return
        self._allowance -= 1
        if self._left_out:
            fields["left_out"] = self._left_out
            self._left_out = 0
        self._logger.info(event, **fields)
