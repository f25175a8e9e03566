"""Gets instruments from the persister over the bus, through a bounded cache."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from services.trading import metrics
from shared.bus.connection import Bus
from shared.bus.requests import send_request
from shared.contracts.instruments import INSTRUMENTS_GET, GetReply, GetRequest, Instrument
from shared.contracts.subjects import key_to_tokens
from shared.errors import RequestError
from shared.runtime.clock import Clock

MAX_AGE_SECS: Final = 3_600.0
"""The persister loads a new master at most once a day."""


@dataclass(frozen=True, slots=True)
class _Cached:
    instrument: Instrument
    read_at_secs: float


class Instruments:
    """The instruments that were used last, at most `max_cached`.

    Unknown keys are not cached: a new instrument is found as soon as the persister has it.
    """

    def __init__(self, bus: Bus, clock: Clock, *, timeout_secs: float, max_cached: int) -> None:
        self._bus = bus
        self._clock = clock
        self._timeout_secs = timeout_secs
        self._max_cached = max_cached
        self._cached: OrderedDict[str, _Cached] = OrderedDict()

    async def get(self, key: str) -> Instrument | None:
        """The instrument; None if the persister does not know it.

        Raises InvalidField if `key` has not the form of a key, and the RequestError of the
        persister; Unavailable or TimedOut if it does not answer.
        """
        cached = self._cached.get(key)
        if cached is not None and self._clock.monotonic() - cached.read_at_secs < MAX_AGE_SECS:
            self._cached.move_to_end(key)
            metrics.INSTRUMENT_READS.labels("cached").inc()
            return cached.instrument
        key_to_tokens(key)
        try:
            instrument = await self._read(key)
        except RequestError:
            metrics.INSTRUMENT_READS.labels("failed").inc()
            raise
        if instrument is None:
            self._cached.pop(key, None)
            metrics.INSTRUMENT_READS.labels("unknown").inc()
            return None
        metrics.INSTRUMENT_READS.labels("read").inc()
        self._cached[key] = _Cached(instrument, self._clock.monotonic())
        self._cached.move_to_end(key)
        if len(self._cached) > self._max_cached:
            self._cached.popitem(last=False)
        return instrument

    async def _read(self, key: str) -> Instrument | None:
        reply = await send_request(
            self._bus,
            self._clock,
            INSTRUMENTS_GET,
            GetRequest(keys=[key]),
            GetReply,
            timeout_secs=self._timeout_secs,
        )
        return next((found for found in reply.instruments if found.key == key), None)
