"""The calls that read orders with their trades."""

from collections.abc import Mapping

from aiohttp import web

from services.simulator.envelope import success
from services.simulator.market.instruments import ListedInstrument
from services.simulator.market.state import InstrumentState
from services.simulator.orders.door import Call, Door
from services.simulator.orders.order import Order
from services.simulator.orders.records import Records
from services.simulator.orders.refused import INVALID_INPUT, NO_SUCH_ORDER, OrderRefused
from services.simulator.orders.views import book_row, history_row, trade_row


class ReadRoutes:
    """GET below ``/v2/order/``; they know the orders of today."""

    def __init__(self, records: Records, states: Mapping[str, InstrumentState], door: Door) -> None:
        self._records = records
        self._states = states
        self._door = door

    def routes(self) -> list[web.RouteDef]:
        """Every such call but that of GTT orders."""
        door = self._door
        return [
            web.get("/v2/order/retrieve-all", door(self.book)),
            web.get("/v2/order/history", door(self.history)),
            web.get("/v2/order/details", door(self.details)),
            web.get("/v2/order/trades", door(self.trades)),
            web.get("/v2/order/trades/get-trades-for-day", door(self.day_trades)),
        ]

    async def book(self, call: Call) -> web.Response:
        """Each order as it is now."""
        orders = self._records.day(call.user_id)
        return success([book_row(order, self._instrument(order)) for order in orders])

    async def history(self, call: Call) -> web.Response:
        """Every moment of one order, or of all orders with a tag; the id goes before the tag."""
        order_id, tag = call.query("order_id"), call.query("tag")
        if order_id is not None:
            self._find(call)
            moments = self._records.history(call.user_id, order_id)
            moments = [each for each in moments if tag in (None, each.request.tag)]
        elif tag is not None:
            moments = self._records.tagged(call.user_id, tag)
        else:
            raise OrderRefused(INVALID_INPUT, "Either order_id or tag is needed", path="order_id")
        return success([history_row(order, self._instrument(order)) for order in moments])

    async def details(self, call: Call) -> web.Response:
        """One order as it is now."""
        order = self._find(call)
        return success(book_row(order, self._instrument(order)))

    async def trades(self, call: Call) -> web.Response:
        """The trades of one order."""
        order = self._find(call)
        fills = self._records.day_fills(call.user_id)
        return success(
            [
                trade_row(fill, self._instrument(fill.order))
                for fill in fills
                if fill.order.order_id == order.order_id
            ]
        )

    async def day_trades(self, call: Call) -> web.Response:
        """All trades of today."""
        fills = self._records.day_fills(call.user_id)
        return success([trade_row(fill, self._instrument(fill.order)) for fill in fills])

    def _find(self, call: Call) -> Order:
        order_id = call.query("order_id")
        if order_id is None:
            raise OrderRefused(INVALID_INPUT, "The order_id is missing", path="order_id")
        order = self._records.find(call.user_id, order_id)
        if order is None:
            raise OrderRefused(NO_SUCH_ORDER, "Order not found", path="order_id", value=order_id)
        return order

    def _instrument(self, order: Order) -> ListedInstrument:
        return self._states[order.request.instrument_key].instrument
