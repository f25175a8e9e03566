"""The requests and subscriptions of one feed client."""

from collections.abc import Container
from enum import StrEnum
from typing import Final

import msgspec

from services.simulator.feed.limits import SubscriptionQuota
from services.simulator.feed.modes import Mode


class FeedMethod(StrEnum):
    """The method of a request."""

    SUBSCRIBE = "sub"
    CHANGE_MODE = "change_mode"
    UNSUBSCRIBE = "unsub"


class FeedRequestData(msgspec.Struct, frozen=True, rename="camel"):
    """The instruments of a request and their mode; `unsub` has no mode."""

    instrument_keys: list[str]
    mode: Mode = Mode.LTPC


class FeedRequest(msgspec.Struct, frozen=True):
    """A message from a client to the feed."""

    method: FeedMethod
    data: FeedRequestData
    guid: str = ""


_decoder: Final = msgspec.json.Decoder(FeedRequest)


def parse_request(data: bytes) -> FeedRequest | None:
    """The request; None if the message is invalid, which the feed ignores as Upstox does."""
    try:
        return _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


class FeedSubscriptions:
    """The mode of each instrument that one client is subscribed to, within the user's quota."""

    def __init__(self, listed_keys: Container[str], quota: SubscriptionQuota) -> None:
        self._listed_keys = listed_keys
        self._quota = quota
        self.modes: dict[str, Mode] = {}
        self.refused = 0
        """Instruments refused because of a limit, since the connection was opened."""

    def apply(self, request: FeedRequest) -> list[str]:
        """Apply a request; returns the keys that are new or have a new mode.

        Unknown keys are ignored, as Upstox does.
        """
        mode = request.data.mode
        changed: list[str] = []
        for key in request.data.instrument_keys:
            before = self.modes.get(key)
            match request.method:
                case FeedMethod.UNSUBSCRIBE:
                    self._unsubscribe(key)
                    continue
                case FeedMethod.CHANGE_MODE if before is None:
                    continue
            if key not in self._listed_keys or before is mode:
                continue
            if self._quota.move(before, mode):
                self.modes[key] = mode
                changed.append(key)
            else:
                self.refused += 1
        return changed

    def end(self) -> None:
        """Unsubscribe all instruments, which releases their share of the quota."""
        for key in list(self.modes):
            self._unsubscribe(key)

    def _unsubscribe(self, key: str) -> None:
        mode = self.modes.pop(key, None)
        if mode is not None:
            self._quota.move(mode, None)
