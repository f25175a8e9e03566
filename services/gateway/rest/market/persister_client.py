"""Calls the persister over NATS, with a bound on the calls in flight."""

from typing import Final

import msgspec

from shared.bus.connection import Bus
from shared.bus.requests import send_request_encoded
from shared.contracts.history import (
    HISTORY_BARS,
    HISTORY_CANDLES,
    HISTORY_GAPS,
    HISTORY_STATE,
    BarsRequest,
    CandlesRequest,
    GapsRequest,
    HistoryStateRequest,
)
from shared.contracts.instruments import (
    INSTRUMENTS_DETAIL,
    INSTRUMENTS_GET,
    INSTRUMENTS_SEARCH,
    DetailRequest,
    GetRequest,
    SearchRequest,
)
from shared.contracts.option_chains import INSTRUMENTS_OPTIONS, OptionsRequest
from shared.errors import Overloaded, RequestError, error_from_reply
from shared.runtime.clock import Clock

PersisterRequest = (
    BarsRequest
    | CandlesRequest
    | GapsRequest
    | HistoryStateRequest
    | SearchRequest
    | GetRequest
    | DetailRequest
    | OptionsRequest
)

_SUBJECTS: Final[dict[type[msgspec.Struct], str]] = {
    BarsRequest: HISTORY_BARS,
    CandlesRequest: HISTORY_CANDLES,
    GapsRequest: HISTORY_GAPS,
    HistoryStateRequest: HISTORY_STATE,
    SearchRequest: INSTRUMENTS_SEARCH,
    GetRequest: INSTRUMENTS_GET,
    DetailRequest: INSTRUMENTS_DETAIL,
    OptionsRequest: INSTRUMENTS_OPTIONS,
}
# REST parameters that have another name than the field of the bus request.
_REST_NAMES: Final = {
    "from_ms": "from",
    "to_ms": "to",
    "query": "q",
    "types": "type",
    "segments": "segment",
}


class PersisterClient:
    """At most `max_concurrent` calls are in flight; one more is refused at once."""

    def __init__(self, bus: Bus, clock: Clock, *, timeout_secs: float, max_concurrent: int) -> None:
        self._bus = bus
        self._clock = clock
        self._timeout_secs = timeout_secs
        self._max_concurrent = max_concurrent
        self._in_flight = 0

    async def call(self, request: PersisterRequest) -> bytes:
        """The response as JSON, undecoded.

        Raises the persister's RequestError with REST's field names; Unavailable or TimedOut
        if it does not answer; Overloaded if too many calls are in flight.
        """
        if self._in_flight >= self._max_concurrent:
            raise Overloaded("too many requests wait for the persister; try again")
        self._in_flight += 1
        try:
            subject = _SUBJECTS[type(request)]
            return await send_request_encoded(
                self._bus, self._clock, subject, request, timeout_secs=self._timeout_secs
            )
        except RequestError as error:
            if error.field not in _REST_NAMES:
                raise
            raise _with_rest_name(error, error.field) from None
        finally:
            self._in_flight -= 1


def _with_rest_name(error: RequestError, field: str) -> RequestError:
    name = _REST_NAMES[field]
    return error_from_reply(error.code, error.detail.replace(field, name), name)
