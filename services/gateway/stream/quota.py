"""How much one client may ask, and what to tell it when that is too much."""

from typing import Final

from services.gateway.http.token_bucket import KeyedTokenBuckets, TokenBucket
from services.gateway.settings import GatewaySettings
from shared.errors import LimitExceeded

# After so long one malformed message is forgiven.
_FORGIVE_SECS: Final = 10.0
# A request counts as one more for so many instruments that it is about.
_INSTRUMENTS_PER_REQUEST: Final = 100


def request_rates(settings: GatewaySettings) -> KeyedTokenBuckets:
    """Of users: at once what all their streams need to subscribe to all that they may."""
    everything = settings.max_streams_per_user * (
        settings.max_messages_per_sec + settings.max_keys_per_stream / _INSTRUMENTS_PER_REQUEST
    )
    return KeyedTokenBuckets(settings.max_messages_per_sec, everything)


class ClientQuota:
    """Counts the messages of one client, what it sends wrongly, and its user's requests."""

    __slots__ = ("_messages", "_per_sec", "_requests", "_wrong")

    def __init__(self, settings: GatewaySettings, requests: KeyedTokenBuckets, now: float) -> None:
        self._per_sec = settings.max_messages_per_sec
        self._messages = TokenBucket(self._per_sec, 4.0 * self._per_sec, now)
        self._wrong = TokenBucket(1 / _FORGIVE_SECS, settings.max_bad_messages, now)
        self._requests = requests

    def message(self, now: float) -> LimitExceeded | None:
        """One more message; why it is not let in, if it is not."""
        if self._messages.take(now):
            return None
        return LimitExceeded(f"more than {self._per_sec} messages a second")

    def request(self, user_id: str, reach: int, now: float) -> LimitExceeded | None:
        """A subscribe or unsubscribe about `reach` instruments, likewise."""
        asked = self._requests.of(user_id, now)
        if asked.take(now):
            asked.charge(reach / _INSTRUMENTS_PER_REQUEST)
            return None
        return LimitExceeded(
            f"more than {self._per_sec} requests a second of one user, each"
            f" {_INSTRUMENTS_PER_REQUEST} instruments being one more"
        )

    def forgives(self, now: float) -> bool:
        """One more thing that was refused; False if the client should go."""
        return self._wrong.take(now)
