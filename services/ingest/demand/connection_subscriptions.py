"""The subscriptions of one connection, and which of them have received data.

PURE: time is an argument (monotonic seconds).
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from services.ingest.demand.limits import Mode
from services.ingest.demand.subscription_requests import Method, SubscriptionRequest, split

_MAX_PAUSE_SECS: Final = 600.0


class _Repeat(NamedTuple):
    """When to subscribe to a key once more, and the pause before that."""

    at_secs: float
    pause_secs: float


class ConnectionSubscriptions:
    """Starts empty: Upstox keeps no subscription from one connection to the next."""

    def __init__(self) -> None:
        self.modes: dict[str, Mode] = {}
        """The mode of each subscribed instrument, with or without data so far."""
        self._requested_secs: dict[str, float] = {}
        self._repeats: dict[str, _Repeat] = {}
        """Of keys that are unknown."""

    def sent(self, request: SubscriptionRequest, now_secs: float) -> None:
        """Record that `request` was sent."""
        for key in request.keys:
            if request.mode is None:
                self.modes.pop(key, None)
                self._forget(key)
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
            self._forget(key)
        return bool(first)

    def due_again(self, now_secs: float, *, unknown_after_secs: float) -> list[SubscriptionRequest]:
        """Requests to send once more, since Upstox may have lost them: it answers no request.

        The pauses between two requests for a key grow from `unknown_after_secs` to ten minutes.
        """
        due: dict[Mode, list[str]] = {}
        for key, requested_secs in self._requested_secs.items():
            first = _Repeat(requested_secs + unknown_after_secs, unknown_after_secs)
            repeat = self._repeats.get(key, first)
            if now_secs < repeat.at_secs:
                continue
            due.setdefault(self.modes[key], []).append(key)
            pause_secs = min(2 * repeat.pause_secs, _MAX_PAUSE_SECS)
            self._repeats[key] = _Repeat(now_secs + pause_secs, pause_secs)
        return [
            request for mode, keys in due.items() for request in split(Method.SUBSCRIBE, keys, mode)
        ]

    def _forget(self, key: str) -> None:
        self._requested_secs.pop(key, None)
        self._repeats.pop(key, None)

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
