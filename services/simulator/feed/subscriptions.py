"""What one feed client asked for: its instruments, each in a mode.

PURE: no sockets.
"""

from collections.abc import Container
from enum import StrEnum
from typing import Final

import msgspec


class Mode(StrEnum):
    """How much of an instrument the feed sends."""

    LTPC = "ltpc"
    OPTION_GREEKS = "option_greeks"
    FULL = "full"
    FULL_D30 = "full_d30"


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


class Subscriptions:
    """The mode of each instrument that one client listens to."""

    def __init__(self, known: Container[str]) -> None:
        self._known = known
        self.modes: dict[str, Mode] = {}

    def apply(self, request: Request) -> list[str]:
        """Carry out a request; the keys that are new or in a new mode, for a snapshot.

        Unknown keys are passed over without a word, as Upstox does.
        """
        mode = request.data.mode
        fresh: list[str] = []
        for key in request.data.instrument_keys:
            match request.method:
                case Method.UNSUBSCRIBE:
                    self.modes.pop(key, None)
                    continue
                case Method.CHANGE_MODE if key not in self.modes:
                    continue
            if key in self._known and self.modes.get(key) is not mode:
                self.modes[key] = mode
                fresh.append(key)
        return fresh
