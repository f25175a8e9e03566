"""Order flow: the random events of one instrument (trades, book changes, index values)."""

import math
import random
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol

from services.simulator.market.book import LEVELS, OrderBook
from services.simulator.market.instruments import ListedInstrument
from services.simulator.market.state import SimulatedState


class Trade(NamedTuple):
    """One trade (epoch ms, paise), or a new index value with quantity 0."""

    key: str
    time_ms: int
    price_paise: int
    quantity: int


class Flow(Protocol):
    """The events of one instrument; the market calls `act` once at each time of `next_ms`."""

    state: SimulatedState

    def act(self, time_ms: int) -> Trade | None:
        """Execute the event; None if it changes only the order book."""
        ...

    def indicate(self) -> None:
        """Execute an event of an auction's order entry."""
        ...

    def match(self, time_ms: int) -> Trade | None:
        """Execute the match of an auction; None without orders."""
        ...

    def next_ms(self, time_ms: int) -> int:
        """Time of the event after the one at `time_ms` (both epoch ms)."""
        ...


# The other events of a stock place and cancel orders without a trade.
_TRADE_SHARE: Final = 0.6
_TRADE_VALUE_PAISE: Final = 5_000_000
_TRADES_PER_LEVEL: Final = 2
# An auction's price stays within this distance of the last price.
_AUCTION_BAND_PERCENT: Final = 3
# Strength of the mean reversion towards the base price, per unit of relative distance.
_REVERSION: Final = 1.0
_MAX_REVERSION: Final = 0.4


class StockFlow:
    """Random orders and trades of a stock, in whole lots, from its own random stream."""

    def __init__(self, instrument: ListedInstrument, *, seed: int, trades_per_sec: float) -> None:
        self._random: Callable[[], float] = random.Random(  # noqa: S311  (simulation only)
            f"{seed}/{instrument.key}"
        ).random
        self._mean_gap_ms = 1_000.0 * _TRADE_SHARE / trades_per_sec
        self._lot_size = instrument.lot_size
        lot_paise = instrument.base_paise * instrument.lot_size * instrument.multiplier
        self._mean_lots = max(1.0, _TRADE_VALUE_PAISE / lot_paise)
        self._key = instrument.key
        self._base_paise = instrument.base_paise
        best_bid_paise = instrument.base_paise - instrument.tick_paise
        self._book = OrderBook(best_bid_paise, instrument.tick_paise, self._level_quantity)
        self.state = SimulatedState(instrument, self._book)

    def act(self, time_ms: int) -> Trade | None:
        """Trade, or change a level of the book; the first event of a day is always a trade."""
        if self.state.day is not None and self._random() >= _TRADE_SHARE:
            # Squared, because levels near the spread change most often.
            level = int(LEVELS * self._random() ** 2)
            self._book.revise(bid=self._random() < 0.5, level=level)
            return None
        quantity = self._lot_size * (1 + int(self._exponential(self._mean_lots)))
        buy = self._random() < 0.5 + self._reversion()
        price_paise, traded = self._book.take(buy=buy, quantity=quantity)
        self.state.record(time_ms, price_paise, traded)
        return Trade(self._key, time_ms, price_paise, traded)

    def indicate(self) -> None:
        """Move the indicative price by up to two ticks, starting at the last price."""
        state = self.state
        before_paise = state.indicative_paise or state.ltp_paise
        steps = int(5 * self._random()) - 2
        price_paise = before_paise + steps * state.instrument.tick_paise
        if abs(price_paise - state.ltp_paise) * 100 > state.ltp_paise * _AUCTION_BAND_PERCENT:
            price_paise = before_paise
        state.indicative_paise = price_paise
        state.indicative_quantity += self._lot_size * (1 + int(self._exponential(self._mean_lots)))

    def match(self, time_ms: int) -> Trade | None:
        """Trade the indicative quantity at the indicative price, and move the book there."""
        state = self.state
        price_paise, quantity = state.indicative_paise, state.indicative_quantity
        state.end_auction()
        if not quantity:
            return None
        self._book.best_bid_paise = price_paise - state.instrument.tick_paise
        state.record(time_ms, price_paise, quantity)
        return Trade(self._key, time_ms, price_paise, quantity)

    def next_ms(self, time_ms: int) -> int:
        """A random time; two events may have the same millisecond, as at the exchange."""
        return time_ms + int(self._exponential(self._mean_gap_ms) + 0.5)

    def _reversion(self) -> float:
        """Change of the probability of a buy by the distance from the base price."""
        distance = (self._base_paise - self.state.ltp_paise) / self._base_paise
        return max(-_MAX_REVERSION, min(_MAX_REVERSION, _REVERSION * distance))

    def _level_quantity(self) -> int:
        return self._lot_size * (1 + int(self._exponential(_TRADES_PER_LEVEL * self._mean_lots)))

    def _exponential(self, mean: float) -> float:
        return -mean * math.log(1.0 - self._random())


_INDEX_INTERVAL_MS: Final = 1_000
_SCALE: Final = 1_000_000_000


class IndexFlow:
    """An index: every second, the equally weighted mean of its stocks' relative moves."""

    def __init__(self, instrument: ListedInstrument, stocks: Sequence[SimulatedState]) -> None:
        self._stocks = stocks
        self.state = SimulatedState(instrument, None)

    def act(self, time_ms: int) -> Trade:
        """Compute the value, on the tick grid of the index."""
        instrument = self.state.instrument
        # Integers, so that the result does not depend on the machine's rounding.
        moves = sum(s.ltp_paise * _SCALE // s.instrument.base_paise for s in self._stocks)
        value = instrument.base_paise * moves // (_SCALE * len(self._stocks))
        value_paise = value - value % instrument.tick_paise
        self.state.record(time_ms, value_paise, 0)
        return Trade(instrument.key, time_ms, value_paise, 0)

    def indicate(self) -> None:
        """Do nothing: an index has no auction."""

    def match(self, time_ms: int) -> None:
        """Do nothing: an index has no auction."""

    def next_ms(self, time_ms: int) -> int:
        """The next whole second."""
        return time_ms - time_ms % _INDEX_INTERVAL_MS + _INDEX_INTERVAL_MS
