"""The subscriptions of one connection, and which of them have received data.

PURE: time is an argument (monotonic seconds).
"""

from collections.abc import Iterable

from services.ingest.demand.limits import Mode
from services.ingest.demand.subscription_requests import Method, SubscriptionRequest


class ConnectionSubscriptions:
    """Starts empty: Upstox keeps no subscription from one connection to the next."""

    def __init__(self) -> None:
        self.modes: dict[str, Mode] = {}
        """The mode of each subscribed instrument, with or without data so far."""
        self._requested_secs: dict[str, float] = {}

    def sent(self, request: SubscriptionRequest, now_secs: float) -> None:
        """Record that `request` was sent."""
        for key in request.keys:
            if request.mode is None:
                self.modes.pop(key, None)
                self._requested_secs.pop(key, None)
            else:
                if request.method is Method.SUBSCRIBE:
                    self._requested_secs[key] = now_secs
                self.modes[key] = request.mode

    def received(self, keys: Iterable[str]) -> bool:
        """Record data of `keys`; True if it is the first since subscribing for any of them."""
        if not self._requested_secs:
            return False
        first = [key for key in keys if key in self._requested_secs]
        for key in first:
            del self._requested_secs[key]
        return bool(first)

    def without_data(
        self, now_secs: float, *, unknown_after_secs: float
    ) -> tuple[list[str], list[str]]:
        """Keys without data since subscribing: (pending, unknown).

        A key is pending until `unknown_after_secs` have passed, then unknown.
        """
        pending: list[str] = []
        unknown: list[str] = []
        for key, requested_secs in self._requested_secs.items():
            is_unknown = now_secs - requested_secs >= unknown_after_secs
            (unknown if is_unknown else pending).append(key)
        return pending, unknown
