"""Derives trades, and where trades may be hidden, from quotes and candles."""

from typing import Final

from services.persister.aggregation.checkpoint import (
    AggregatorState,
    InstrumentGap,
    InstrumentProgress,
    UnseenRange,
)
from services.persister.aggregation.minute import Minute
from services.persister.aggregation.quoted_trade import QuotedTrade
from services.persister.aggregation.trading_times import Span, TradingTimes
from services.persister.aggregation.windows import Windows
from shared.contracts.history import GapReason
from shared.contracts.messages import Candle
from shared.market.exchange_time import (
    DAY_MS,
    MINUTE_MS,
    WINDOW_MS,
    day_start,
    trading_day,
    window_start,
)

MIN_SILENCE_MS: Final = 2_000
"""A live feed may send nothing for this long."""
_SNAPSHOTS_MS: Final = 30_000
"""The longest time after a break until the snapshots of all instruments have come."""


class TradeRecorder:
    """Records trades in the windows in which they were made.

    The state's time must have reached a message's time before the message is applied.
    """

    def __init__(
        self, state: AggregatorState, windows: Windows, times: TradingTimes, *, grace_ms: int
    ) -> None:
        self._state = state
        self._instruments = state.instruments
        self._windows = windows
        self._trading_times = times
        self._grace_ms = grace_ms
        self.late_trades = 0
        """Trades refused because their window can no longer change."""
        self.early_trades = 0
        """Trades refused because their time is in the future."""
        self.contradictions = 0
        """Minutes in which a quote showed a trade that the minute's candle cannot include."""

    def apply_quote(self, quote: QuotedTrade) -> None:
        """Record the trade that `quote` shows, if it is new, and the trades that it hides."""
        if quote.ltp is None or quote.ltt is None:
            return
        instrument = self._instruments.get(quote.key)
        if instrument is None:
            self._add_instrument(quote, quote.ltt)
            return
        previous_ms = instrument.last_quote_ms
        if quote.ts > previous_ms:
            instrument.last_quote_ms = quote.ts
        # After the end of a subscription, any quote says as little as a snapshot.
        if quote.snap or instrument.unseen_since_ms is not None:
            self._apply_snapshot(instrument, quote, quote.ltt, previous_ms)
        elif quote.ltt > instrument.ltt_ms or (quote.volume or 0) > (instrument.vtt or 0):
            self._record_trade(instrument, quote, quote.ltp, quote.ltt, previous_ms)
        instrument.unseen_since_ms = None
        last = instrument.last_closed
        if last is not None and last.is_unconfirmed:
            self._windows.begin_amendment(instrument)
            last.confirm()

    def apply_candle(self, candle: Candle) -> None:
        """Apply a minute's candle, unless its window can no longer change."""
        instrument = self._instruments.get(candle.key)
        assert self._state.time_ms is not None
        if (
            instrument is None
            or candle.start < window_start(instrument.first_quote_ms)
            or candle.start + MINUTE_MS > self._state.time_ms + self._grace_ms
        ):
            return
        window = self._windows.find(instrument, window_start(candle.start))
        if window is None:
            return
        contradictions = window.contradictions
        minute = window.apply_candle(candle)
        self.contradictions += window.contradictions - contradictions
        if minute.hidden_since_ms is not None:
            self._resolve_hidden_trades(instrument, minute, minute.hidden_since_ms)

    def end_subscription(self, key: str, at_ms: int) -> None:
        """Record that no quotes come from `at_ms` on, so the rest of that window is not seen."""
        instrument = self._instruments.get(key)
        if instrument is not None:
            delay_ms, last_ms = self._grace_ms + MIN_SILENCE_MS, instrument.last_quote_ms
            since_ms = max(last_ms, self._state.reported_until_ms(delay_ms))
            self._record_hidden_in_session(instrument, since_ms, window_start(at_ms) + WINDOW_MS)
            if instrument.unseen_since_ms is None:
                unbroken_ms = self._state.unbroken_until_ms(last_ms) - delay_ms
                instrument.unseen_since_ms = max(last_ms, min(since_ms, unbroken_ms))

    def _add_instrument(self, quote: QuotedTrade, ltt_ms: int) -> None:
        """Add an instrument with its first quote, which makes no trade: it may be days old.

        If that trade was made in the current window, earlier trades of the window may be hidden.
        """
        instrument = InstrumentProgress(
            quote.key,
            first_quote_ms=quote.ts,
            last_quote_ms=quote.ts,
            ltt_ms=ltt_ms,
            vtt=quote.volume,
        )
        self._instruments[quote.key] = instrument
        start_ms = window_start(quote.ts)
        if ltt_ms >= start_ms:
            self._record_hidden_trades(instrument, start_ms, ltt_ms)

    def _apply_snapshot(
        self, instrument: InstrumentProgress, quote: QuotedTrade, ltt_ms: int, previous_ms: int
    ) -> None:
        """Record the trades made unseen since `previous_ms`. A snapshot itself makes no trade."""
        vtt, previous_vtt = quote.volume, instrument.vtt or 0
        is_same_day = trading_day(ltt_ms) == trading_day(instrument.ltt_ms)
        is_newer = ltt_ms > instrument.ltt_ms
        # The feed sends a snapshot after a break, and when an instrument is subscribed. Without
        # either, it has connected again within two seconds, and the stream proves nothing.
        is_explained = instrument.unseen_since_ms is not None or self._state.has_break_since(
            quote.ts - _SNAPSHOTS_MS
        )
        if is_newer and not is_same_day:
            self._record_hidden_before_day(instrument, previous_ms, ltt_ms, is_proven=is_explained)
        if vtt is None or not is_same_day:
            has_unseen = is_newer and vtt != 0
        else:
            # A feed may count from zero again before the first trade of the next day.
            has_unseen = vtt > previous_vtt or (is_newer and vtt < previous_vtt)
        if has_unseen:
            since_ms = previous_ms
            if is_explained:
                since_ms = self._hidden_since_ms(instrument, previous_ms, ltt_ms)
            if not is_same_day:
                since_ms = max(since_ms, day_start(ltt_ms))
            self._record_hidden_trades(instrument, since_ms, ltt_ms)
        if vtt is not None:
            # Volume traded over several windows cannot be divided among them.
            is_one_window = window_start(previous_ms) == window_start(ltt_ms)
            if has_unseen and is_same_day and is_one_window:
                window = self._windows.find(instrument, window_start(ltt_ms))
                if window is not None:
                    window.record_unseen_volume(ltt_ms, vtt - previous_vtt)
            instrument.vtt = max(previous_vtt, vtt) if is_same_day else vtt
        elif not is_same_day:
            instrument.vtt = None
        instrument.ltt_ms = max(instrument.ltt_ms, ltt_ms)

    def _record_trade(
        self,
        instrument: InstrumentProgress,
        quote: QuotedTrade,
        price: float,
        ltt_ms: int,
        previous_ms: int,
    ) -> None:
        """Record the trade of `quote`, and the trades that it hides since `previous_ms`."""
        assert self._state.time_ms is not None
        if ltt_ms > self._state.time_ms + self._grace_ms:
            self.early_trades += 1
            return
        window = self._windows.find(instrument, window_start(ltt_ms))
        if window is None:
            self.late_trades += 1
            return
        vtt, previous_vtt = quote.volume, instrument.vtt
        if ltt_ms > instrument.ltt_ms and trading_day(ltt_ms) != trading_day(instrument.ltt_ms):
            self._record_hidden_before_day(instrument, previous_ms, ltt_ms)
            previous_vtt = None if vtt is None else 0
            previous_ms = max(previous_ms, day_start(ltt_ms))
            instrument.vtt = None
        previous_ms = self._hidden_since_ms(instrument, previous_ms, ltt_ms)
        volume, hides_trades = None, True
        if vtt is not None:
            volume = 0 if previous_vtt is None else max(0, vtt - previous_vtt)
            hides_trades = previous_vtt is None or vtt - previous_vtt != quote.ltq
            instrument.vtt = vtt
        self.contradictions += window.record_trade(
            quote,
            price,
            ltt_ms,
            volume=volume,
            previous_vtt=previous_vtt,
            hidden_since_ms=previous_ms if hides_trades else None,
        )
        minute_ms = ltt_ms - ltt_ms % MINUTE_MS
        if hides_trades and previous_ms < minute_ms:
            self._record_hidden_trades(instrument, previous_ms, minute_ms - 1, is_tail=True)
        instrument.ltt_ms = max(instrument.ltt_ms, ltt_ms)

    def _hidden_since_ms(
        self, instrument: InstrumentProgress, previous_ms: int, ltt_ms: int
    ) -> int:
        """Return the time after which trades may be missing between the previous quote and this one.

        `previous_ms` is the time of the previous quote, `ltt_ms` that of this quote's trade.
        A window is proven if it is closed and the stream went on without a break, from the quote
        before until well after the window's end: the feed reports a trade within the grace period,
        and NATS may hold quotes back for as long as the stream can pause without a break. A quote
        whose own trade belongs to a closed window contradicts that. After the end of a subscription,
        no later window is proven.
        """
        unseen_since_ms = instrument.unseen_since_ms
        if unseen_since_ms is not None:
            return previous_ms if ltt_ms < unseen_since_ms else max(previous_ms, unseen_since_ms)
        closed_until_ms = self._state.closed_until_ms
        last = instrument.last_closed
        if ltt_ms < closed_until_ms or (last is not None and last.is_unconfirmed):
            return previous_ms
        unbroken_until_ms = self._state.unbroken_until_ms(previous_ms)
        proven_ms = window_start(unbroken_until_ms - self._grace_ms - MIN_SILENCE_MS)
        return max(previous_ms, min(proven_ms, closed_until_ms))

    def _record_hidden_before_day(
        self,
        instrument: InstrumentProgress,
        previous_ms: int,
        ltt_ms: int,
        *,
        is_proven: bool = True,
    ) -> None:
        """Record the trades that earlier days may hide, at the first trade of a day.

        The cumulative volume of a day says nothing of the day before.
        """
        since_ms = previous_ms
        if is_proven:
            since_ms = self._hidden_since_ms(instrument, previous_ms, ltt_ms)
        self._record_hidden_in_session(instrument, since_ms, day_start(ltt_ms))

    def _record_hidden_in_session(
        self, instrument: InstrumentProgress, since_ms: int, end_ms: int
    ) -> None:
        """Record that trades may be hidden in `[since_ms, end_ms)`, in sessions only.

        As for silences, the calendar counts as long as the last trade was in the calendar's hours.
        """
        start_ms = window_start(since_ms)
        spans: list[Span] = [(start_ms, end_ms)] if start_ms < end_ms else []
        if self._trading_times.includes(instrument.key, instrument.ltt_ms):
            spans = self._trading_times.spans(instrument.key, start_ms, end_ms)
        for first_ms, until_ms in spans:
            self._record_hidden_trades(instrument, max(since_ms, first_ms), until_ms - 1)

    def _record_hidden_trades(
        self, instrument: InstrumentProgress, since_ms: int, until_ms: int, *, is_tail: bool = False
    ) -> None:
        """Record that trades may be hidden from `since_ms` to `until_ms`, both included.

        The windows at both ends become partial. The whole windows between them are a gap.
        """
        first_ms, last_ms = window_start(max(since_ms, until_ms - DAY_MS)), window_start(until_ms)
        for start_ms in sorted({first_ms, last_ms}):
            window = self._windows.find(instrument, start_ms)
            if window is not None:
                window.record_hidden_trades(since_ms, until_ms, is_tail=is_tail)
            if window is None or (window is instrument.last_closed and not window.has_trades):
                self._add_gap(start_ms, start_ms + WINDOW_MS, instrument.key)
        if last_ms - first_ms > WINDOW_MS:
            unseen = UnseenRange(first_ms + WINDOW_MS, last_ms, is_tail)
            instrument.unseen_ranges.append(unseen)
            self._add_gap(unseen.start_ms, unseen.end_ms, instrument.key)

    def _add_gap(self, start_ms: int, end_ms: int, key: str) -> None:
        self._state.gaps.append(InstrumentGap(start_ms, end_ms, GapReason.UNSEEN_TRADES, key))

    def _resolve_hidden_trades(
        self, instrument: InstrumentProgress, minute: Minute, since_ms: int
    ) -> None:
        """Clear the doubt about earlier minutes if `minute` holds all that its first quote hid.

        Called when the candle of `minute` was applied.
        """
        # Only then is the cumulative volume of its last quote that of the minute's end.
        minute_end_ms = minute.start_ms + MINUTE_MS
        is_over = instrument.ltt_ms < minute_end_ms <= instrument.last_quote_ms
        if not is_over or not minute.accounts_for_hidden_trades:
            return
        minute.resolve_hidden_trades()
        instrument.unseen_ranges = [
            unseen
            for unseen in instrument.unseen_ranges
            if not (unseen.is_tail and since_ms <= unseen.start_ms < minute.start_ms)
        ]
        for window in (*instrument.open_windows, instrument.last_closed):
            if window is not None:
                if window is instrument.last_closed:
                    self._windows.begin_amendment(instrument)
                window.dismiss_hidden_tail(since_ms, minute.start_ms - 1)
        self._state.gaps = [
            gap
            for gap in self._state.gaps
            if gap.key != instrument.key
            or not window_start(since_ms) <= gap.start_ms < minute.start_ms
        ]
