"""Quotes and candles to five-minute bars, by the stream's own time, never by ours.

A window closes when the stream's time has passed its end by a grace; its bars then come
out together with the state from which reading on gives all later bars again, to the byte.
What comes later still amends the instrument's last bar.

What counts: every trade, by its own time (`ltt`), in whatever session, be it the opening
auction's, the closing auction's or one after the close. An indicative price is no trade.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Final

from services.persister.aggregation.checkpoint import Hole, Silence, State, encode_state
from services.persister.aggregation.trades import Trades
from services.persister.aggregation.windows import Windows
from shared.contracts.history import GapReason
from shared.contracts.messages import Bar, Candle, ClockTick, Quote
from shared.market.exchange_time import WINDOW_MS, window_start

# A feed that is live may say nothing for so long.
_SHORTEST_SILENCE_MS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Missing:
    """Windows from `start` until before `end` in which trades of `keys` may be missing."""

    start: int
    end: int
    reason: GapReason
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Closed:
    """What is to be stored: bars of windows that are over, and where to read on afterwards."""

    until: int
    bars: tuple[Bar, ...]
    missing: tuple[Missing, ...]
    checkpoint: bytes


class Aggregator:
    """Give it every entry of the stream, in order, then `take` what is to be stored."""

    def __init__(self, state: State, *, grace_ms: int, silent_after_ms: int) -> None:
        self._state = state
        self._instruments = state.instruments
        self._grace_ms = grace_ms
        self._silent_after_ms = silent_after_ms
        self._windows = Windows(state)
        self._trades = Trades(state, self._windows, grace_ms=grace_ms)
        self._taken_until = state.closed_until
        self._closes_at = self._next_close()
        self.stale_entries = 0
        """Entries of a superseded ingest leader."""

    @property
    def time_ms(self) -> int | None:
        """Exchange time reached; None before the first entry."""
        return self._state.time_ms

    @property
    def open_windows(self) -> int:
        """Windows that have begun and are not over."""
        return self._windows.open_count

    @property
    def late_trades(self) -> int:
        """Trades of windows that cannot change any more, or of times that are not yet."""
        return self._trades.late

    def passed(self, position: int) -> None:
        """An entry that is none of ours: it was not lost."""
        self._state.next_position = position + 1

    def clock(self, tick: ClockTick, position: int) -> None:
        """Time goes on."""
        self._advance(tick.ts, tick.feed_ts, tick.epoch, position)

    def quote(self, quote: Quote, position: int) -> None:
        """A quote: maybe a trade, or more than one."""
        if self._advance(quote.ts, quote.ts, quote.epoch, position, snap=quote.snap):
            self._trades.quote(quote)

    def candle(self, candle: Candle, position: int) -> None:
        """A minute that is over, with every trade of it."""
        if self._advance(candle.ts, candle.ts, candle.epoch, position):
            self._trades.candle(candle)

    def take(self) -> Closed | None:
        """What has closed since the last call, amendments with it; None if no window has."""
        state = self._state
        if state.closed_until == self._taken_until:
            return None
        amended = self.take_amended()
        self._taken_until = state.closed_until
        missing = _grouped(state.holes)
        state.holes = []
        return Closed(state.closed_until, amended, missing, encode_state(state))

    def take_amended(self) -> tuple[Bar, ...]:
        """Bars that are new or differ from what was told before; the checkpoint may stay."""
        return self._windows.take()

    def _advance(
        self, ts: int, feed_ts: int, epoch: int, position: int, *, snap: bool = False
    ) -> bool:
        """Let time come to `ts`, and note if the feed was away before; False if superseded."""
        state = self._state
        lost = position > state.next_position
        state.next_position = position + 1
        if epoch < state.feed_epoch:
            self.stale_entries += 1
            return False
        before, fed = state.time_ms, state.feed_ms
        if before is None or fed is None:
            state.closed_until = self._taken_until = max(state.closed_until, window_start(ts))
            self._note_silence(window_start(feed_ts), feed_ts, GapReason.FEED_AWAY)
            before = fed = 0
        elif lost:
            self._note_silence(fed, max(feed_ts, fed + 1), GapReason.ENTRIES_LOST)
        elif epoch > state.feed_epoch:
            self._note_silence(fed, max(feed_ts, fed + 1), GapReason.FEED_AWAY)
        elif snap and feed_ts - fed > _SHORTEST_SILENCE_MS:
            self._note_silence(fed, feed_ts, GapReason.FEED_AWAY)
        elif ts - before > self._silent_after_ms:
            self._note_silence(before, ts, GapReason.FEED_AWAY)
        state.feed_epoch = epoch
        if ts > before:
            state.time_ms = ts
            if ts >= self._closes_at:
                self._close(window_start(ts - self._grace_ms))
        if feed_ts > fed:
            state.feed_ms = feed_ts
        return True

    def _note_silence(self, since: int, until: int, reason: GapReason) -> None:
        if until > since:
            self._state.silences.append(Silence(since, until, reason))
        self._closes_at = self._next_close()

    def _next_close(self) -> int:
        """A window waits for the grace, and as long after a silence: the feed then tells
        of each instrument whether anything was traded unseen."""
        ends = [self._state.closed_until + WINDOW_MS, *(s.until for s in self._state.silences)]
        return max(ends) + self._grace_ms

    def _close(self, until: int) -> None:
        """Close all windows that end by `until`, which is the end of one."""
        state = self._state
        for instrument in self._instruments.values():
            self._windows.close(instrument, until)
        for silence in state.silences:
            start = max(window_start(silence.since), state.closed_until)
            end = min(window_start(silence.until - 1) + WINDOW_MS, until)
            if start < end:
                for instrument in self._instruments.values():
                    if instrument.seen < silence.until:
                        state.holes.append(Hole(start, end, silence.reason, instrument.key))
        state.closed_until = until
        state.silences = [silence for silence in state.silences if silence.until > until]
        self._closes_at = self._next_close()


def _grouped(holes: list[Hole]) -> tuple[Missing, ...]:
    """Holes of the same windows together."""
    keys: dict[tuple[int, int, GapReason], set[str]] = defaultdict(set)
    for hole in holes:
        keys[hole.start, hole.end, hole.reason].add(hole.key)
    return tuple(Missing(*place, tuple(sorted(keys[place]))) for place in sorted(keys))
