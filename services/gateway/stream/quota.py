"""Limits of one client: its messages, its malformed messages and its user's requests."""

from typing import Final

from services.gateway.http.token_bucket import KeyedTokenBuckets, TokenBucket
from services.gateway.settings import GatewaySettings
from shared.errors import RateLimited

# One malformed message is forgiven after this time.
_FORGIVE_SECS: Final = 10.0
# A request costs one token, and one more for this many instruments.
_INSTRUMENTS_PER_TOKEN: Final = 100
_BURST_SECS: Final = 4.0


def request_rates(settings: GatewaySettings) -> KeyedTokenBuckets:
    """Request rates by user. The burst suffices to subscribe on all streams to all keys."""
    burst = settings.max_streams_per_user * (
        settings.max_messages_per_sec + settings.max_keys_per_stream / _INSTRUMENTS_PER_TOKEN
    )
    return KeyedTokenBuckets(settings.max_messages_per_sec, burst)


class ClientQuota:
    """The quotas of one client. Each method that checks one returns the error to send."""

    __slots__ = ("_malformed", "_messages", "_per_sec", "_requests")

    def __init__(self, settings: GatewaySettings, requests: KeyedTokenBuckets, now: float) -> None:
        self._per_sec = settings.max_messages_per_sec
        self._messages = TokenBucket(self._per_sec, _BURST_SECS * self._per_sec, now)
        self._malformed = TokenBucket(1 / _FORGIVE_SECS, settings.max_bad_messages, now)
        self._requests = requests

    def message(self, now: float) -> RateLimited | None:
        """Count one message; the error if it exceeds the rate."""
        if self._messages.take(now):
            return None
        return RateLimited(f"more than {self._per_sec} messages a second")

    def request(self, user_id: str, instruments: int, now: float) -> RateLimited | None:
        """Count one subscribe or unsubscribe of `instruments`; the error if it exceeds the rate."""
        bucket = self._requests.of(user_id, now)
        if bucket.take(now):
            bucket.charge(instruments / _INSTRUMENTS_PER_TOKEN)
            return None
        return RateLimited(
            f"more than {self._per_sec} requests a second of one user; each"
            f" {_INSTRUMENTS_PER_TOKEN} instruments count as one more"
        )

    def tolerates_refusal(self, now: float) -> bool:
        """Count one refused message; False if the client must be disconnected."""
        return self._malformed.take(now)
