"""Answers `instruments.detail`: an instrument of the master with reference data of the day."""

import asyncio
from collections import OrderedDict
from typing import Final, Protocol, TypeVar

from shared.contracts.instruments import (
    DetailReply,
    DetailRequest,
    GetReply,
    GetRequest,
    Reference,
)
from shared.errors import NotFound, Overloaded, Unavailable
from shared.market.exchange_time import trading_day
from shared.runtime.clock import Clock
from shared.runtime.logs import get_logger

log = get_logger(__name__)

_MAX_CACHED: Final = 10_000
_MAX_CALL_SECS: Final = 2.0
_LOCKS: Final = 32
_REREAD_MS: Final = 60_000
_RETRY_SECS: Final = 60.0
"""Time for which no call is made for a key after one that failed."""

T = TypeVar("T")


class MasterInstruments(Protocol):
    """The instruments of the stored master."""

    async def get(self, request: GetRequest) -> GetReply:
        """Instruments by key. Raises Unavailable if the database does not answer."""
        ...


class References(Protocol):
    """Upstox's reference data."""

    async def read(self, key: str) -> Reference:
        """That of an instrument. Raises Unavailable or Overloaded."""
        ...


class DetailRequests:
    """Reads the reference data of each instrument once a day, and again if a request wants newer.

    It is kept in memory.
    """

    def __init__(
        self, instruments: MasterInstruments, references: References, clock: Clock
    ) -> None:
        self._instruments = instruments
        self._references = references
        self._clock = clock
        self._cache: OrderedDict[str, Reference] = OrderedDict()
        self._retry_at_secs: OrderedDict[str, float] = OrderedDict()
        # By the hash of a key: so there is a bounded number, and nothing to clean up.
        self._locks = [asyncio.Lock() for _ in range(_LOCKS)]

    async def read(self, request: DetailRequest) -> DetailReply:
        """The instrument; without reference data while Upstox does not tell it.

        Raises NotFound if the master lacks the key, or Unavailable if the database does not answer.
        """
        found = await self._instruments.get(GetRequest(keys=[request.key]))
        if not found.instruments:
            raise NotFound(f"no instrument {request.key}", field="key")
        return DetailReply(
            instrument=found.instruments[0],
            reference=await self._reference(request.key, request.newer_than_ms),
        )

    async def _reference(self, key: str, newer_than_ms: int) -> Reference | None:
        """That of today; if it cannot be read (again), the earlier one or None."""
        try:
            async with asyncio.timeout(_MAX_CALL_SECS), self._locks[hash(key) % _LOCKS]:
                cached = self._of_today(key)
                is_enough = cached is not None and not self._is_outdated(cached, newer_than_ms)
                if is_enough or self._has_failed(key):
                    return cached
                return await self._read(key)
        except (Unavailable, Overloaded) as error:
            log.info("no reference data", key=key, error=error.detail)
        except TimeoutError:
            log.info("no reference data", key=key, error="Upstox does not answer in time")
        return self._of_today(key)

    async def _read(self, key: str) -> Reference:
        # Until there is an answer the call counts as failed: it may be cancelled.
        _put(self._retry_at_secs, key, self._clock.monotonic() + _RETRY_SECS)
        try:
            read = await self._references.read(key)
        except Overloaded:  # there was no call
            self._retry_at_secs.pop(key, None)
            raise
        self._retry_at_secs.pop(key, None)
        _put(self._cache, key, read)
        return read

    def _has_failed(self, key: str) -> bool:
        """Whether the last call for `key` has failed, a short time ago."""
        return self._clock.monotonic() < self._retry_at_secs.get(key, float("-inf"))

    def _of_today(self, key: str) -> Reference | None:
        cached = self._cache.get(key)
        if cached is None or trading_day(cached.taken_at) != trading_day(self._clock.now_ms()):
            return None
        return cached

    def _is_outdated(self, cached: Reference, newer_than_ms: int) -> bool:
        is_recent = self._clock.now_ms() - cached.taken_at < _REREAD_MS
        return cached.taken_at < newer_than_ms and not is_recent


def _put(values: OrderedDict[str, T], key: str, value: T) -> None:
    """Set a value; the oldest one is dropped if there are too many."""
    values[key] = value
    values.move_to_end(key)
    while len(values) > _MAX_CACHED:
        values.popitem(last=False)
