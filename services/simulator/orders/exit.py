"""Closes positions at the market, BUYs first."""

from collections.abc import Iterator, Mapping
from typing import Final

from services.simulator.account.account import Accounts
from services.simulator.account.positions import Position
from services.simulator.market.instruments import Kind
from services.simulator.market.state import InstrumentState
from services.simulator.orders.batch import Outcome
from services.simulator.orders.bodies import sliced
from services.simulator.orders.order import OrderRequest, OrderType, Side
from services.simulator.orders.order_manager import OrderManager
from services.simulator.orders.refused import OrderRefused

_AUTO_PROTECTION: Final = -1.0


class PositionExit:
    """Places the orders that undo what is open."""

    def __init__(
        self, order_manager: OrderManager, accounts: Accounts, states: Mapping[str, InstrumentState]
    ) -> None:
        self._order_manager = order_manager
        self._accounts = accounts
        self._states = states

    def exit(self, user_id: str, at_ms: int, *, tag: str | None, segment: str | None) -> Outcome:
        """All open positions; with `tag` those its orders are of, with `segment` those in it."""
        outcome = Outcome()
        positions = list(self._chosen(user_id, tag, segment))
        for position in sorted(positions, key=lambda position: position.quantity):
            outcome.total += 1
            instrument = self._states[position.instrument_key].instrument
            request = OrderRequest(
                position.instrument_key,
                Side.SELL if position.quantity > 0 else Side.BUY,
                abs(position.quantity),
                position.product,
                OrderType.MARKET,
                tag=tag,
                protection_percent=_AUTO_PROTECTION,
            )
            try:
                for each in sliced(request, instrument.freeze_quantity, instrument.lot_size):
                    order = self._order_manager.place(user_id, each, at_ms)
                    outcome.done.append({"order_id": order.order_id})
            except OrderRefused as refused:
                outcome.fail(refused, instrument_key=position.instrument_key)
        return outcome

    def _chosen(self, user_id: str, tag: str | None, segment: str | None) -> Iterator[Position]:
        tagged = {
            (order.request.instrument_key, order.request.product)
            for order in self._order_manager.records.day(user_id)
            if order.request.tag == tag
        }
        for key, position in self._accounts.of(user_id).positions.by_key.items():
            instrument = self._states[position.instrument_key].instrument
            # Shares sold out of the demat account are no short position.
            is_share = instrument.kind is Kind.EQUITY and position.product.is_delivery
            is_open = position.quantity > 0 if is_share else position.quantity != 0
            wanted = tag is None or key in tagged
            if is_open and wanted and segment in (None, instrument.segment):
                yield position
