"""What a quote or a candle says of an instrument's trades, and what it leaves in doubt."""

from services.persister.aggregation.bar_builder import Minute, VolumeBounds
from services.persister.aggregation.checkpoint import Hole, InstrumentProgress, State, Unseen
from services.persister.aggregation.windows import Windows
from shared.contracts.history import GapReason
from shared.contracts.messages import Candle, Quote
from shared.market.exchange_time import (
    DAY_MS,
    MINUTE_MS,
    WINDOW_MS,
    day_start,
    trading_day,
    window_start,
)


class Trades:
    """Puts each trade into its window, after time has come to the message that tells of it."""

    def __init__(self, state: State, windows: Windows, *, grace_ms: int) -> None:
        self._state = state
        self._instruments = state.instruments
        self._windows = windows
        self._grace_ms = grace_ms
        self.late = 0
        """Trades of windows that cannot change any more, or of times that are not yet."""

    def quote(self, quote: Quote) -> None:
        """Maybe a trade, or more than one."""
        if quote.ltp is None or quote.ltt is None:
            return
        instrument = self._instruments.get(quote.key)
        if instrument is None:
            self._meet(quote, quote.ltt)
            return
        seen_before = instrument.seen
        if quote.ts > seen_before:
            instrument.seen = quote.ts
        if quote.snap:
            self._snapshot(instrument, quote, quote.ltt, seen_before)
        elif quote.ltt > instrument.ltt or (quote.volume or 0) > (instrument.seen_vtt or 0):
            self._trade(instrument, quote, quote.ltp, quote.ltt, seen_before)
        last = instrument.last
        if last is not None and last.unseen:
            self._windows.touch(instrument)
            last.unseen = False

    def candle(self, candle: Candle) -> None:
        """A minute that is over, with every trade of it."""
        instrument = self._instruments.get(candle.key)
        assert self._state.time_ms is not None
        if (
            instrument is None
            or candle.start < window_start(instrument.since)
            or candle.start + MINUTE_MS > self._state.time_ms + self._grace_ms
        ):
            return
        building = self._windows.at(instrument, window_start(candle.start))
        if building is None:
            return
        minute = building.minute(candle.start)
        minute.candle(candle)
        if minute.unseen_since is not None:
            self._place_unseen(instrument, minute, minute.unseen_since)

    def _meet(self, quote: Quote, ltt: int) -> None:
        """A first quote makes no trade: its last one may be from long ago. But if that was in
        this window, there may have been others."""
        instrument = InstrumentProgress(quote.key, quote.ts, quote.ts, ltt, seen_vtt=quote.volume)
        self._instruments[quote.key] = instrument
        start = window_start(quote.ts)
        if ltt >= start:
            self._doubt(instrument, start, ltt)

    def _snapshot(self, instrument: InstrumentProgress, quote: Quote, ltt: int, seen: int) -> None:
        """It makes no trade, but what it shows beyond `seen` was traded unseen."""
        volume = quote.volume
        same_day = trading_day(ltt) == trading_day(instrument.ltt)
        if volume is None or not same_day:
            unseen = ltt > instrument.ltt and volume != 0
        else:
            unseen = volume > (instrument.seen_vtt or 0)
        if unseen:
            self._doubt(instrument, seen if same_day else max(seen, day_start(ltt)), ltt)
        if volume is not None:
            before = instrument.seen_vtt or 0
            if unseen and same_day and window_start(seen) == window_start(ltt):
                # Of several windows we cannot tell which it was traded in.
                building = self._windows.at(instrument, window_start(ltt))
                if building is not None:
                    building.minute(ltt).add_volume(volume - before)
            instrument.seen_vtt = max(before, volume) if same_day else volume
        elif not same_day:
            instrument.seen_vtt = None
        instrument.ltt = max(instrument.ltt, ltt)

    def _trade(
        self, instrument: InstrumentProgress, quote: Quote, price: float, ltt: int, seen: int
    ) -> None:
        """A trade, and whatever the feed has conflated with it since `seen`."""
        assert self._state.time_ms is not None
        early = ltt > self._state.time_ms + self._grace_ms
        building = None if early else self._windows.at(instrument, window_start(ltt))
        if building is None:
            self.late += 1
            return
        minute = building.minute(ltt)
        volume, total, before = None, quote.volume, instrument.seen_vtt
        if ltt > instrument.ltt and trading_day(ltt) != trading_day(instrument.ltt):
            before = None if total is None else 0
            seen = max(seen, day_start(ltt))
            instrument.seen_vtt = None
        hides = True
        if total is not None:
            volume = 0 if before is None else max(0, total - before)
            hides = before is None or total - before != quote.ltq
            begins = minute.shown is None and not minute.doubtful and not minute.whole
            if begins and before is not None:
                minute.before = _totals_between(before, total - (quote.ltq or 0))
            minute.shown = total
            instrument.seen_vtt = total
        minute.trade(price, volume)
        if hides:
            minute.doubtful = not minute.whole
            if seen < minute.start:
                minute.unseen_since = seen
                self._doubt(instrument, seen, minute.start - 1, tail=True)
        instrument.ltt = max(instrument.ltt, ltt)
        if building.ltt is None or ltt >= building.ltt:
            building.ltt = ltt
            building.ltq = quote.ltq
            building.atp = quote.atp
            building.oi = quote.oi
        building.ticks += 1

    def _doubt(
        self, instrument: InstrumentProgress, since: int, until: int, *, tail: bool = False
    ) -> None:
        """Trades may be hidden from `since` to `until`: whole windows between are holes."""
        first, last = window_start(max(since, until - DAY_MS)), window_start(until)
        for start in sorted({first, last}):
            building = self._windows.at(instrument, start)
            if building is not None:
                (building.doubt_tail if tail else building.doubt)(since, until)
            if building is None or (building is instrument.last and not building.has_trades):
                self._hole(start, start + WINDOW_MS, instrument.key)
        if last - first > WINDOW_MS:
            unseen = Unseen(first + WINDOW_MS, last, tail)
            instrument.unseen.append(unseen)
            self._hole(unseen.start, unseen.end, instrument.key)

    def _hole(self, start: int, end: int, key: str) -> None:
        self._state.holes.append(Hole(start, end, GapReason.UNSEEN_TRADES, key))

    def _place_unseen(self, instrument: InstrumentProgress, minute: Minute, since: int) -> None:
        """Its candle has come: if all that its first quote hid was traded in this minute,
        nothing was hidden in the minutes before."""
        if minute.before is None or minute.shown is None or minute.volume is None:
            return
        # What was shown last is all that was traded until the minute's end.
        settled = instrument.ltt < minute.start + MINUTE_MS <= instrument.seen
        if not settled or minute.before.low + minute.volume != minute.shown:
            return
        minute.unseen_since = None
        instrument.unseen = [
            one for one in instrument.unseen if not (one.tail and since <= one.start < minute.start)
        ]
        for building in (*instrument.open, instrument.last):
            if building is not None:
                if building is instrument.last:
                    self._windows.touch(instrument)
                building.trust_tail(since, minute.start - 1)
        state = self._state
        state.holes = [
            hole
            for hole in state.holes
            if hole.key != instrument.key or not window_start(since) <= hole.start < minute.start
        ]


def _totals_between(low: int, high: int) -> VolumeBounds:
    return VolumeBounds(low, high) if low <= high else VolumeBounds(max(0, high), max(0, high))
