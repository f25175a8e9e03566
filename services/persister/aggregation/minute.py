"""One minute of the trades of one instrument, from quotes and from its candle."""

import msgspec

from services.persister.aggregation.quoted_trade import QuotedTrade
from shared.contracts.messages import Candle


def trades_have_volume(key: str) -> bool:
    """Whether trades of the instrument have a volume. An index is calculated and has none."""
    return not key.partition("|")[0].endswith("_INDEX")


class VolumeBounds(msgspec.Struct, array_like=True, frozen=True):
    """Bounds of the day's cumulative volume at one moment; `high` is None if unknown."""

    low: int
    high: int | None

    def intersect(self, other: "VolumeBounds") -> "VolumeBounds":
        """The bounds that both allow; `other` if the two contradict each other."""
        low = max(self.low, other.low)
        high = self.high if other.high is None else other.high
        if self.high is not None and other.high is not None:
            high = min(self.high, other.high)
        return other if high is not None and low > high else VolumeBounds(low, high)

    def plus(self, volume: int) -> "VolumeBounds":
        """The bounds after another `volume` was traded."""
        return VolumeBounds(self.low + volume, None if self.high is None else self.high + volume)


class Minute(msgspec.Struct, array_like=True):
    """A minute that has trades or may have trades."""

    start_ms: int
    open: float | None = None
    """Price of the first known trade; None if no trade is known."""
    high: float = 0.0
    low: float = 0.0
    close: float = 0.0
    volume: int | None = None
    vtt_before: VolumeBounds | None = None
    """Cumulative volume before the first trade that a quote showed."""
    last_vtt: int | None = None
    """Cumulative volume in the last quote that showed a trade."""
    is_partial: bool = False
    """Trades may be missing."""
    is_tail_partial: bool = False
    """The first quote of a later minute hid trades, which may belong to this minute."""
    hidden_since_ms: int | None = None
    """Time since which the first quote of this minute hid trades, if in an earlier minute."""
    has_candle: bool = False
    """The candle of this minute was applied, so every trade is included."""
    is_contradicted: bool = False
    """A quote showed a trade that the candle of this minute cannot include."""

    def record_trade(
        self, quote: QuotedTrade, price: float, *, volume: int | None, previous_vtt: int | None
    ) -> bool:
        """Record the trade that `quote` shows.

        `volume` was traded since the instrument's previous quote, whose cumulative volume was
        `previous_vtt`. Both are None if unknown. Returns whether the trade is the first one that
        the candle of this minute cannot include.
        """
        is_first_contradiction = False
        if quote.volume is not None:
            is_first = self.last_vtt is None and not self.is_partial and not self.has_candle
            if is_first and previous_vtt is not None:
                self.vtt_before = _bounds(previous_vtt, quote.volume - (quote.ltq or 0))
            self.last_vtt = quote.volume
        if self.has_candle:
            if self.open is not None and self.low <= price <= self.high:
                return False
            is_first_contradiction = not self.is_contradicted
            self.is_contradicted = True
            # A candle without volume has no price to keep.
            self.has_candle = self.open is not None
        if self.open is None:
            self.open = self.high = self.low = price
        elif price > self.high:
            self.high = price
        elif price < self.low:
            self.low = price
        if not self.has_candle:
            self.close = price
            self.add_volume(volume)
        return is_first_contradiction

    def record_hidden_trades(self, since_ms: int | None = None) -> None:
        """Record that trades of this minute may be hidden.

        `since_ms` is the time since which a quote of this minute hid trades, if there is one.
        """
        self.is_partial = not self.has_candle
        if since_ms is not None and since_ms < self.start_ms:
            self.hidden_since_ms = since_ms

    def record_hidden_tail(self) -> None:
        """Record that hidden trades of a later minute may belong to this minute."""
        self.is_tail_partial = not self.has_candle

    def dismiss_hidden_tail(self) -> None:
        """Record that the hidden trades belong to the later minute."""
        self.is_tail_partial = False

    def add_volume(self, volume: int | None) -> None:
        """Add volume that quotes report, whether or not they showed its trades."""
        if volume is not None and not self.has_candle:
            self.volume = volume if self.volume is None else self.volume + volume

    def apply_candle(self, candle: Candle) -> None:
        """Apply the candle of this minute. Prices that quotes showed stay within the range.

        A candle without volume, of an instrument that has volume, shows that the minute has no
        trade. If a quote showed one nevertheless, the candle is not used.
        """
        if self.has_candle:
            return
        has_trade = bool(candle.volume) or not trades_have_volume(candle.key)
        if self.open is not None and not (
            has_trade and candle.low <= self.low and self.high <= candle.high
        ):
            self.is_contradicted = True
            if not has_trade:
                return
        self.has_candle, self.is_partial, self.is_tail_partial = True, False, False
        if not has_trade:
            return
        self.high = candle.high if self.open is None else max(self.high, candle.high)
        self.low = candle.low if self.open is None else min(self.low, candle.low)
        self.open, self.close = candle.open, candle.close
        self.volume = candle.volume

    @property
    def accounts_for_hidden_trades(self) -> bool:
        """Whether the minute's own volume explains all that its first quote hid."""
        if self.vtt_before is None or self.last_vtt is None or self.volume is None:
            return False
        return self.vtt_before.low + self.volume == self.last_vtt

    def resolve_hidden_trades(self) -> None:
        """Record that all trades that its first quote hid belong to this minute."""
        self.hidden_since_ms = None


def _bounds(low: int, high: int) -> VolumeBounds:
    """Bounds from `low` to `high`; if they contradict each other, `high` is what counts."""
    return VolumeBounds(low, high) if low <= high else VolumeBounds(max(0, high), max(0, high))
