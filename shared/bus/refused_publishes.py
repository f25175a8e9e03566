"""Reports messages that NATS did not take: counted, and logged once a minute per kind."""

import time
from typing import Final

from prometheus_client import Counter

from shared.runtime.logs import get_logger

log = get_logger(__name__)

_LOG_EVERY_SECS: Final = 60.0
_logged_at: dict[str, float] = {}

REFUSED_PUBLISHES: Final = Counter(
    "tradedad_bus_refused_publishes_total",
    "Messages that were not published because NATS refused them or failed, by kind.",
    ["kind"],
)


def report_refused(kind: str, error: Exception) -> None:
    """Record that a message of this kind, for example `demand`, was not published."""
    REFUSED_PUBLISHES.labels(kind).inc()
    now_secs = time.monotonic()
    if now_secs - _logged_at.get(kind, float("-inf")) >= _LOG_EVERY_SECS:
        _logged_at[kind] = now_secs
        log.warning("message not published", kind=kind, error=repr(error))
