"""Aggregates quotes and candles into five-minute bars, by the stream's own exchange time.

A window closes when the stream's time has passed its end by a grace period. Its bars are then
taken together with a checkpoint. Reading on from the checkpoint gives all later bars again,
identical to the byte. What arrives later still amends the instrument's last closed bar.

Every trade counts at its own time (`ltt`), in any session: the opening auction, the closing
auction and trades after the close included. An indicative price is not a trade.
"""

from typing import Final

from services.persister.aggregation.checkpoint import (
    AggregatorState,
    FeedSilence,
    InstrumentGap,
    encode_state,
)
from services.persister.aggregation.closed_windows import AmendedBars, ClosedWindows, gaps_by_window
from services.persister.aggregation.quoted_trade import QuotedTrade
from services.persister.aggregation.trades import MIN_SILENCE_MS, TradeRecorder
from services.persister.aggregation.trading_times import Span, TradingTimes
from services.persister.aggregation.windows import Windows
from shared.contracts.history import GapReason
from shared.contracts.messages import Candle, ClockTick
from shared.market.exchange_time import WINDOW_MS, window_start

FORGET_AFTER_MS: Final = 5 * 86_400_000
"""An instrument without quotes for this long leaves the checkpoint: longer than most holidays."""
MAX_INSTRUMENTS: Final = 30_000
"""Beyond this, the most silent ones leave: MongoDB refuses a document of more than 16 MiB."""


