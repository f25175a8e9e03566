"""Repairs bars with missing trades from Upstox's candles, one instrument and day at a time.

The work to do is read from the database, and each result is stored at once. So a repair that is
interrupted continues where it was, and a repair that is done twice changes nothing.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from pymongo.errors import PyMongoError

from services.persister import metrics
from services.persister.candles.candle import SETTLED_MS, UpstoxCandle
from services.persister.candles.candle_source import CandlesRefused
from services.persister.pipeline import Publisher
from services.persister.repair.backlog import Repair, RepairBacklog
from services.persister.repair.candle_bars import repaired_bars
from services.persister.stored_bars import StoredBars
from shared.bus.lease import Term
from shared.contracts.history import GapState
from shared.contracts.messages import Bar
from shared.errors import NotFound, Unavailable
from shared.market.exchange_time import MINUTE_MS, trading_day, window_start
from shared.runtime.backoff import Backoff
from shared.runtime.logs import get_logger

log = get_logger(__name__)

_MAX_ATTEMPTS: Final = 5
"""Times that the same windows are repaired, while their bars stay partial or Upstox refuses."""
_MAX_FAILED_INSTRUMENTS: Final = 10
_MAX_PAUSE_SECS: Final = 300.0
_EMPTY_AGAIN_MS: Final = 30 * MINUTE_MS
"""Until the history of a day is asked again that may not be there yet."""
_LOG_EVERY_REPAIRS: Final = 100


_Attempt = tuple[bool, int, str, frozenset[int]]
"""A repair, with whether its candles are those of today until now."""


class Candles(Protocol):
    """Upstox's one-minute candles."""

    async def day(self, key: str, day: int, *, is_today: bool) -> list[UpstoxCandle]:
        """All candles of `day`; if `is_today`, those of the day that is running at Upstox.

        Raises NotFound for an unknown key, CandlesRefused, or Unavailable.
        """
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


