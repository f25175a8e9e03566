"""The simulator's own calls about orders: every order and every fill of all users."""

from collections.abc import Mapping

from aiohttp import web

from services.simulator.api.admin.answers import json_answer
from services.simulator.market.instruments import ListedInstrument
from services.simulator.market.state import SimulatedState
from services.simulator.orders.order import Order
from services.simulator.orders.order_store import OrderStore
from services.simulator.orders.views import true_order_row


class OrderAdminRoutes:
    """GET calls that return the ledger of orders and fills, with times in ms."""

    def __init__(self, order_store: OrderStore, states: Mapping[str, SimulatedState]) -> None:
        self._order_store = order_store
        self._states = states

    def routes(self) -> list[web.RouteDef]:
        """All routes."""
        return [
            web.get("/simulator/v1/orders", self.orders),
            web.get("/simulator/v1/fills", self.fills),
        ]

    async def orders(self, _: web.Request) -> web.Response:
        """The latest version of each order, oldest order first."""
        rows = [
            {
                **true_order_row(order, self._instrument(order)),
                "user_id": order.user_id,
                "placed_ms": order.placed_ms,
                "updated_ms": order.updated_ms,
            }
            for order in self._order_store.orders()
        ]
        return json_answer(rows)

    async def fills(self, _: web.Request) -> web.Response:
        """Each fill, oldest first; prices in rupees."""
        rows = [
            {
                "trade_id": fill.trade_id,
                "order_id": fill.order.order_id,
                "user_id": fill.order.user_id,
                "instrument_token": fill.order.request.instrument_key,
                "transaction_type": fill.order.request.side,
                "product": fill.order.request.product,
                "tag": fill.order.request.tag,
                "time_ms": fill.at_ms,
                "price": fill.price_paise / 100,
                "quantity": fill.quantity,
            }
            for fill in self._order_store.fills
        ]
        return json_answer(rows)

    def _instrument(self, order: Order) -> ListedInstrument:
        return self._states[order.request.instrument_key].instrument
