"""What auth counts."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from shared.errors import RequestError

REQUESTS: Final = Counter(
    "tradedad_auth_requests", "Requests by operation and outcome", ["operation", "outcome"]
)
THROTTLED: Final = Counter(
    "tradedad_auth_throttled", "Attempts that came too soon, by what was counted", ["counted"]
)
HASH_SECONDS: Final = Histogram(
    "tradedad_auth_hash_seconds",
    "Time one password hash took on its thread, without the wait for the thread",
    buckets=(0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0),
)
HASH_QUEUE: Final = Gauge(
    "tradedad_auth_hash_queue", "Password hashes that wait for a thread or run on one"
)
ANNOUNCED: Final = Counter(
    "tradedad_auth_announced_revocations", "Revocations that NATS has taken, repetitions included"
)
ANNOUNCEMENTS_FAILED: Final = Counter(
    "tradedad_auth_failed_announcements", "Attempts to announce revocations that failed"
)
KEY_RELOADS_FAILED: Final = Counter(
    "tradedad_auth_failed_key_reloads", "Attempts to read the signing keys again that failed"
)


@contextmanager
def outcome(operation: str) -> Iterator[None]:
    """Count the block once: as `ok`, the code of its RequestError, `cancelled` or `failed`."""
    label = "cancelled"
    try:
        yield
        label = "ok"
    except RequestError as error:
        label = error.code.value
        raise
    except Exception:
        label = "failed"
        raise
    finally:
        REQUESTS.labels(operation, label).inc()
