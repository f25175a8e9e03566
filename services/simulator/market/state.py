"""The state of one simulated instrument, from which quotes and candles are computed."""

from collections import deque
from dataclasses import dataclass
from typing import Final, NamedTuple

from services.simulator.market.book import OrderBook
from services.simulator.market.greeks import Greeks
from services.simulator.market.instruments import ListedInstrument
from services.simulator.market.minute_log import MinuteLog, MinuteRow
from shared.market.exchange_time import MINUTE_MS, day_start

RECORDED_DAYS: Final = 2
"""Number of completed days whose minutes are stored, besides the running day."""


@dataclass(slots=True)
class Candle:
    """Open, high, low, close (paise) and volume of the trades since `start_ms`."""

    start_ms: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    oi: int = 0
    """Open interest at the end of the candle; 0 while it is running."""

    @classmethod
    def begin(cls, start_ms: int, price_paise: int, quantity: int) -> "Candle":
        """A candle with its first trade."""
        return cls(start_ms, price_paise, price_paise, price_paise, price_paise, quantity)

    def add(self, price_paise: int, quantity: int) -> None:
        """Add a trade."""
        if price_paise > self.high:
            self.high = price_paise
        elif price_paise < self.low:
            self.low = price_paise
        self.close = price_paise
        self.volume += quantity

    def row(self) -> MinuteRow:
        """The row of a `MinuteLog`."""
        return self.start_ms, self.open, self.high, self.low, self.close, self.volume, self.oi


class RecordedDay(NamedTuple):
    """A completed day with its minutes."""

    candle: Candle
    minutes: MinuteLog


class SimulatedState:
    """Prices, volumes and candles of one instrument; times in epoch ms, prices in paise.

    An index has no book, and its quantities are always zero.
    """

    __slots__ = (
        "_minute",
        "_minute_before",
        "book",
        "close_paise",
        "day",
        "days",
        "greeks",
        "has_closing_auction",
        "indicative_paise",
        "indicative_quantity",
        "instrument",
        "iv",
        "ltp_paise",
        "ltq",
        "ltt_ms",
        "minutes",
        "oi",
        "recorded_days",
        "turnover_paise",
        "vtt",
    )

    def __init__(self, instrument: ListedInstrument, book: OrderBook | None) -> None:
        self.instrument = instrument
        self.book = book
        self.close_paise = instrument.base_paise
        """The previous day's close (cp)."""
        self.ltp_paise = instrument.base_paise
        self.ltt_ms = 0
        self.ltq = 0
        self.vtt = 0
        self.oi = 0
        """Open interest; zero for all instruments but derivatives."""
        self.greeks: Greeks | None = None
        """None for all instruments but options."""
        self.iv = 0.0
        """Implied volatility, a fraction; zero for all instruments but options."""
        self.has_closing_auction = False
        """Whether a share is traded in the closing auction (Upstox's `cas_eligible`)."""
        self.indicative_paise = 0
        """Indicative price of an auction, until its match; zero at all other times."""
        self.indicative_quantity = 0
        self.turnover_paise = 0
        self.day: Candle | None = None
        """The running day; None before its first trade."""
        self.minutes = MinuteLog()
        """Completed minutes of the running day, without the latest minute that has a trade."""
        self.recorded_days: deque[RecordedDay] = deque(maxlen=RECORDED_DAYS)
        self.days: list[Candle] = []
        """All completed days since the market started, oldest first."""
        self._minute: Candle | None = None
        self._minute_before: Candle | None = None

    def record(self, time_ms: int, price_paise: int, quantity: int) -> None:
        """Record a trade, or a new index value with quantity 0."""
        self.ltp_paise = price_paise
        self.ltt_ms = time_ms
        self.ltq = quantity
        self.vtt += quantity
        self.turnover_paise += price_paise * quantity
        if self.day is None:
            self.day = Candle.begin(day_start(time_ms), price_paise, quantity)
        else:
            self.day.add(price_paise, quantity)
        minute = self._minute
        if minute is not None and time_ms < minute.start_ms + MINUTE_MS:
            minute.add(price_paise, quantity)
        else:
            self._end_minute()
            self._minute = Candle.begin(time_ms - time_ms % MINUTE_MS, price_paise, quantity)

    def end_auction(self) -> None:
        """Forget the indicative price and quantity."""
        self.indicative_paise = self.indicative_quantity = 0

    def roll_day(self) -> None:
        """Begin a new day: volume zero, and the last price as the previous close."""
        self._end_minute()
        self._minute = None
        if self.day is not None:
            self.day.oi = self.oi
            self.recorded_days.append(RecordedDay(self.day, self.minutes))
            self.days.append(self.day)
            self.minutes = MinuteLog()
        self.close_paise = self.ltp_paise
        self.vtt = 0
        self.turnover_paise = 0
        self.day = None

    def atp_paise(self) -> int | None:
        """The day's average price, rounded to a paisa; None without volume."""
        if self.vtt == 0:
            return None
        return (2 * self.turnover_paise + self.vtt) // (2 * self.vtt)

    def last_minute(self, now_ms: int) -> Candle | None:
        """The last completed one-minute candle (I1); None if no minute is completed."""
        minute = self._minute
        if minute is not None and now_ms >= minute.start_ms + MINUTE_MS:
            return minute
        return self._minute_before

    def latest_minute(self) -> Candle | None:
        """The running day's latest minute with a trade, completed or not; not in `minutes`."""
        return self._minute

    def running_minute(self, now_ms: int) -> Candle | None:
        """The candle of the minute that contains `now_ms`; None before its first trade."""
        minute = self._minute
        if minute is None or now_ms >= minute.start_ms + MINUTE_MS:
            return None
        return minute

    def _end_minute(self) -> None:
        if self._minute is not None:
            self._minute.oi = self.oi
            self.minutes.append(self._minute.row())
            self._minute_before = self._minute
