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

from services.persister.building import Building, Minute, Totals
from services.persister.checkpoint import Hole, Instrument, Silence, State, Unseen, encode_state
from shared.exchange_time import (
    DAY_MS,
    MINUTE_MS,
    WINDOW_MS,
    day_start,
    trading_day,
    window_start,
)
from shared.history import GapReason
from shared.messages import Bar, Candle, ClockTick, Quote

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
        self._bars: list[Bar] = []
        self._amending: dict[str, Bar | None] = {}
        """Instruments whose last bar may have changed, with what it was before."""
        self._taken_until = state.closed_until
        self._closes_at = self._next_close()
        self.late_trades = 0
        self.stale_entries = 0

    @property
    def time_ms(self) -> int | None:
        """Exchange time reached; None before the first entry."""
        return self._state.time_ms

    @property
    def open_windows(self) -> int:
        """Windows that have begun and are not over."""
        return len({b.start for one in self._instruments.values() for b in one.open})

    def passed(self, position: int) -> None:
        """An entry that is none of ours: it was not lost."""
        self._state.next_position = position + 1

    def clock(self, tick: ClockTick, position: int) -> None:
        """Time goes on."""
        self._advance(tick.ts, tick.feed_ts, tick.epoch, position)

    def quote(self, quote: Quote, position: int) -> None:
        """A quote: maybe a trade, or more than one."""
        if not self._advance(quote.ts, quote.ts, quote.epoch, position, snap=quote.snap):
            return
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
            self._touch(instrument)
            last.unseen = False

    def candle(self, candle: Candle, position: int) -> None:
        """A minute that is over, with every trade of it."""
        if not self._advance(candle.ts, candle.ts, candle.epoch, position):
            return
        instrument = self._instruments.get(candle.key)
        assert self._state.time_ms is not None
        if (
            instrument is None
            or candle.start < window_start(instrument.since)
            or candle.start + MINUTE_MS > self._state.time_ms + self._grace_ms
        ):
            return
        building = self._building(instrument, window_start(candle.start))
        if building is None:
            return
        minute = building.minute(candle.start)
        minute.candle(candle)
        if minute.unseen_since is not None:
            self._place_unseen(instrument, minute, minute.unseen_since)

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
        for key in list(self._amending):
            self._settle(self._instruments[key])
        bars, self._bars = self._bars, []
        return tuple(sorted(bars, key=lambda bar: (bar.start, bar.key)))

    # Time

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
            while instrument.open and instrument.open[0].start + WINDOW_MS <= until:
                self._settle(instrument)  # while the window after its last one is still there
                self._finish(instrument, instrument.open.pop(0))
            if instrument.unseen:
                instrument.unseen = [one for one in instrument.unseen if one.end >= until]
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

    def _finish(self, instrument: Instrument, building: Building) -> None:
        """The window is over: its bar is told, and kept in case it is amended."""
        if not building.has_trades and not building.is_doubtful:
            return
        start, end = building.start, building.start + WINDOW_MS
        reason = GapReason.UNSEEN_TRADES
        for silence in self._state.silences:
            silent_ms = min(silence.until, end) - max(silence.since, start)
            if silent_ms > 0:
                reason = silence.reason
                building.silent_ms += silent_ms
                building.unseen = building.unseen or instrument.seen < silence.until
        building.silent_ms = max(building.silent_ms, min(instrument.since, end) - start)
        building.epoch = self._state.feed_epoch
        building.totals = _totals_before(instrument, start)
        instrument.last = building
        bar = building.bar(instrument.key, _totals_after(instrument))
        if bar is not None:
            self._bars.append(bar)
        if building.is_doubtful and (bar is None or building.silent_ms):
            self._state.holes.append(Hole(start, end, reason, instrument.key))

    # Trades

    def _meet(self, quote: Quote, ltt: int) -> None:
        """A first quote makes no trade: its last one may be from long ago. But if that was in
        this window, there may have been others."""
        instrument = Instrument(quote.key, quote.ts, quote.ts, ltt, seen_vtt=quote.volume)
        self._instruments[quote.key] = instrument
        start = window_start(quote.ts)
        if ltt >= start:
            self._doubt(instrument, start, ltt)

    def _snapshot(self, instrument: Instrument, quote: Quote, ltt: int, seen: int) -> None:
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
                building = self._building(instrument, window_start(ltt))
                if building is not None:
                    building.minute(ltt).add_volume(volume - before)
            instrument.seen_vtt = max(before, volume) if same_day else volume
        elif not same_day:
            instrument.seen_vtt = None
        instrument.ltt = max(instrument.ltt, ltt)

    def _trade(
        self, instrument: Instrument, quote: Quote, price: float, ltt: int, seen: int
    ) -> None:
        """A trade, and whatever the feed has conflated with it since `seen`."""
        assert self._state.time_ms is not None
        early = ltt > self._state.time_ms + self._grace_ms
        building = None if early else self._building(instrument, window_start(ltt))
        if building is None:
            self.late_trades += 1
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

    def _doubt(self, instrument: Instrument, since: int, until: int, *, tail: bool = False) -> None:
        """Trades may be hidden from `since` to `until`: whole windows between are holes."""
        first, last = window_start(max(since, until - DAY_MS)), window_start(until)
        for start in sorted({first, last}):
            building = self._building(instrument, start)
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

    def _place_unseen(self, instrument: Instrument, minute: Minute, since: int) -> None:
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
                    self._touch(instrument)
                building.trust_tail(since, minute.start - 1)
        state = self._state
        state.holes = [
            hole
            for hole in state.holes
            if hole.key != instrument.key or not window_start(since) <= hole.start < minute.start
        ]

    # Windows

    def _building(self, instrument: Instrument, start: int) -> Building | None:
        """The window of `instrument` that begins at `start`; None if it cannot change any more."""
        windows = instrument.open
        if windows and windows[-1].start == start:
            return windows[-1]
        closed_until = self._state.closed_until
        if start + WINDOW_MS > closed_until:
            for window in windows:
                if window.start == start:
                    return window
            made = _begin(instrument, start)
            windows.append(made)
            windows.sort(key=lambda window: window.start)
            return made
        last = instrument.last
        if last is not None and last.start == start:
            self._touch(instrument)
            return last
        is_latest = start + WINDOW_MS == closed_until and (last is None or last.start < start)
        if not is_latest or start < window_start(instrument.since):
            return None
        self._settle(instrument)
        totals = _totals_before(instrument, start)
        made = instrument.last = _begin(instrument, start)
        made.epoch, made.totals = self._state.feed_epoch, totals
        self._touch(instrument)
        return made

    def _touch(self, instrument: Instrument) -> None:
        """The instrument's last bar is about to change."""
        if instrument.key not in self._amending and instrument.last is not None:
            bar = instrument.last.bar(instrument.key, _totals_after(instrument))
            self._amending[instrument.key] = bar

    def _settle(self, instrument: Instrument) -> None:
        """Tell the instrument's last bar again if it has changed."""
        if instrument.key not in self._amending or instrument.last is None:
            return
        before = self._amending.pop(instrument.key)
        bar = instrument.last.bar(instrument.key, _totals_after(instrument))
        if bar is not None and bar != before:
            self._bars.append(bar)


