"""Asks the persister over the bus, and hands its answers on as they come."""

from typing import Final

import msgspec

from shared.bus.connection import Bus
from shared.bus.requests import send_request_encoded
from shared.contracts.history import HISTORY_BARS, HISTORY_GAPS, BarsRequest, GapsRequest
from shared.contracts.instruments import (
    INSTRUMENTS_GET,
    INSTRUMENTS_SEARCH,
    GetRequest,
    SearchRequest,
)
from shared.errors import Overloaded, RequestError, error_from_reply
from shared.runtime.clock import Clock

Question = BarsRequest | GapsRequest | SearchRequest | GetRequest

_SUBJECTS: Final[dict[type[msgspec.Struct], str]] = {
    BarsRequest: HISTORY_BARS,
    GapsRequest: HISTORY_GAPS,
    SearchRequest: INSTRUMENTS_SEARCH,
    GetRequest: INSTRUMENTS_GET,
}
# By REST some parameters are named otherwise.
_NAMES: Final = {
    "from_ms": "from",
    "to_ms": "to",
    "query": "q",
    "types": "type",
    "segments": "segment",
}


class PersisterClient:
    """At most so many wait for their answers at a time; one more is refused at once."""

    def __init__(self, bus: Bus, clock: Clock, *, secs: float, at_once: int) -> None:
        self._bus = bus
        self._clock = clock
        self._secs = secs
        self._at_once = at_once
        self._asked = 0

    async def ask(self, question: Question) -> bytes:
        """The answer's JSON.

        Raises what the persister refuses with, by the names of REST; Unavailable or TimedOut if
        it does not answer, Overloaded if too many questions wait.
        """
        if self._asked >= self._at_once:
            raise Overloaded("too many questions wait for their answers; try again")
        self._asked += 1
        try:
            return await send_request_encoded(
                self._bus, self._clock, _SUBJECTS[type(question)], question, timeout_secs=self._secs
            )
        except RequestError as error:
            if error.field not in _NAMES:
                raise
            raise _renamed(error, error.field) from None
        finally:
            self._asked -= 1


def _renamed(error: RequestError, field: str) -> RequestError:
    name = _NAMES[field]
    return error_from_reply(error.code, error.detail.replace(field, name), name)
