"""Builds one five-minute bar of one instrument, minute by minute.

The feed is conflated: a quote shows the newest trade and hides the trades since the quote before
it. Two rules recover what it hides. A quote whose volume rose by exactly its last traded quantity
hid no trade. The one-minute candle of a minute holds every trade of that minute. A minute to which
neither rule applies is partial, and so is its bar.
"""

import msgspec

from services.persister.aggregation.minute import Minute, VolumeBounds
from services.persister.aggregation.quoted_trade import QuotedTrade
from shared.contracts.messages import Bar, BarState, Candle
from shared.market.exchange_time import MINUTE_MS, WINDOW_MS


class BarBuilder(msgspec.Struct, array_like=True):
    """The bar of one window of one instrument, before and after the window closes."""

    start_ms: int
    minutes: list[Minute] = []
    ltq: int | None = None
    ltt_ms: int | None = None
    atp: float | None = None
    oi: int | None = None
    ticks: int = 0
    silent_ms: int = 0
    """Set when the window closes, as are the fields below."""
    is_unconfirmed: bool = False
    """The feed was silent in the window and has not sent a quote of the instrument since."""
    epoch: int = 0
    vtt_at_start: VolumeBounds | None = None
    """Cumulative volume at the window's start; None if unknown, as for an index."""

    def record_trade(
        self,
        quote: QuotedTrade,
        price: float,
        ltt_ms: int,
        *,
        volume: int | None,
        previous_vtt: int | None,
        hidden_since_ms: int | None,
    ) -> bool:
        """Record the trade that `quote` shows.

        `volume` and `previous_vtt` are as in `Minute.record_trade`. `hidden_since_ms` is the time
        since which the quote hid other trades; None if it hid no trade. Returns whether a minute's
        candle cannot include the trade, and could include all before it.
        """
        minute = self._minute(ltt_ms)
        is_first_contradiction = minute.record_trade(
            quote, price, volume=volume, previous_vtt=previous_vtt
        )
        if hidden_since_ms is not None:
            minute.record_hidden_trades(hidden_since_ms)
        if self.ltt_ms is None or ltt_ms >= self.ltt_ms:
            self.ltt_ms = ltt_ms
            self.ltq = quote.ltq
            self.atp = quote.atp
            self.oi = quote.oi
        self.ticks += 1
        return is_first_contradiction

    def record_unseen_volume(self, at_ms: int, volume: int) -> None:
        """Add volume that was traded at `at_ms` or before, in trades that no quote showed."""
        self._minute(at_ms).add_volume(volume)

    def record_hidden_trades(self, since_ms: int, until_ms: int, *, is_tail: bool = False) -> None:
        """Record that trades may be hidden from `since_ms` to `until_ms`, both included.

        With `is_tail`, the trades may also belong to a later minute; see `dismiss_hidden_tail`.
        """
        first = max(since_ms - since_ms % MINUTE_MS, self.start_ms)
        end = min(until_ms + 1, self.start_ms + WINDOW_MS)
        for start_ms in range(first, end, MINUTE_MS):
            minute = self._minute(start_ms)
            if is_tail:
                minute.record_hidden_tail()
            else:
                minute.record_hidden_trades()

    def dismiss_hidden_tail(self, since_ms: int, until_ms: int) -> None:
        """Record that the trades hidden from `since_ms` to `until_ms` belong to a later minute."""
        for minute in self.minutes:
            if since_ms - since_ms % MINUTE_MS <= minute.start_ms <= until_ms:
                minute.dismiss_hidden_tail()

    def apply_candle(self, candle: Candle) -> Minute:
        """Apply a one-minute candle of this window. Returns the candle's minute."""
        minute = self._minute(candle.start)
        minute.apply_candle(candle)
        return minute

    def close(
        self,
        *,
        epoch: int,
        vtt_at_start: VolumeBounds | None,
        silent_ms: int = 0,
        is_unconfirmed: bool = False,
    ) -> None:
        """Set what is known once the window is over. Later trades and candles amend the bar."""
        self.epoch = epoch
        self.vtt_at_start = vtt_at_start
        self.silent_ms = silent_ms
        self.is_unconfirmed = is_unconfirmed

    def confirm(self) -> None:
        """Record that the feed has sent a quote of the instrument since its silence."""
        self.is_unconfirmed = False

    def _minute(self, at_ms: int) -> Minute:
        """The minute that holds `at_ms`; created if it is missing."""
        start_ms = at_ms - at_ms % MINUTE_MS
        minutes = self.minutes
        if minutes and minutes[-1].start_ms == start_ms:
            return minutes[-1]
        for place, minute in enumerate(minutes):
            if minute.start_ms == start_ms:
                return minute
            if minute.start_ms > start_ms:
                made = Minute(start_ms)
                minutes.insert(place, made)
                return made
        made = Minute(start_ms)
        minutes.append(made)
        return made

    @property
    def has_trades(self) -> bool:
        """Whether any trade is known."""
        return any(minute.open is not None for minute in self.minutes)

    @property
    def is_partial(self) -> bool:
        """Whether trades may be missing."""
        return self.is_unconfirmed or any(
            minute.is_partial or minute.is_tail_partial or minute.is_contradicted
            for minute in self.minutes
        )

    @property
    def contradictions(self) -> int:
        """Number of minutes in which a quote showed a trade that their candle cannot include."""
        return sum(minute.is_contradicted for minute in self.minutes)

    @property
    def vtt_before_first_minute(self) -> VolumeBounds | None:
        """Cumulative volume before the first minute's trades; None if unknown."""
        return self.minutes[0].vtt_before if self.minutes else None

    def vtt_at_end(self) -> VolumeBounds | None:
        """Cumulative volume after the window's last trade; None if unknown, as for an index.

        Candles give the volume of each minute, and quotes the cumulative volume at some moments.
        The result is exact once any minute's start or end is known exactly.
        """
        vtt = self.vtt_at_start
        for minute in self.minutes:
            if minute.volume is None:
                continue
            vtt = vtt or VolumeBounds(0, None)
            if minute.vtt_before is not None:
                vtt = vtt.intersect(minute.vtt_before)
            if minute.is_partial:
                vtt = VolumeBounds(minute.last_vtt or 0, None)
            else:
                vtt = vtt.plus(minute.volume)
            if minute.last_vtt is not None:
                vtt = vtt.intersect(VolumeBounds(minute.last_vtt, None))
        return vtt

    def bar(self, key: str, vtt_after: VolumeBounds | None = None) -> Bar | None:
        """The bar as known so far; None if no trade is known.

        `vtt_after` is the cumulative volume before the first trade after the window, if known.
        """
        minutes = [minute for minute in self.minutes if minute.open is not None]
        if not minutes:
            return None
        first = minutes[0].open
        assert first is not None
        volumes = [minute.volume for minute in self.minutes if minute.volume is not None]
        vtt = self.vtt_at_end() if volumes else None
        if vtt is not None and vtt_after is not None:
            vtt = vtt.intersect(vtt_after)
        return Bar(
            key=key,
            start=self.start_ms,
            open=first,
            high=max(minute.high for minute in minutes),
            low=min(minute.low for minute in minutes),
            close=minutes[-1].close,
            ltq=self.ltq,
            ltt=self.ltt_ms,
            volume=sum(volumes) if volumes else None,
            vtt=None if vtt is None else vtt.low,
            atp=self.atp,
            oi=self.oi,
            ticks=self.ticks,
            state=BarState.PARTIAL if self.is_partial else BarState.COMPLETE,
            silent_ms=self.silent_ms,
            epoch=self.epoch,
        )
