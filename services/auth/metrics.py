"""What auth counts."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from shared.errors import RequestError

SIGNUPS: Final = Counter("tradedad_auth_signups", "Sign-ups by outcome", ["outcome"])
LOGINS: Final = Counter("tradedad_auth_logins", "Logins by outcome", ["outcome"])
HASH_SECONDS: Final = Histogram(
    "tradedad_auth_hash_seconds",
    "Time one password hash took on its thread, without the wait for the thread",
    buckets=(0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0),
)
HASH_QUEUE: Final = Gauge(
    "tradedad_auth_hash_queue", "Password hashes that wait for a thread or run on one"
)


@contextmanager
def outcome(counter: Counter) -> Iterator[None]:
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
        counter.labels(label).inc()
