"""The orders and trades of one user's trading day, and the margin reserved for paper orders."""

from collections.abc import Callable
from decimal import Decimal

import msgspec

from services.trading.orders import events
from services.trading.orders.instrument import OrderInstrument
from services.trading.orders.order import Order, fold
from services.trading.portfolio.reservation import Reservation, ReservedTerms
from shared.contracts.order_terms import Account, Product, Side
from shared.contracts.trading_replies import Trade

Place = tuple[str, Product, Side]
"""Instrument key, product and side of orders."""


class OrderBook(msgspec.Struct):
    """Orders of all accounts of the user, oldest first; those of other days while they are open."""

    orders: dict[str, Order] = {}
    open_ids: dict[str, None] = {}
    """The order ids of open orders, oldest first."""
    instruments: dict[str, OrderInstrument] = {}
    """Of paper orders, by order id."""
    reservations: dict[str, Reservation] = {}
    """Of paper orders, by order id."""
    trades: list[Trade] = []
    """Of the trading day, oldest first."""
    daily_orders: int = 0
    """Orders that were intended on this trading day."""

    def apply(self, order_id: str, event: events.OrderEvent) -> bool:
        """Apply one event; returns whether it is a new trade.

        Raises ValueError if it does not fit the order, and then changes nothing.
        """
        before = self.orders.get(order_id)
        if before is None:
            self._add(order_id, event)
            return False
        after = before.apply(event)
        reservation = self.reservations.get(order_id)
        if reservation is not None and _is_of_pending(before, event):
            reservation.apply(event)
        self.orders[order_id] = after
        if after.state.is_final:
            self.open_ids.pop(order_id, None)
        else:
            self.open_ids[order_id] = None
        if not isinstance(event, events.Filled) or event.trade_id in before.fills:
            return False
        self.trades.append(_trade(after, event))
        return True

    def trade(self, order_id: str, trade_id: str) -> Trade | None:
        """A trade of the day; a trade id counts once for each order."""
        for trade in reversed(self.trades):
            if (trade.order_id, trade.trade_id) == (order_id, trade_id):
                return trade
        return None

    def open_orders(self, account: Account | None = None) -> list[Order]:
        """Orders of one account, or of all, that can still be filled, oldest first."""
        orders = [self.orders[order_id] for order_id in self.open_ids]
        return [order for order in orders if account in (None, order.terms.account)]

    def reserved(self) -> Decimal:
        """The margin of all open paper orders."""
        return sum((self.reserved_for(order_id) for order_id in self.open_ids), Decimal(0))

    def reserved_for(self, order_id: str) -> Decimal:
        """The margin of one order; 0 for an order of a broker."""
        reservation = self.reservations.get(order_id)
        return Decimal(0) if reservation is None else reservation.amount(self.orders[order_id])

    def open_quantity(
        self,
        key: str,
        product: Product,
        side: Side,
        *,
        account: Account = Account.PAPER,
        without: str | None = None,
    ) -> int:
        """Quantity that open orders of an account, except one, can still buy or sell."""
        return sum(
            order.open_quantity
            for order in self.open_orders(account)
            if order.order_id != without
            and (order.terms.key, order.terms.product, order.terms.side) == (key, product, side)
        )

    def filled_quantities(self, account: Account) -> dict[Place, int]:
        """Filled quantities of the orders of an account."""
        filled: dict[Place, int] = {}
        for order in self.orders.values():
            if order.terms.account is account and order.fills:
                place = (order.terms.key, order.terms.product, order.terms.side)
                filled[place] = filled.get(place, 0) + order.filled_quantity
        return filled

    def start_day(self) -> None:
        """Forget the final orders and all trades."""
        self._keep(lambda order: order.order_id in self.open_ids)
        self.trades = []
        self.daily_orders = 0

    def reset_paper(self) -> None:
        """Forget all paper orders. They still count as orders of the day."""
        self._keep(lambda order: order.terms.account is not Account.PAPER)
        self.trades = [trade for trade in self.trades if trade.order_id in self.orders]

    def _add(self, order_id: str, event: events.OrderEvent) -> None:
        if not isinstance(event, events.Intended):
            raise ValueError(f"{order_id}: there is no such order")  # noqa: TRY004
        if event.order_id != order_id:
            raise ValueError(f"{order_id}: the event names order {event.order_id}")
        if event.terms.account is Account.PAPER:
            if event.instrument is None:
                raise ValueError(f"{order_id}: a paper order lacks its instrument")
            self.instruments[order_id] = event.instrument
            reserved = ReservedTerms(event.terms.prices.quantity, event.margin)
            self.reservations[order_id] = Reservation(reserved)
        self.orders[order_id] = fold([event])
        self.open_ids[order_id] = None
        self.daily_orders += 1

    def _keep(self, is_kept: Callable[[Order], bool]) -> None:
        self.orders = {name: order for name, order in self.orders.items() if is_kept(order)}
        self.open_ids = {name: None for name in self.open_ids if name in self.orders}
        self.instruments = {
            name: one for name, one in self.instruments.items() if name in self.orders
        }
        self.reservations = {
            name: one for name, one in self.reservations.items() if name in self.orders
        }


def _is_of_pending(order: Order, event: events.OrderEvent) -> bool:
    """Whether a command event starts a command or belongs to the pending one."""
    match event:
        case events.CommandSending():
            return True
        case events.CommandAnswered() | events.CommandSettled():
            return order.pending is not None and order.pending.command_id == event.command_id
    return False


def _trade(order: Order, event: events.Filled) -> Trade:
    return Trade(
        trade_id=event.trade_id,
        order_id=order.order_id,
        key=order.terms.key,
        side=order.terms.side,
        product=order.terms.product,
        quantity=event.quantity,
        price=event.price,
        traded_at=event.traded_at_ms,
    )
