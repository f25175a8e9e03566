"""Prometheus metrics of auth."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from shared.errors import RequestError

REQUESTS: Final = Counter(
    "tradedad_auth_requests_total",
    "HTTP requests by operation and outcome.",
    ["operation", "outcome"],
)
THROTTLED_ATTEMPTS: Final = Counter(
    "tradedad_auth_throttled_attempts_total",
    "Logins and sign-ups that were refused by a rate limit, by the kind of the limit.",
    ["limit"],
)
HASH_SECONDS: Final = Histogram(
    "tradedad_auth_password_hash_seconds",
    "Time to compute one password hash on its thread, without the time in the queue.",
    buckets=(0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0),
)
PENDING_HASHES: Final = Gauge(
    "tradedad_auth_pending_password_hashes",
    "Password hashes that wait for a thread or run on one.",
)
PUBLISHED_REVOCATIONS: Final = Counter(
    "tradedad_auth_published_revocations_total",
    "Revocations that NATS has acknowledged, repetitions included.",
)
PUBLISH_FAILURES: Final = Counter(
    "tradedad_auth_revocation_publish_failures_total",
    "Failed attempts to publish revocations.",
)
SIGNING_KEY_CREATED: Final = Gauge(
    "tradedad_auth_signing_key_created_timestamp_seconds",
    "Unix time at which the key that signs tokens now was created.",
)
KEY_RELOAD_FAILURES: Final = Counter(
    "tradedad_auth_key_reload_failures_total",
    "Failed attempts to reload the signing keys.",
)


@contextmanager
def count_outcome(operation: str) -> Iterator[None]:
    """Count the block once: as `ok`, as its RequestError's code, as `cancelled` or as `failed`."""
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
