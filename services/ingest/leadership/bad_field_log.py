"""Counts values out of range, and logs the first of each field in a minute."""

from typing import Final

from services.ingest import metrics
from shared.runtime.clock import Clock
from shared.runtime.logs import get_logger

log = get_logger(__name__)

_LOG_EVERY_SECS: Final = 60.0
_MAX_VALUE_CHARS: Final = 200


class BadFieldLog:
    """For one term. `report` is called for each value that the normaliser did not use."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._logged_at: dict[str, float] = {}
        """Monotonic time of the last log line, by field. There are about twenty fields."""

    def report(self, key: str, field: str, value: object) -> None:
        """Count a value; log it if its field was not logged within a minute."""
        metrics.BAD_FIELDS.labels(field).inc()
        now_secs = self._clock.monotonic()
        if now_secs - self._logged_at.get(field, -_LOG_EVERY_SECS) < _LOG_EVERY_SECS:
            return
        self._logged_at[field] = now_secs
        log.warning(
            "value out of range not used", field=field, key=key, value=str(value)[:_MAX_VALUE_CHARS]
        )
