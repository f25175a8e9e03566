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
    """Time of acceptance or of the last modification that lost the order's place in the queue, plus
    latency; nothing before it touches the order."""
    tick: Decimal
    protection_percent: Decimal
    """Of MARKET and SL-M: the distance of the limit from the reference price."""
    remaining: int
    limit: Decimal | None = None
    """The price at which the order rests; None until it is active."""
    is_active: bool = False
    """Whether the order rests in the book: it was triggered, if it has a trigger, and has met a
    quote since its arrival."""
    is_triggered: bool = False
    """Whether the trigger was reached. That happens once; a modification does not undo it."""
    is_reached: bool = False
    """Whether a completed minute reached the trigger: the next quote triggers the order."""
    awaits_book_since_ms: int | None = None
    """Time of the quote without an order book from which on the order waits for one."""
    queue: int | None = None
    """Quantity ahead at the order's price; None while its level is not shown."""
    trade_count: int = 0
    """Number of trades of the order so far."""

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

    @property
    def is_waiting(self) -> bool:
        """Whether the order is a stop whose trigger was not reached."""
        return self.trigger is not None and not self.is_triggered

    @property
    def needs_quote(self) -> bool:
        """Whether the next quote or clock tick after the arrival makes the order active."""
        return not self.is_active and (not self.is_waiting or self.is_reached)

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

    def limit_at(self, ltp: Decimal) -> Decimal:
        """The limit of the order if it becomes active at this last price."""
        prices = self.terms.prices
        if prices.order_type is OrderType.MARKET:
            return self.protected_limit(ltp)
        if prices.order_type is OrderType.SL_M:
            assert prices.trigger_price is not None
            return self.protected_limit(prices.trigger_price)
        assert prices.price is not None
        return prices.price

    def activate(self, ltp: Decimal) -> Decimal:
        """The order rests in the book from now on; returns its limit."""
        self.is_active = True
        self.limit = self.limit_at(ltp)
        return self.limit

    def change(self, terms: Terms, remaining: int, arrival_ms: int) -> None:
        """Change the terms.

        With another price, or a greater quantity, the order meets the next quote like a new one.
        """
        old, new = self.terms.prices, terms.prices
        keeps_place = remaining <= self.remaining and (
            (old.price, old.trigger_price, old.order_type, old.validity)
            == (new.price, new.trigger_price, new.order_type, new.validity)
        )
        self.terms, self.remaining = terms, remaining
        if keeps_place:
            return
        if old.trigger_price != new.trigger_price:
            self.is_reached = False
        self.arrival_ms = max(self.arrival_ms, arrival_ms)
        self.is_active = False
        self.limit = self.queue = self.awaits_book_since_ms = None

    def is_passed_by(self, price: Decimal) -> bool:
        """Whether a trade at this price went through the limit of an active order."""
        assert self.limit is not None
        return is_better(self.side, self.limit, price)


def is_better(side: Side, limit: Decimal, price: Decimal) -> bool:
    """Whether a limit is strictly better than a price, for the one who trades with the order."""
    return price < limit if side is Side.BUY else price > limit
