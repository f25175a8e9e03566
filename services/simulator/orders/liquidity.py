"""The liquidity that orders can take between two steps of the market: its trades and its depth.

Orders do not move the simulated market: its trades depend on the seed alone. Between two steps
each trade and each level of the depth can be taken only once.
"""

from collections.abc import Callable, Iterator, Sequence

from services.simulator.market.book import LEVELS
from services.simulator.market.flows import Trade
from services.simulator.market.state import SimulatedState
from services.simulator.orders.order import Order, Side

_Take = Callable[[int], None]
_Offer = tuple[int, int, int, _Take]
"""Time (epoch ms), price (paise), quantity, and a function that reduces the quantity."""


class Liquidity:
    """The liquidity of one instrument until the next step of the market."""

    def __init__(self, state: SimulatedState, trades: Sequence[Trade]) -> None:
        self._state = state
        self._trades = [(trade, trade.quantity) for trade in trades]
        self._taken: dict[tuple[Side, int], int] = {}

    def take(self, order: Order, now_ms: int) -> list[tuple[int, int, int]]:
        """Take the matching liquidity; returns time (ms), price (paise) and quantity per fill.

        The sum of the fills is at most the pending quantity of the order.
        """
        pending = order.pending_quantity
        fills = []
        for at_ms, price_paise, offered, take in (
            *self._from_trades(order),
            *self._from_depth(order, now_ms),
        ):
            quantity = min(pending, offered)
            if quantity > 0:
                take(quantity)
                pending -= quantity
                fills.append((at_ms, price_paise, quantity))
        return fills

    def _from_trades(self, order: Order) -> Iterator[_Offer]:
        """A resting order is filled at its own price by a trade at that price or a worse one."""
        if not order.request.order_type.has_limit:
            return
        limit, sign = order.limit_paise, order.request.side.sign
        for index, (trade, _) in enumerate(self._trades):
            is_later = trade.time_ms > order.updated_ms
            if is_later and sign * trade.price_paise <= sign * limit:
                yield trade.time_ms, limit, self._trades[index][1], self._taker_of_trade(index)

    def _from_depth(self, order: Order, now_ms: int) -> Iterator[_Offer]:
        """The levels of the other side, best first, up to the limit of the order."""
        book, side = self._state.book, order.request.side
        if book is None:
            return
        limit = order.limit_paise
        best = book.best_bid_paise + (book.tick_paise if side is Side.BUY else 0)
        if limit and side.sign * best > side.sign * limit:
            return  # true of most resting orders, so the levels need not be computed
        for level in book.depth(LEVELS):
            if side is Side.BUY:
                price, shown = level.ask_paise, level.ask_quantity
            else:
                price, shown = level.bid_paise, level.bid_quantity
            if limit and side.sign * price > side.sign * limit:
                return
            rest = shown - self._taken.get((side, price), 0)
            yield now_ms, price, rest, self._taker_of_level(side, price)

    def _taker_of_trade(self, index: int) -> _Take:
        def take(quantity: int) -> None:
            trade, rest = self._trades[index]
            self._trades[index] = (trade, rest - quantity)

        return take

    def _taker_of_level(self, side: Side, price: int) -> _Take:
        def take(quantity: int) -> None:
            self._taken[side, price] = self._taken.get((side, price), 0) + quantity

        return take
