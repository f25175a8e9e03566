"""Matches one user's paper orders in one instrument. Deterministic: no clock, no randomness.

The caller orders commands and market data by (time, sequence). A fill carries the quote that it was
made from, so that anyone can compute it again. The rules are numbered in docs/trading.md.
"""

from decimal import Decimal
from hashlib import blake2b
from typing import Final

import msgspec

from services.trading.paper.auctions import AuctionTrade
from services.trading.paper.liquidity import Liquidity, UsedLevel
from services.trading.paper.market import Candle, Quote
from services.trading.paper.resting_order import RestingOrder, is_better
from services.trading.paper.results import Lapsed, PaperFill, Result, Triggered
from shared.contracts.order_terms import OrderType, Terms

BOOK_WAIT_MS: Final = 2_000
"""How long an order that is larger than the best level waits for the first order book."""


class MatcherState(msgspec.Struct, frozen=True):
    """Everything of a matcher that influences later fills."""

    orders: list[RestingOrder]
    used: list[UsedLevel]
    volume: int | None


class Matcher:
    """The resting orders of one user in one instrument."""

    def __init__(self, state: MatcherState | None = None) -> None:
        self.orders: dict[str, RestingOrder] = {}
        self._liquidity = Liquidity()
        self._volume: int | None = None
        """Cumulative volume of the day at the last quote."""
        if state is not None:
            self.orders = {order.order_id: order for order in state.orders}
            self._liquidity = Liquidity(state.used)
            self._volume = state.volume

    def state(self) -> MatcherState:
        """A view of the state, to be encoded at once."""
        return MatcherState(list(self.orders.values()), self._liquidity.used, self._volume)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is left that a later fill depends on."""
        return not self.orders and not self._liquidity.used

    def needs_quote(self, at_ms: int) -> bool:
        """Whether an order waits for its first quote since its arrival."""
        return any(
            order.needs_quote and order.arrival_ms <= at_ms for order in self.orders.values()
        )

    def start_day(self) -> None:
        """Yesterday's book is not today's."""
        self._liquidity.clear()

    def place(self, order: RestingOrder) -> None:
        """Add an order. It meets the first quote at or after its arrival."""
        self.orders[order.order_id] = order

    def cancel(self, order_id: str) -> int:
        """Remove an order; returns the quantity that was not filled, 0 if there is no order."""
        order = self.orders.pop(order_id, None)
        return 0 if order is None else order.remaining

    def modify(self, order_id: str, terms: Terms, remaining: int, arrival_ms: int) -> bool:
        """Change the terms of an order; False if there is no such order."""
        order = self.orders.get(order_id)
        if order is None:
            return False
        order.change(terms, remaining, arrival_ms)
        return True

    def on_candle(self, candle: Candle) -> None:
        """A minute has completed: the next quote triggers the stop orders that it reached."""
        for order in self.orders.values():
            if order.is_waiting and order.is_triggered_by_candle(candle):
                order.is_reached = True

    def on_quote(self, quote: Quote) -> list[Result]:
        """Match all orders with a newer quote; returns what happened, in order."""
        traded = self._traded_quantity(quote)
        self._liquidity.update(quote)
        if not quote.is_tradable:
            return []
        results: list[Result] = []
        for order in list(self.orders.values()):
            if quote.ts_ms < order.arrival_ms:
                continue
            is_new = not order.is_active
            if is_new and not self._activate(order, quote, results):
                continue
            if not is_new:
                traded = _fill_by_trade(order, quote, traded, results)
            self._fill_by_book(order, quote, results, is_resting=not is_new)
            if order.remaining and order.is_ioc:
                results.append(Lapsed(order.order_id, order.remaining))
                order.remaining = 0
            if not order.remaining:
                del self.orders[order.order_id]
            elif is_new or order.queue is None:
                order.queue = _queue_ahead(order, quote)
        return results

    def on_auction(self, quote: Quote, auction: AuctionTrade) -> list[Result]:
        """An auction ended: limits strictly better than its price fill at it, up to its quantity.

        Market orders come first.
        """
        results: list[Result] = []
        quantity = auction.quantity
        for order in sorted(self.orders.values(), key=_is_after_market_orders):
            if order.arrival_ms >= auction.entry_end_ms or not quantity or order.is_waiting:
                continue
            limit = order.limit_at(auction.price) if order.limit is None else order.limit
            if not is_better(order.side, limit, auction.price):
                continue
            filled = min(order.remaining, quantity)
            quantity -= filled
            _fill(order, quote, auction.price, filled, results)
            if not order.remaining:
                del self.orders[order.order_id]
        return results

    def _traded_quantity(self, quote: Quote) -> int:
        """The quantity that was traded since the last quote; 0 if the volume began again."""
        before, self._volume = self._volume, quote.volume
        return max(0, quote.volume - before) if before is not None and quote.is_news else 0

    def _activate(self, order: RestingOrder, quote: Quote, results: list[Result]) -> bool:
        """Let an order meet its first quote, or a stop order its trigger."""
        if not order.is_waiting:
            if _awaits_book(order, quote):
                return False
            order.activate(quote.ltp)
            return True
        if not order.is_reached and not order.is_triggered_by_trade(quote):
            return False
        order.is_triggered = True
        results.append(Triggered(order.order_id, order.activate(quote.ltp)))
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
            _fill(order, quote, price, filled, results)


def _awaits_book(order: RestingOrder, quote: Quote) -> bool:
    """Whether only the best prices are known yet, and the order would take more than that."""
    best = quote.opposite(order.side)[:1]
    if quote.has_book or not best or best[0].quantity >= order.remaining:
        return False
    if not is_better(order.side, order.limit_at(quote.ltp), best[0].price):
        return False
    if order.awaits_book_since_ms is None:
        order.awaits_book_since_ms = quote.ts_ms
    return quote.ts_ms < order.awaits_book_since_ms + BOOK_WAIT_MS


def _fill_by_trade(order: RestingOrder, quote: Quote, traded: int, results: list[Result]) -> int:
    """Fill a resting order by trades at or through its limit; returns the quantity left."""
    if not traded or not order.remaining:
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
        _fill(order, quote, order.limit, filled, results)
    return traded - filled


def _fill(
    order: RestingOrder, quote: Quote, price: Decimal, quantity: int, results: list[Result]
) -> None:
    name = f"{order.order_id}|{quote.epoch}|{quote.seq}|{order.trade_count}|{order.remaining}"
    order.trade_count += 1
    order.remaining -= quantity
    trade_id = blake2b(name.encode(), digest_size=12).hexdigest()
    results.append(PaperFill(order.order_id, trade_id, quantity, price, quote))


def _is_after_market_orders(order: RestingOrder) -> bool:
    return order.terms.prices.order_type is not OrderType.MARKET


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
