"""Matches one user's paper orders in one instrument. Deterministic: no clock, no randomness.

The caller orders commands and market data by (time, sequence). A fill carries the quote that it was
made from, so that anyone can compute it again. The rules are numbered in docs/trading.md.
"""

from dataclasses import dataclass
from decimal import Decimal
from hashlib import blake2b

from services.trading.paper.liquidity import Liquidity
from services.trading.paper.market import Candle, Quote
from services.trading.paper.resting_order import RestingOrder
from shared.contracts.order_terms import Terms


@dataclass(frozen=True, slots=True)
class PaperFill:
    """A trade of the paper broker."""

    order_id: str
    trade_id: str
    """Derived from the order and the quote: replay makes no new trade."""
    quantity: int
    price: Decimal
    quote: Quote


@dataclass(frozen=True, slots=True)
class Triggered:
    """A stop order became a limit order with this limit."""

    order_id: str
    limit: Decimal


@dataclass(frozen=True, slots=True)
class Lapsed:
    """What an IOC order did not fill was cancelled."""

    order_id: str
    quantity: int


Result = PaperFill | Triggered | Lapsed


class Matcher:
    """The resting orders of one user in one instrument."""

    def __init__(self) -> None:
        self.orders: dict[str, RestingOrder] = {}
        self._liquidity = Liquidity()
        self._quote: Quote | None = None
        self._minute_triggers: set[str] = set()

    def place(self, order: RestingOrder) -> None:
        """Add an order. It meets the first quote at or after its arrival."""
        self.orders[order.order_id] = order

    def cancel(self, order_id: str) -> int:
        """Remove an order; returns the quantity that was not filled, 0 if there is no order."""
        order = self.orders.pop(order_id, None)
        return 0 if order is None else order.remaining

    def modify(self, order_id: str, terms: Terms, remaining: int) -> None:
        """Change the terms. A new price or a greater quantity loses the place in the queue."""
        order = self.orders[order_id]
        keeps_place = (
            terms.prices.price == order.terms.prices.price
            and terms.prices.trigger_price == order.terms.prices.trigger_price
            and terms.prices.order_type is order.terms.prices.order_type
            and remaining <= order.remaining
        )
        order.terms, order.remaining = terms, remaining
        if keeps_place:
            return
        if order.is_active and self._quote is not None:
            order.activate(self._quote.ltp)
            order.queue = _queue_ahead(order, self._quote)

    def on_candle(self, candle: Candle) -> None:
        """A minute has completed: the next quote triggers the stop orders that it reached."""
        for order in self.orders.values():
            is_waiting = order.trigger is not None and not order.is_active
            if is_waiting and order.is_triggered_by_candle(candle):
                self._minute_triggers.add(order.order_id)

    def on_quote(self, quote: Quote) -> list[Result]:
        """Match all orders with a newer quote; returns what happened, in order."""
        before, self._quote = self._quote, quote
        self._liquidity.update(quote)
        if not quote.is_tradable:
            return []
        results: list[Result] = []
        traded = _traded_quantity(before, quote)
        for order in list(self.orders.values()):
            if quote.ts_ms < order.arrival_ms:
                continue
            is_new = not order.is_active
            if is_new and not self._activate(order, quote, results):
                continue
            if not is_new:
                traded = self._fill_by_trade(order, quote, before, traded, results)
            self._fill_by_book(order, quote, results, is_resting=not is_new)
            if order.remaining and order.is_ioc:
                results.append(Lapsed(order.order_id, order.remaining))
                order.remaining = 0
            if not order.remaining:
                del self.orders[order.order_id]
            elif is_new or order.queue is None:
                order.queue = _queue_ahead(order, quote)
        return results

    def on_auction(self, quote: Quote, price: Decimal, quantity: int) -> list[Result]:
        """An auction ended: limits strictly better than its price fill at it, up to `quantity`."""
        results: list[Result] = []
        for order in list(self.orders.values()):
            if quote.ts_ms < order.arrival_ms or quantity <= 0 or order.trigger is not None:
                continue
            if order.limit is None:
                order.activate(price)
            if not order.is_passed_by(price):
                continue
            filled = min(order.remaining, quantity)
            quantity -= filled
            self._fill(order, quote, price, filled, results)
            if not order.remaining:
                del self.orders[order.order_id]
        return results

    def _activate(self, order: RestingOrder, quote: Quote, results: list[Result]) -> bool:
        """Let an order meet its first quote, or a stop order its trigger."""
        if order.trigger is None:
            order.activate(quote.ltp)
            return True
        by_candle = order.order_id in self._minute_triggers
        if not by_candle and not order.is_triggered_by_trade(quote):
            return False
        self._minute_triggers.discard(order.order_id)
        order.activate(quote.ltp)
        assert order.limit is not None
        results.append(Triggered(order.order_id, order.limit))
        return True

    def _fill_by_book(
        self, order: RestingOrder, quote: Quote, results: list[Result], *, is_resting: bool
    ) -> None:
        """Take the other side of the book: a new order at its prices, a resting one at its own."""
        assert order.limit is not None
        for level in self._liquidity.levels(order.side, order.limit):
            if not order.remaining:
                return
            filled = min(order.remaining, level.quantity)
            self._liquidity.take(order.side, level.price, filled)
            price = order.limit if is_resting else level.price
            self._fill(order, quote, price, filled, results, level_price=level.price)

    def _fill_by_trade(
        self,
        order: RestingOrder,
        quote: Quote,
        before: Quote | None,
        traded: int,
        results: list[Result],
    ) -> int:
        """Fill a resting order by trades at or through its limit; returns the quantity left."""
        if before is None or not traded or not order.remaining:
            return traded
        if order.is_passed_by(quote.ltp):
            filled = min(order.remaining, traded)
            order.queue = 0
        elif quote.ltp == order.limit and order.queue is not None:
            at_limit = min(quote.ltq, traded)
            filled = min(order.remaining, max(0, at_limit - order.queue))
            order.queue = max(0, order.queue - at_limit)
        else:
            return traded
        if filled:
            assert order.limit is not None
            self._fill(order, quote, order.limit, filled, results)
        return traded - filled

    def _fill(
        self,
        order: RestingOrder,
        quote: Quote,
        price: Decimal,
        quantity: int,
        results: list[Result],
        level_price: Decimal | None = None,
    ) -> None:
        order.remaining -= quantity
        level = "trade" if level_price is None else str(level_price)
        name = f"{order.order_id}|{quote.epoch}|{quote.seq}|{level}"
        trade_id = blake2b(name.encode(), digest_size=12).hexdigest()
        results.append(PaperFill(order.order_id, trade_id, quantity, price, quote))


def _traded_quantity(before: Quote | None, quote: Quote) -> int:
    """The quantity that was traded since the last quote."""
    return 0 if before is None else max(0, quote.volume - before.volume)


def _queue_ahead(order: RestingOrder, quote: Quote) -> int | None:
    """The quantity shown at the order's limit; None if the level lies beyond the shown ones."""
    assert order.limit is not None
    levels = quote.own(order.side)
    for level in levels:
        if level.price == order.limit:
            return level.quantity
    if not levels or order.is_passed_by(levels[-1].price):
        return 0 if levels else None
    return None