class Aggregator:
    """Applies every entry of the stream, in order; `take_closed` gives what to store.

    The position of each entry must be passed with it, since missing positions are lost entries.
    """

    def __init__(self, state: AggregatorState, *, grace_ms: int, silent_after_ms: int) -> None:
        self._state = state
        self._instruments = state.instruments
        self._grace_ms = grace_ms
        self._silent_after_ms = silent_after_ms
        self._windows = Windows(state)
        self._trading_times = TradingTimes()
        self._trades = TradeRecorder(state, self._windows, self._trading_times, grace_ms=grace_ms)
        self._taken_until_ms = state.closed_until_ms
        self._closes_at_ms = self._next_close_ms()
        self.stale_entries = 0
        """Entries refused because they are of a superseded ingest leader."""
        self.past_entries = 0
        """Entries older than the exchange time reached. Such entries are usual for a moment."""
        self.used_entries = 0
        """Entries of the exchange time reached, or later."""
        self.undecodable_entries = 0
        """Entries that could not be decoded, or have a value out of range."""
        self.first_undecodable = ""
        """The first entry since a used one that could not be decoded, with the cause."""
        self._used_before_undecodable = -1
        self.lost_quotes = 0
        """Quotes that ingest has published and the stream does not hold."""
        self.evicted_instruments = 0
        """Instruments dropped because the checkpoint had more than `MAX_INSTRUMENTS`."""
        self.last_refused = (0, 0)
        """Epoch and exchange time of the last stale or past entry."""
        self.stored_ns = state.stored_ns
        """When the server stored the entry that was applied last, epoch ns; the reader sets it."""

    @property
    def time_ms(self) -> int | None:
        """Exchange time reached; None before the first entry."""
        return self._state.time_ms

    @property
    def feed_epoch(self) -> int:
        """Lease epoch of the ingest leader whose entries count."""
        return self._state.feed_epoch

    @property
    def instrument_count(self) -> int:
        """Number of instruments in the checkpoint."""
        return len(self._instruments)

    @property
    def open_window_count(self) -> int:
        """Number of windows that are open for at least one instrument."""
        return self._windows.open_count

    @property
    def late_trades(self) -> int:
        """Trades refused because their window can no longer change."""
        return self._trades.late_trades

    @property
    def early_trades(self) -> int:
        """Trades refused because their time is in the future."""
        return self._trades.early_trades

    @property
    def contradictions(self) -> int:
        """Minutes in which a quote showed a trade that the minute's candle cannot include."""
        return self._trades.contradictions

    def skip(self, position: int) -> None:
        """Pass over an entry that does not concern bars."""
        self._state.next_position = position + 1

    def note_undecodable(self, cause: str) -> None:
        """Note an entry that cannot be decoded; `cause` names it. Its position counts as lost."""
        if self.used_entries != self._used_before_undecodable:
            self._used_before_undecodable = self.used_entries
            self.first_undecodable = cause
        self.undecodable_entries += 1

    def apply_clock_tick(self, tick: ClockTick, position: int) -> None:
        """Advance time, and note quotes that are missing before the tick or will not come."""
        self._prepare_count(tick.epoch, tick.feed_ts, position)
        if tick.epoch >= self._state.feed_epoch:  # before windows close
            self._check_count(tick)
            for key in tick.unsubscribed:
                self._trades.end_subscription(key, tick.ts)
        self._advance(tick.ts, tick.feed_ts, tick.epoch, position)

    def apply_quote(self, quote: QuotedTrade, position: int) -> None:
        """Advance time and record the trades that the quote reports."""
        state, epoch = self._state, quote.epoch
        is_next = position == state.next_position and epoch == state.feed_epoch
        if not is_next or state.time_ms is None:
            self._prepare_count(epoch, quote.ts, position)
        if self._advance(quote.ts, quote.ts, epoch, position, is_snapshot=quote.snap):
            state.quote_count.add()
            self._trades.apply_quote(quote)

    def apply_candle(self, candle: Candle, position: int) -> None:
        """Advance time and record every trade of the candle's minute."""
        if self._advance(candle.ts, candle.ts, candle.epoch, position):
            self._trades.apply_candle(candle)

    def take_closed(self) -> ClosedWindows | None:
        """Windows closed since the last call, with amended bars; None if no window has closed."""
        state = self._state
        if state.closed_until_ms == self._taken_until_ms:
            return None
        bars, doubted = self.take_amended()
        self._taken_until_ms = state.closed_until_ms
        gaps = gaps_by_window(state.gaps)
        state.gaps = []
        state.stored_ns = self.stored_ns
        return ClosedWindows(state.closed_until_ms, bars, gaps, encode_state(state), doubted)

    def take_amended(self) -> AmendedBars:
        """Bars that are new or have changed since the last call. The checkpoint may stay."""
        return self._windows.take_bars()

    def _advance(
        self, time_ms: int, feed_time_ms: int, epoch: int, position: int, *,
        is_snapshot: bool = False,
    ) -> bool:  # fmt: skip
        """Advance to `time_ms` and note a silence of the feed before it; False if superseded."""
        state = self._state
        is_after_loss = position > state.next_position
        state.next_position = position + 1
        if epoch < state.feed_epoch:
            self.stale_entries += 1
            self.last_refused = epoch, time_ms
            return False
        last_ms, last_feed_ms = state.time_ms, state.feed_time_ms
        if last_ms is None or last_feed_ms is None:
            start_ms = window_start(time_ms)
            state.closed_until_ms = self._taken_until_ms = max(state.closed_until_ms, start_ms)
            self._note_silence(window_start(feed_time_ms), feed_time_ms, GapReason.FEED_AWAY)
            last_ms = last_feed_ms = -1  # so that a time of 0 advances as well
        elif is_after_loss or epoch > state.feed_epoch:
            reason = GapReason.ENTRIES_LOST if is_after_loss else GapReason.FEED_AWAY
            self._note_silence(last_feed_ms, max(feed_time_ms, last_feed_ms + 1), reason)
        elif is_snapshot and feed_time_ms - last_feed_ms > MIN_SILENCE_MS:
            self._note_silence(last_feed_ms, feed_time_ms, GapReason.FEED_AWAY)
        elif time_ms - last_ms > self._silent_after_ms:
            self._note_silence(last_ms, time_ms, GapReason.FEED_AWAY)
        elif time_ms - last_ms > MIN_SILENCE_MS:
            state.add_break(last_feed_ms, time_ms)
        state.feed_epoch = epoch
        if time_ms < last_ms:
            self.past_entries += 1
            self.last_refused = epoch, time_ms
        else:
            self.used_entries += 1
            state.time_ms = time_ms
            if time_ms >= self._closes_at_ms:
                self._close(window_start(time_ms - self._grace_ms))
        if feed_time_ms > last_feed_ms:
            state.feed_time_ms = feed_time_ms
        return True

    def _prepare_count(self, epoch: int, feed_time_ms: int, position: int) -> None:
        """Count quotes anew if the entry is of a new epoch, or after lost or unread ones."""
        state = self._state
        if position > state.next_position or state.time_ms is None:
            state.quote_count.forget()
        elif epoch > state.feed_epoch:
            state.quote_count.restart(feed_time_ms)

    def _check_count(self, tick: ClockTick) -> None:
        loss = self._state.quote_count.check(tick.seq, tick.feed_ts)
        if loss is not None:
            missing, since_ms = loss
            self.lost_quotes += missing
            until_ms = max(tick.feed_ts, since_ms + 1)
            self._note_silence(since_ms, until_ms, GapReason.ENTRIES_LOST)

    def _note_silence(self, since_ms: int, until_ms: int, reason: GapReason) -> None:
        if until_ms > since_ms:
            self._state.silences.append(FeedSilence(since_ms, until_ms, reason))
            self._state.add_break(min(since_ms, self._state.feed_time_ms or since_ms), until_ms)
        self._closes_at_ms = self._next_close_ms()

    def _next_close_ms(self) -> int:
        """max(window end, end of the last silence) + grace_ms.

        After a silence the feed needs the grace period to report on each instrument, and with
        it whether trades were made unseen.
        """
        window_end_ms = self._state.closed_until_ms + WINDOW_MS
        ends_ms = [window_end_ms, *(silence.until_ms for silence in self._state.silences)]
        return max(ends_ms) + self._grace_ms

    def _close(self, until_ms: int) -> None:
        """Close all windows that end by `until_ms`, which is the end of a window."""
        state = self._state
        for instrument in self._instruments.values():
            self._windows.close(instrument, until_ms)
        for silence in state.silences:
            start_ms = max(window_start(silence.since_ms), state.closed_until_ms)
            end_ms = min(window_start(silence.until_ms - 1) + WINDOW_MS, until_ms)
            if start_ms < end_ms:
                self._add_silence_gaps(silence, start_ms, end_ms)
        state.closed_until_ms = until_ms
        self._forget_silent_instruments()
        state.silences = [silence for silence in state.silences if silence.until_ms > until_ms]
        self._closes_at_ms = self._next_close_ms()

    def _forget_silent_instruments(self) -> None:
        """Drop instruments without quotes for days, and the most silent beyond the limit."""
        instruments = self._instruments
        oldest_ms = self._state.closed_until_ms - FORGET_AFTER_MS
        silent = [
            key
            for key, instrument in instruments.items()
            if instrument.last_quote_ms < oldest_ms and not instrument.open_windows
        ]
        for key in silent:
            del instruments[key]
        excess = len(instruments) - MAX_INSTRUMENTS
        if excess > 0:
            closed = [each for each in instruments.values() if not each.open_windows]
            closed.sort(key=lambda each: (each.last_quote_ms, each.key))
            for instrument in closed[:excess]:
                del instruments[instrument.key]
            self.evicted_instruments += min(excess, len(closed))

    def _add_silence_gaps(self, silence: FeedSilence, start_ms: int, end_ms: int) -> None:
        """Add the gaps of a silence in `[start_ms, end_ms)`, as far as instruments may trade.

        The calendar counts for an instrument as long as its last trade was in the calendar's hours.
        """
        spans: dict[str, list[Span]] = {}
        for instrument in self._instruments.values():
            if instrument.last_quote_ms >= silence.until_ms:
                continue
            segment = instrument.key.partition("|")[0]
            if segment not in spans:
                spans[segment] = self._trading_times.spans(instrument.key, start_ms, end_ms)
            is_regular = self._trading_times.includes(instrument.key, instrument.ltt_ms)
            self._state.gaps += (
                InstrumentGap(*span, silence.reason, instrument.key)
                for span in (spans[segment] if is_regular else [(start_ms, end_ms)])
            )
