"""Market of one instrument at one moment, for the paper broker. Prices are in rupees."""

from dataclasses import dataclass, field
from decimal import Decimal

from shared.contracts.order_terms import Side


@dataclass(frozen=True, slots=True)
class Level:
    """One level of the order book."""

    price: Decimal
    quantity: int


@dataclass(frozen=True, slots=True)
class Quote:
    """The newest quote and order book, in the order of (`epoch`, `seq`)."""

    ts_ms: int
    """Exchange time of the frame, epoch ms."""
    epoch: int
    seq: int
    ltp: Decimal
    ltt_ms: int
    ltq: int
    volume: int
    """Cumulative volume of the day."""
    bids: tuple[Level, ...] = ()
    """From the best to the fifth."""
    asks: tuple[Level, ...] = ()
    lower_band: Decimal | None = None
    """Lowest price that the exchange accepts; None if it is not known."""
    upper_band: Decimal | None = None
    is_tradable: bool = True
    """Whether the feed is live, its clock advances, and the session is continuous trading."""
    is_news: bool = True
    """Whether a rise of the volume is a trade since the last quote: not in a snapshot."""
    has_book: bool = True
    """Whether the levels are of an order book; if not, only the best prices are known."""
    _opposite: dict[Side, tuple[Level, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """Cache of `opposite`, which is called for every user."""

    @property
    def is_crossed(self) -> bool:
        """Whether the best bid is at or above the best ask."""
        return bool(self.bids and self.asks and self.bids[0].price >= self.asks[0].price)

    def opposite(self, side: Side) -> tuple[Level, ...]:
        """The levels that an order of this side may take, the best first.

        Empty while the book is crossed, and without the levels outside the price band.
        """
        levels = self._opposite.get(side)
        if levels is None:
            levels = self._opposite[side] = self._takeable(side)
        return levels

    def own(self, side: Side) -> tuple[Level, ...]:
        """The levels at which an order of this side may rest, the best first."""
        return self.bids if side is Side.BUY else self.asks

    def _takeable(self, side: Side) -> tuple[Level, ...]:
        if self.is_crossed:
            return ()
        levels = self.asks if side is Side.BUY else self.bids
        return tuple(level for level in levels if level.quantity > 0 and self._in_band(level.price))

    def _in_band(self, price: Decimal) -> bool:
        return (self.lower_band is None or price >= self.lower_band) and (
            self.upper_band is None or price <= self.upper_band
        )


@dataclass(frozen=True, slots=True)
class Candle:
    """A completed one-minute candle."""

    start_ms: int
    high: Decimal
    low: Decimal


def exact_price(price: float) -> Decimal:
    """The price with exactly the digits that the feed sent."""
    return Decimal(str(price))
