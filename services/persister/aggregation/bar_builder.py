"""One bar in the making, minute by minute: what quotes showed, and what candles told of it all.

The feed is conflated: a quote hides the trades before it. Two things make up for that. A
quote whose volume rose by just its last quantity hid nothing; and a minute's candle holds
every trade of it. A minute with neither is in doubt, and its bar is partial.
"""

import msgspec

from shared.contracts.messages import Bar, BarState, Candle
from shared.market.exchange_time import MINUTE_MS, WINDOW_MS


class VolumeBounds(msgspec.Struct, array_like=True, frozen=True):
    """The day's cumulative volume at some moment: at least `low`, at most `high` if known."""

    low: int
    high: int | None

    def within(self, other: "VolumeBounds") -> "VolumeBounds":
        """What both allow; `other` if they contradict each other."""
        low = max(self.low, other.low)
        high = self.high if other.high is None else other.high
        if self.high is not None and other.high is not None:
            high = min(self.high, other.high)
        return other if high is not None and low > high else VolumeBounds(low, high)

    def plus(self, volume: int) -> "VolumeBounds":
        """After `volume` more was traded."""
        return VolumeBounds(self.low + volume, None if self.high is None else self.high + volume)


class Minute(msgspec.Struct, array_like=True):
    """A minute with trades in it, or with a doubt whether there were."""

    start: int
    open: float | None = None
    """Of the first trade that is known; None if none is."""
    high: float = 0.0
    low: float = 0.0
    close: float = 0.0
    volume: int | None = None
    before: VolumeBounds | None = None
    """Cumulative volume before the first trade that a quote showed."""
    shown: int | None = None
    """Cumulative volume that the last quote showed."""
    doubtful: bool = False
    """Trades may be hidden in it."""
    tail_doubtful: bool = False
    """The first quote of a later minute hid trades that may have been of this one."""
    unseen_since: int | None = None
    """Since when its own first quote hid trades, if that is in an earlier minute."""
    whole: bool = False
    """Its candle has come: it holds every trade."""

    def trade(self, price: float, volume: int | None) -> None:
        """A trade that a quote showed; `volume` was traded since the quote before."""
        if self.whole:
            return
        if self.open is None:
            self.open = self.high = self.low = price
        elif price > self.high:
            self.high = price
        elif price < self.low:
            self.low = price
        self.close = price
        self.add_volume(volume)

    def add_volume(self, volume: int | None) -> None:
        """Traded in it, seen or unseen, as far as quotes tell."""
        if volume is not None and not self.whole:
            self.volume = volume if self.volume is None else self.volume + volume

    def candle(self, candle: Candle) -> None:
        """All trades of the minute; they widen what quotes have shown."""
        if self.whole:
            return
        self.whole, self.doubtful, self.tail_doubtful = True, False, False
        self.high = candle.high if self.open is None else max(self.high, candle.high)
        self.low = candle.low if self.open is None else min(self.low, candle.low)
        self.open, self.close = candle.open, candle.close
        self.volume = candle.volume


class BarBuilder(msgspec.Struct, array_like=True):
    """A window of one instrument."""

    start: int
    minutes: list[Minute] = []
    ltq: int | None = None
    ltt: int | None = None
    atp: float | None = None
    oi: int | None = None
    ticks: int = 0
    silent_ms: int = 0
    """Set when the window closes, as are the following."""
    unseen: bool = False
    """The feed was away, and has not shown the instrument since."""
    epoch: int = 0
    totals: VolumeBounds | None = None
    """Cumulative volume at the window's start; None for an index."""

    def minute(self, at_ms: int) -> Minute:
        """The minute that holds `at_ms`."""
        start = at_ms - at_ms % MINUTE_MS
        minutes = self.minutes
        if minutes and minutes[-1].start == start:
            return minutes[-1]
        for place, minute in enumerate(minutes):
            if minute.start == start:
                return minute
            if minute.start > start:
                made = Minute(start)
                minutes.insert(place, made)
                return made
        made = Minute(start)
        minutes.append(made)
        return made

    def doubt(self, since_ms: int, until_ms: int) -> None:
        """Trades may be hidden from `since_ms` to `until_ms`, both included."""
        for start in self._starts(since_ms, until_ms):
            minute = self.minute(start)
            minute.doubtful = not minute.whole

    def doubt_tail(self, since_ms: int, until_ms: int) -> None:
        """The same of trades that may as well have been later; see `trust_tail`."""
        for start in self._starts(since_ms, until_ms):
            minute = self.minute(start)
            minute.tail_doubtful = not minute.whole

    def trust_tail(self, since_ms: int, until_ms: int) -> None:
        """They were later."""
        for minute in self.minutes:
            if since_ms - since_ms % MINUTE_MS <= minute.start <= until_ms:
                minute.tail_doubtful = False

    def _starts(self, since_ms: int, until_ms: int) -> range:
        first = max(since_ms - since_ms % MINUTE_MS, self.start)
        return range(first, min(until_ms + 1, self.start + WINDOW_MS), MINUTE_MS)

    @property
    def has_trades(self) -> bool:
        """Whether any trade is known."""
        return any(minute.open is not None for minute in self.minutes)

    @property
    def is_doubtful(self) -> bool:
        """Whether a trade may be hidden in it."""
        return self.unseen or any(one.doubtful or one.tail_doubtful for one in self.minutes)

    def totals_at_end(self) -> VolumeBounds | None:
        """Cumulative volume after the window's last trade; None for an index.

        Candles tell how much each minute added, quotes where it stood at times: from both
        it is exact as soon as any minute has begun or ended in plain sight.
        """
        totals = self.totals
        for minute in self.minutes:
            if minute.volume is None:
                continue
            totals = totals or VolumeBounds(0, None)
            if minute.before is not None:
                totals = totals.within(minute.before)
            if minute.doubtful:
                totals = VolumeBounds(minute.shown or 0, None)
            else:
                totals = totals.plus(minute.volume)
            if minute.shown is not None:
                totals = totals.within(VolumeBounds(minute.shown, None))
        return totals

    def bar(self, key: str, after: VolumeBounds | None = None) -> Bar | None:
        """The bar as far as it is known; None without a trade.

        `after` is the cumulative volume before the first trade beyond the window.
        """
        minutes = [minute for minute in self.minutes if minute.open is not None]
        if not minutes:
            return None
        first = minutes[0].open
        assert first is not None
        volumes = [minute.volume for minute in self.minutes if minute.volume is not None]
        totals = self.totals_at_end() if volumes else None
        if totals is not None and after is not None:
            totals = totals.within(after)
        return Bar(
            key=key,
            start=self.start,
            open=first,
            high=max(minute.high for minute in minutes),
            low=min(minute.low for minute in minutes),
            close=minutes[-1].close,
            ltq=self.ltq,
            ltt=self.ltt,
            volume=sum(volumes) if volumes else None,
            vtt=None if totals is None else totals.low,
            atp=self.atp,
            oi=self.oi,
            ticks=self.ticks,
            state=BarState.PARTIAL if self.is_doubtful else BarState.COMPLETE,
            silent_ms=self.silent_ms,
            epoch=self.epoch,
        )
