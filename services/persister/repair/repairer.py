"""Repairs bars with missing trades from Upstox's candles, one instrument and day at a time.

The work to do is read from the database, and each result is stored at once. So a repair that is
interrupted continues where it was, and a repair that is done twice changes nothing.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Final, Protocol

from pymongo.errors import PyMongoError

from services.persister import metrics
from services.persister.candles.candle import UpstoxCandle
from services.persister.pipeline import Publisher
from services.persister.repair.backlog import Repair, RepairBacklog
from services.persister.repair.candle_bars import repaired_bars
from services.persister.stored_bars import StoredBars
from shared.bus.lease import Term
from shared.contracts.history import GapState
from shared.contracts.messages import Bar
from shared.errors import NotFound, Unavailable
from shared.market.exchange_time import trading_day, window_start
from shared.runtime.backoff import Backoff
from shared.runtime.logs import get_logger

log = get_logger(__name__)

_MAX_ATTEMPTS: Final = 5
"""Times that the same windows are repaired, while their bars stay partial."""
_MAX_FAILED_INSTRUMENTS: Final = 10
_MAX_PAUSE_SECS: Final = 300.0
_LOG_EVERY_REPAIRS: Final = 100


_Attempt = tuple[bool, int, str, frozenset[int]]
"""A repair, with whether its candles are those of today until now."""


class Candles(Protocol):
    """Upstox's one-minute candles."""

    async def day(self, key: str, day: int, *, is_today: bool) -> list[UpstoxCandle]:
        """All candles of a day. Raises NotFound for an unknown key, or Unavailable."""
        ...


class RepairStore(Protocol):
    """Stores repairs. Both methods raise PyMongoError, and StaleEpoch if another leads."""

    async def repair(self, bars: Sequence[Bar], epoch: int) -> StoredBars:
        """Store bars unless there are better ones. Returns the bars as stored, to publish."""
        ...

    async def settle_gaps(
        self, gap_ids: Collection[str], key: str, outcome: GapState, epoch: int
    ) -> None:
        """Record that an instrument's windows in these gaps are repaired or abandoned."""
        ...


class RepairBacklogSource(Protocol):
    """Reads the repair backlog."""

    async def read(self, now_ms: int) -> RepairBacklog:
        """The backlog at exchange time `now_ms`. Raises PyMongoError."""
        ...


class Repairer:
    """Runs for one term of leadership at a time."""

    def __init__(
        self,
        backlog: RepairBacklogSource,
        candles: Candles,
        store: RepairStore,
        publisher: Publisher,
        stream_time_ms: Callable[[], int | None],
        *,
        every_secs: float,
    ) -> None:
        """`stream_time_ms` gives the exchange time that the pipeline has reached."""
        self._backlog = backlog
        self._candles = candles
        self._store = store
        self._publisher = publisher
        self._stream_time_ms = stream_time_ms
        self._every_secs = every_secs
        self._attempts: Counter[_Attempt] = Counter()

    async def run(self, term: Term, epoch: int) -> None:
        """Repair until cancelled. Raises StaleEpoch or LeaseLost if another persister leads."""
        backoff = Backoff(self._every_secs, max(self._every_secs, _MAX_PAUSE_SECS))
        while True:
            pause_secs = self._every_secs if backoff.attempt == 0 else backoff.next_secs()
            await asyncio.sleep(pause_secs)
            now_ms = self._stream_time_ms()
            if now_ms is None:
                continue
            try:
                failed = await self.repair_all(now_ms, term, epoch)
            except PyMongoError as error:
                log.warning("repair interrupted", error=repr(error))
                continue
            if not failed:
                backoff.reset()
            elif backoff.attempt == 0:
                backoff.next_secs()
                log.warning("candles unavailable, trying again", instruments=failed)

    async def repair_all(self, now_ms: int, term: Term, epoch: int) -> int:
        """Repair the backlog at exchange time `now_ms`.

        Returns for how many instruments Upstox gave no candles. Stops early when there are
        many of them. Raises PyMongoError, StaleEpoch or LeaseLost.
        """
        backlog = await self._backlog.read(now_ms)
        metrics.EXPIRED_GAPS.set(backlog.expired)
        for key, gap_ids in backlog.filled.items():
            await self._store.settle_gaps(gap_ids, key, GapState.REPAIRED, epoch)
        repairs = self._below_max_attempts(backlog.repairs, now_ms)
        metrics.PENDING_REPAIRS.set(len(repairs))
        bars = 0
        failed_keys: set[str] = set()
        for number, repair in enumerate(repairs, start=1):
            if len(failed_keys) >= _MAX_FAILED_INSTRUMENTS:
                break
            term.check()
            bars += await self._repair(repair, now_ms, epoch, failed_keys)
            metrics.PENDING_REPAIRS.set(len(repairs) - number)
            if number % _LOG_EVERY_REPAIRS == 0 or number == len(repairs):
                log.info("repair progress", done=number, total=len(repairs), bars=bars)
        return len(failed_keys)

    def _below_max_attempts(self, repairs: list[Repair], now_ms: int) -> list[Repair]:
        # Also forgets the attempts of repairs that are not in the backlog any more.
        attempts = {_attempt(repair, now_ms): repair for repair in repairs}
        self._attempts &= Counter(dict.fromkeys(attempts, _MAX_ATTEMPTS))
        return [
            repair
            for attempt, repair in attempts.items()
            if self._attempts[attempt] < _MAX_ATTEMPTS
        ]

    async def _repair(self, repair: Repair, now_ms: int, epoch: int, failed_keys: set[str]) -> int:
        """Repair the windows of one instrument and day. Returns the number of bars stored.

        Adds the key to `failed_keys` if its candles are unavailable.
        """
        key, attempt = repair.key, _attempt(repair, now_ms)
        is_today, *_ = attempt
        try:
            candles = await self._candles.day(key, repair.day, is_today=is_today)
        except NotFound:
            self._attempts[attempt] = _MAX_ATTEMPTS
            await self._abandon(repair, "unknown_instrument", epoch)
            return 0
        except Unavailable as error:
            failed_keys.add(key)
            log.debug("candles unavailable", key=key, error=error.detail)
            return 0
        stored = await self._store.repair(repaired_bars(key, candles, repair.windows), epoch)
        metrics.REPAIRED_BARS.inc(len(stored.bars))
        await self._publisher.publish(stored)
        # A bar that is still partial has trades of which Upstox has no candle yet.
        self._attempts[attempt] += 1
        # A window with an invalid candle has no bar yet. If an earlier day of the instrument failed,
        # its gap is not filled yet.
        has_invalid = any(
            not candle.is_valid and window_start(candle.start_ms) in repair.windows
            for candle in candles
        )
        if key not in failed_keys and not has_invalid:
            await self._store.settle_gaps(repair.gap_ids, key, GapState.REPAIRED, epoch)
        if key not in failed_keys and self._attempts[attempt] == _MAX_ATTEMPTS and not is_today:
            await self._abandon(repair, "no_candles", epoch)
        return len(stored.bars)

    async def _abandon(self, repair: Repair, reason: str, epoch: int) -> None:
        await self._store.settle_gaps(repair.gap_ids, repair.key, GapState.ABANDONED, epoch)
        metrics.ABANDONED_REPAIRS.labels(reason).inc()


def _attempt(repair: Repair, now_ms: int) -> _Attempt:
    # Candles of an earlier day are of another API, which may have those that today's lacked.
    return (repair.day == trading_day(now_ms), *repair.identity)