def _begin(instrument: Instrument, start: int) -> Building:
    """A window of which nothing is known, but perhaps that there is something to know."""
    made = Building(start)
    for one in instrument.unseen:
        if one.start <= start < one.end:
            (made.doubt_tail if one.tail else made.doubt)(start, start + WINDOW_MS - 1)
    return made


def _totals_before(instrument: Instrument, start: int) -> Totals | None:
    """Cumulative volume at `start`, the end of the last window; zero on a new day."""
    last = instrument.last
    if last is None:
        return None
    totals = last.totals_at_end()
    same_day = trading_day(last.start) == trading_day(start)
    return totals if totals is None or same_day else Totals(0, 0)


def _totals_after(instrument: Instrument) -> Totals | None:
    """Cumulative volume before the first trade that was seen after the last window."""
    if instrument.last is None or not instrument.open:
        return None
    window = instrument.open[0]
    if not window.minutes or trading_day(window.start) != trading_day(instrument.last.start):
        return None
    return window.minutes[0].before


def _totals_between(low: int, high: int) -> Totals:
    return Totals(low, high) if low <= high else Totals(max(0, high), max(0, high))


def _grouped(holes: list[Hole]) -> tuple[Missing, ...]:
    """Holes of the same windows together."""
    keys: dict[tuple[int, int, GapReason], set[str]] = defaultdict(set)
    for hole in holes:
        keys[hole.start, hole.end, hole.reason].add(hole.key)
    return tuple(Missing(*place, tuple(sorted(keys[place]))) for place in sorted(keys))