@dataclass(slots=True)
class _Pass:
    """One pass over the backlog."""

    now_ms: int
    epoch: int
    lost_gaps: set[tuple[str, str]]
    """Gaps with their instrument that cannot be filled: an earlier day of them is given up."""
    failed_keys: set[str] = field(default_factory=set)
    """Instruments for which Upstox does not answer."""
    refused_keys: set[str] = field(default_factory=set)
    """Instruments whose candles Upstox refuses."""
    has_answer: bool = False
    """Whether Upstox has answered for one instrument."""
    waiting_keys: set[str] = field(default_factory=set)
    """Instruments whose gaps are not settled in this pass: an earlier day is to be repaired again."""

    @property
    def refusals(self) -> int:
        """The number of refused instruments; 0 once Upstox has answered for another one.

        The pass ends early at many refusals, so few repairs are given up while all are refused.
        """
        return 0 if self.has_answer else len(self.refused_keys)


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
        self._unfilled: set[_Attempt] = set()
        """Repairs for which Upstox's last answer could not be used for all windows."""
        self._empty_until_ms: dict[_Attempt, int] = {}
        """Repairs for which Upstox may not have the candles yet, and when to ask again."""

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

        Returns for how many instruments Upstox did not answer, or refused if it refused all. Stops
        early when there are many of them. Raises PyMongoError, StaleEpoch or LeaseLost.
        """
        backlog = await self._backlog.read(now_ms)
        metrics.EXPIRED_GAPS.set(backlog.expired)
        for key, gap_ids in backlog.filled.items():
            await self._store.settle_gaps(gap_ids, key, GapState.REPAIRED, epoch)
        repairs, given_up = self._by_attempts(backlog.repairs, now_ms)
        metrics.PENDING_REPAIRS.set(len(repairs))
        bars = 0
        this = _Pass(now_ms, epoch, {lost for repair in given_up for lost in _lost_gaps(repair)})
        for number, repair in enumerate(repairs, start=1):
            if max(len(this.failed_keys), this.refusals) >= _MAX_FAILED_INSTRUMENTS:
                break
            term.check()
            if this.now_ms < self._empty_until_ms.get(_attempt(repair, this.now_ms), 0):
                this.waiting_keys.add(repair.key)
            else:
                bars += await self._repair(repair, this)
            metrics.PENDING_REPAIRS.set(len(repairs) - number)
            if number % _LOG_EVERY_REPAIRS == 0 or number == len(repairs):
                log.info("repair progress", done=number, total=len(repairs), bars=bars)
        return len(this.failed_keys) + this.refusals

    def _by_attempts(self, repairs: list[Repair], now_ms: int) -> tuple[list[Repair], list[Repair]]:
        """The repairs to do, and those that were given up with windows that are not filled.

        Also forgets the attempts of repairs that are not in the backlog any more.
        """
        attempts = {_attempt(repair, now_ms): repair for repair in repairs}
        self._attempts &= Counter(dict.fromkeys(attempts, _MAX_ATTEMPTS))
        self._unfilled &= attempts.keys()
        for attempt in self._empty_until_ms.keys() - attempts.keys():
            del self._empty_until_ms[attempt]
        over = {attempt for attempt in attempts if self._attempts[attempt] >= _MAX_ATTEMPTS}
        return (
            [repair for attempt, repair in attempts.items() if attempt not in over],
            [attempts[attempt] for attempt in over & self._unfilled],
        )

    async def _repair(self, repair: Repair, this: _Pass) -> int:
        """Repair the windows of one instrument and day. Returns the number of bars stored."""
        key, attempt = repair.key, _attempt(repair, this.now_ms)
        is_today, *_ = attempt
        try:
            candles = await self._day(repair, is_today=is_today)
        except NotFound:
            self._attempts[attempt] = _MAX_ATTEMPTS
            self._unfilled.add(attempt)
            this.lost_gaps |= _lost_gaps(repair)
            await self._abandon(repair, "unknown_instrument", this.epoch)
            return 0
        except CandlesRefused as error:
            this.refused_keys.add(key)
            log.info("candles refused", key=key, error=error.detail)
            await self._settle(repair, this, is_filled=False)
            return 0
        except Unavailable as error:
            this.failed_keys.add(key)
            this.waiting_keys.add(key)
            log.debug("candles unavailable", key=key, error=error.detail)
            return 0
        this.has_answer = True
        if is_today and not candles:
            # Perhaps Upstox's day is over already, and the answer is of the next one. Unless there
            # are trades to find, only the history of the day is asked again.
            calls = 1 if repair.has_partial else _MAX_ATTEMPTS
            await self._settle(repair, this, is_filled=False, attempts=calls)
            return 0
        if not candles and _may_come(repair, this.now_ms):
            self._empty_until_ms[attempt] = this.now_ms + _EMPTY_AGAIN_MS
            this.waiting_keys.add(key)
            return 0
        stored = await self._store.repair(repaired_bars(key, candles, repair.windows), this.epoch)
        metrics.REPAIRED_BARS.inc(len(stored.bars))
        await self._publisher.publish(stored)
        # A window with an invalid candle has no bar yet.
        has_invalid = any(
            not candle.is_valid and window_start(candle.start_ms) in repair.windows
            for candle in candles
        )
        await self._settle(repair, this, is_filled=not has_invalid)
        return len(stored.bars)

    async def _day(self, repair: Repair, *, is_today: bool) -> list[UpstoxCandle]:
        """The candles of the repair's day.

        Upstox's running day may be later than that of the stream, whose time stands still without a
        feed. The machine's clock would not show that: a simulated exchange has a time of its own.
        """
        key, day = repair.key, repair.day
        candles = await self._candles.day(key, day, is_today=is_today)
        days = {trading_day(candle.start_ms) for candle in candles}
        if is_today and day not in days and days and max(days) > day:
            candles = await self._candles.day(key, day, is_today=False)
        return [candle for candle in candles if trading_day(candle.start_ms) == day]

    async def _settle(
        self, repair: Repair, this: _Pass, *, is_filled: bool, attempts: int = 1
    ) -> None:
        """Count attempts and record the outcome in the gaps that end with this repair.

        `is_filled` says whether the answer could be used for all windows. Neither is done while
        an earlier day of the instrument is to be repaired again.
        """
        key, attempt = repair.key, _attempt(repair, this.now_ms)
        is_today, *_ = attempt
        if key in this.waiting_keys:
            return
        if is_filled:
            self._unfilled.discard(attempt)
            lost = {gap_id for gap_id in repair.gap_ids if (gap_id, key) in this.lost_gaps}
            if lost:
                await self._store.settle_gaps(lost, key, GapState.ABANDONED, this.epoch)
            filled = repair.gap_ids - lost
            await self._store.settle_gaps(filled, key, GapState.REPAIRED, this.epoch)
        else:
            self._unfilled.add(attempt)
        # A bar that is still partial has trades of which Upstox has no candle yet.
        self._attempts[attempt] += attempts
        if self._attempts[attempt] < _MAX_ATTEMPTS:
            if not is_filled:
                this.waiting_keys.add(key)
        elif not is_today:
            if not is_filled:
                this.lost_gaps |= _lost_gaps(repair)
            await self._abandon(repair, "no_candles", this.epoch)

    async def _abandon(self, repair: Repair, reason: str, epoch: int) -> None:
        await self._store.settle_gaps(repair.gap_ids, repair.key, GapState.ABANDONED, epoch)
        metrics.ABANDONED_REPAIRS.labels(reason).inc()


def _attempt(repair: Repair, now_ms: int) -> _Attempt:
    # Candles of an earlier day are of another API, which may have those that today's lacked.
    return (repair.day == trading_day(now_ms), *repair.identity)


def _may_come(repair: Repair, now_ms: int) -> bool:
    """Whether Upstox may not have the history of the day yet: it ended a short time ago."""
    is_yesterday = repair.day == trading_day(now_ms - SETTLED_MS)
    return is_yesterday and repair.day != trading_day(now_ms)


def _lost_gaps(repair: Repair) -> set[tuple[str, str]]:
    """The gaps that can no longer be filled, with the instrument, if this repair is given up."""
    return {(gap_id, repair.key) for gap_id in repair.longer_gap_ids}
