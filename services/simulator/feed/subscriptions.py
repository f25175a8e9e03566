"""What one feed client asked for: its instruments, each in a mode.

PURE: no sockets.
"""

from collections.abc import Container
from enum import StrEnum
from typing import Final

import msgspec

from services.simulator.feed.limits import Quota
from services.simulator.feed.modes import Mode


class Method(StrEnum):
    """What a request does."""

    SUBSCRIBE = "sub"
    CHANGE_MODE = "change_mode"
    UNSUBSCRIBE = "unsub"


class RequestData(msgspec.Struct, frozen=True, rename="camel"):
    """Which instruments, in which mode (`unsub` sends none)."""

    instrument_keys: list[str]
    mode: Mode = Mode.LTPC


class Request(msgspec.Struct, frozen=True):
    """A client's message on the feed."""

    method: Method
    data: RequestData
    guid: str = ""


_decoder: Final = msgspec.json.Decoder(Request)


def parse(data: bytes) -> Request | None:
    """A request, or None for what is not one: Upstox ignores such a message, too."""
    try:
        return _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


class FeedSubscriptions:
    """The mode of each instrument that one client listens to, within the user's quota."""

    def __init__(self, known: Container[str], quota: Quota) -> None:
        self._known = known
        self._quota = quota
        self.modes: dict[str, Mode] = {}
        self.refused = 0
        """Instruments that were beyond a limit, since the connection began."""

    def apply(self, request: Request) -> list[str]:
        """Carry out a request; the keys that are new or in a new mode, for a snapshot.

        Unknown keys are passed over without a word, as Upstox does.
        """
        mode = request.data.mode
        fresh: list[str] = []
        for key in request.data.instrument_keys:
            before = self.modes.get(key)
            match request.method:
                case Method.UNSUBSCRIBE:
                    self._end(key)
                    continue
                case Method.CHANGE_MODE if before is None:
                    continue
            if key not in self._known or before is mode:
                continue
            if self._quota.move(before, mode):
                self.modes[key] = mode
                fresh.append(key)
            else:
                self.refused += 1
        return fresh

    def end(self) -> None:
        """The client is gone: give back what it used of the quota."""
        for key in list(self.modes):
            self._end(key)

    def _end(self, key: str) -> None:
        mode = self.modes.pop(key, None)
        if mode is not None:
            self._quota.move(mode, None)
