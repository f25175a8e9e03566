"""An order of the paper broker while it can be filled."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

from services.trading.paper.market import Candle, Quote
from shared.contracts.order_terms import OrderType, Side, Terms, Validity

_HUNDRED: Final = Decimal(100)


@dataclass(slots=True)
class RestingOrder:
    """Mutable; changed by the matcher only."""

    order_id: str
    terms: Terms
    arrival_ms: int
    """Time of acceptance plus latency; nothing before it touches the order."""
    tick: Decimal
    protection_percent: Decimal
    """Of MARKET and SL-M: the distance of the limit from the reference price."""
    remaining: int
    limit: Decimal | None
    """None while a MARKET or SL-M order has no reference price yet."""
    is_active: bool = False
    """Whether the order has met its first quote and, if it has a trigger, was triggered."""
    queue: int | None = None
    """Quantity ahead at the order's price; None while its level is not shown."""

    @property
    def side(self) -> Side:
        """The order's side."""
        return self.terms.side

    @property
    def is_ioc(self) -> bool:
        """Whether what is not filled at once is cancelled."""
        return self.terms.prices.validity is Validity.IOC

    @property
    def trigger(self) -> Decimal | None:
        """The trigger price; None for orders without one."""
        return self.terms.prices.trigger_price

    def is_triggered_by_trade(self, quote: Quote) -> bool:
        """Whether the last trade happened after arrival, at or beyond the trigger."""
        return quote.ltt_ms >= self.arrival_ms and self._is_reached(quote.ltp, quote.ltp)

    def is_triggered_by_candle(self, candle: Candle) -> bool:
        """Whether a minute that began after arrival traded at or beyond the trigger."""
        return candle.start_ms >= self.arrival_ms and self._is_reached(candle.low, candle.high)

    def _is_reached(self, low: Decimal, high: Decimal) -> bool:
        assert self.trigger is not None
        return high >= self.trigger if self.side is Side.BUY else low <= self.trigger

    def protected_limit(self, reference: Decimal) -> Decimal:
        """The limit of a MARKET or SL-M order, on a tick and not beyond the protection."""
        sign = 1 if self.side is Side.BUY else -1
        price = reference * (_HUNDRED + sign * self.protection_percent) / _HUNDRED
        rounding = ROUND_FLOOR if self.side is Side.BUY else ROUND_CEILING
        return (price / self.tick).quantize(Decimal(1), rounding) * self.tick

    def activate(self, ltp: Decimal) -> None:
        """The order takes part from now on; sets the limit of MARKET and SL-M orders."""
        self.is_active = True
        match self.terms.prices.order_type:
            case OrderType.MARKET:
                self.limit = self.protected_limit(ltp)
            case OrderType.SL_M:
                assert self.trigger is not None
                self.limit = self.protected_limit(self.trigger)
            case _:
                self.limit = self.terms.prices.price

    def is_passed_by(self, price: Decimal) -> bool:
        """Whether a trade at this price went through the order's limit."""
        assert self.limit is not None
        return price < self.limit if self.side is Side.BUY else price > self.limit
