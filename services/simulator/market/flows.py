"""What happens to one instrument, event by event: its trades, orders, index values."""

import math
import random
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol

from services.simulator.market.book import LEVELS, OrderBook
from services.simulator.market.instruments import ListedInstrument
from services.simulator.market.state import InstrumentState


class Trade(NamedTuple):
    """One trade: epoch ms, price in paise. Of an index: a new value, with quantity 0."""

    key: str
    time_ms: int
    price_paise: int
    quantity: int


class Flow(Protocol):
    """The events of one instrument; `act` once at each time that `next_ms` gives."""

    state: InstrumentState

    def act(self, time_ms: int) -> Trade | None:
        """Let the event happen; None if it changed only the order book."""
        ...

    def indicate(self) -> None:
        """Let an event of the pre-open happen: orders gather for the opening auction."""
        ...

    def next_ms(self, time_ms: int) -> int:
        """When the event after the one at `time_ms` happens (both epoch ms)."""
        ...


# The rest of a stock's events are orders that come and go without a trade.
_TRADE_SHARE: Final = 0.6
_TRADE_VALUE_PAISE: Final = 5_000_000
_TRADES_PER_LEVEL: Final = 2
# How strongly a price is pulled back to its base: per unit of relative distance.
_PULL: Final = 1.0
_MAX_PULL: Final = 0.4


class StockFlow:
    """Random orders and trades of a stock, in whole lots, from a random stream of its own."""

    def __init__(self, instrument: ListedInstrument, *, seed: int, trades_per_sec: float) -> None:
        self._random: Callable[[], float] = random.Random(  # noqa: S311  (makes up a market)
            f"{seed}/{instrument.key}"
        ).random
        self._mean_gap_ms = 1_000.0 * _TRADE_SHARE / trades_per_sec
        self._lot_size = instrument.lot_size
        lot_paise = instrument.base_paise * instrument.lot_size * instrument.multiplier
        self._mean_lots = max(1.0, _TRADE_VALUE_PAISE / lot_paise)
        self._key = instrument.key
        self._base_paise = instrument.base_paise
        best_bid_paise = instrument.base_paise - instrument.tick_paise
        self._book = OrderBook(best_bid_paise, instrument.tick_paise, self._fresh_quantity)
        self.state = InstrumentState(instrument, self._book)

    def act(self, time_ms: int) -> Trade | None:
        """A trade, always as the first event of a day; else an order comes or goes."""
        if self.state.day is not None and self._random() >= _TRADE_SHARE:
            # Squared: the levels next to the spread change most often.
            level = int(LEVELS * self._random() ** 2)
            self._book.revise(bid=self._random() < 0.5, level=level)
            return None
        if self.state.indicative_paise:
            self._open_at_auction_price()
        quantity = self._lot_size * (1 + int(self._exponential(self._mean_lots)))
        buy = self._random() < 0.5 + self._pull()
        price_paise, done = self._book.take(buy=buy, quantity=quantity)
        self.state.record(time_ms, price_paise, done)
        return Trade(self._key, time_ms, price_paise, done)

    def indicate(self) -> None:
        """The auction's price moves by up to two ticks about the previous close."""
        state = self.state
        before = state.indicative_paise or state.close_paise
        steps = int(5 * self._random()) - 2
        price_paise = before + steps * state.instrument.tick_paise
        state.indicative_paise = max(price_paise, state.close_paise // 2)
        state.indicative_quantity += self._lot_size * (1 + int(self._exponential(self._mean_lots)))

    def _open_at_auction_price(self) -> None:
        state = self.state
        self._book.best_bid_paise = state.indicative_paise - state.instrument.tick_paise
        state.indicative_paise = state.indicative_quantity = 0

    def next_ms(self, time_ms: int) -> int:
        """At random; two events may share a millisecond, as they do at the exchange."""
        return time_ms + int(self._exponential(self._mean_gap_ms) + 0.5)

    def _pull(self) -> float:
        distance = (self._base_paise - self.state.ltp_paise) / self._base_paise
        return max(-_MAX_PULL, min(_MAX_PULL, _PULL * distance))

    def _fresh_quantity(self) -> int:
        return self._lot_size * (1 + int(self._exponential(_TRADES_PER_LEVEL * self._mean_lots)))

    def _exponential(self, mean: float) -> float:
        return -mean * math.log(1.0 - self._random())


_VALUE_EVERY_MS: Final = 1_000
_SCALE: Final = 1_000_000_000


class IndexFlow:
    """An index: every second the mean relative move of its stocks, equally weighted."""

    def __init__(self, instrument: ListedInstrument, stocks: Sequence[InstrumentState]) -> None:
        self._stocks = stocks
        self.state = InstrumentState(instrument, None)

    def act(self, time_ms: int) -> Trade:
        """Compute the value, on the index's tick grid."""
        instrument = self.state.instrument
        # Integers throughout, so that no machine rounds differently from another.
        moves = sum(s.ltp_paise * _SCALE // s.instrument.base_paise for s in self._stocks)
        value = instrument.base_paise * moves // (_SCALE * len(self._stocks))
        value_paise = value - value % instrument.tick_paise
        self.state.record(time_ms, value_paise, 0)
        return Trade(instrument.key, time_ms, value_paise, 0)

    def indicate(self) -> None:
        """An index has no auction."""

    def next_ms(self, time_ms: int) -> int:
        """The next whole second."""
        return time_ms - time_ms % _VALUE_EVERY_MS + _VALUE_EVERY_MS
