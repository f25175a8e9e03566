"""What the market offers to orders between two of its steps: its trades, then its depth.

Our orders do not move the simulated market, or its trades would no longer be those of
its seed. Between two steps each trade and each level is offered once.
"""

from collections.abc import Callable, Iterator, Sequence

from services.simulator.market.book import LEVELS
from services.simulator.market.flows import Trade
from services.simulator.market.state import InstrumentState
from services.simulator.orders.order import Order, Side

_Take = Callable[[int], None]
_Offer = tuple[int, int, int, _Take]


class Liquidity:
    """One instrument's offer until its next step."""

    def __init__(self, state: InstrumentState, trades: Sequence[Trade]) -> None:
        self._state = state
        self._trades = [(trade, trade.quantity) for trade in trades]
        self._taken: dict[tuple[Side, int], int] = {}

    def take(self, order: Order, now_ms: int) -> list[tuple[int, int, int]]:
        """Take for `order` what suits it: time (ms), price (paise), quantity of each fill.

        Together the fills are at most the pending quantity.
        """
        wanted = order.pending_quantity
        fills = []
        for at_ms, price_paise, offered, take in (
            *self._from_trades(order),
            *self._from_depth(order, now_ms),
        ):
            quantity = min(wanted, offered)
            if quantity > 0:
                take(quantity)
                wanted -= quantity
                fills.append((at_ms, price_paise, quantity))
        return fills

    def _from_trades(self, order: Order) -> Iterator[_Offer]:
        """A resting order trades at its own price when the market trades there or beyond."""
        if not order.request.order_type.has_limit:
            return
        limit, sign = order.limit_paise, order.request.side.sign
        for place, (trade, _) in enumerate(self._trades):
            is_later = trade.time_ms > order.updated_ms
            if is_later and sign * trade.price_paise <= sign * limit:
                yield trade.time_ms, limit, self._trades[place][1], self._taker_of_trade(place)

    def _from_depth(self, order: Order, now_ms: int) -> Iterator[_Offer]:
        """The other side's levels, best first, as far as the order's limit."""
        book, side = self._state.book, order.request.side
        if book is None:
            return
        limit = order.limit_paise
        best = book.best_bid_paise + (book.tick_paise if side is Side.BUY else 0)
        if limit and side.sign * best > side.sign * limit:
            return  # most resting orders, so spare them the levels
        for level in book.depth(LEVELS):
            if side is Side.BUY:
                price, shown = level.ask_paise, level.ask_quantity
            else:
                price, shown = level.bid_paise, level.bid_quantity
            if limit and side.sign * price > side.sign * limit:
                return
            rest = shown - self._taken.get((side, price), 0)
            yield now_ms, price, rest, self._taker_of_level(side, price)

    def _taker_of_trade(self, place: int) -> _Take:
        def take(quantity: int) -> None:
            trade, rest = self._trades[place]
            self._trades[place] = (trade, rest - quantity)

        return take

    def _taker_of_level(self, side: Side, price: int) -> _Take:
        def take(quantity: int) -> None:
            self._taken[side, price] = self._taken.get((side, price), 0) + quantity

        return take
