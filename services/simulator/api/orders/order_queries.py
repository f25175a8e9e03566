"""Calls that read orders and trades of the day."""

from collections.abc import Mapping

from aiohttp import web

from services.simulator.api.envelope import success
from services.simulator.api.orders.order_parameters import optional_order_id, required_order_id
from services.simulator.api.request_context import HandlerAdapter, RequestContext
from services.simulator.errors import ApiError, ErrorCode
from services.simulator.market.instruments import ListedInstrument
from services.simulator.market.state import SimulatedState
from services.simulator.orders.order import Fill, Order
from services.simulator.orders.order_store import OrderStore
from services.simulator.orders.views import history_row, order_row, trade_row
from services.simulator.orders.visibility import Visibility


class OrderQueryRoutes:
    """GET calls below ``/v2/order/``, without GTT orders."""

    def __init__(
        self,
        order_store: OrderStore,
        visibility: Visibility,
        states: Mapping[str, SimulatedState],
        adapt: HandlerAdapter,
    ) -> None:
        self._order_store = order_store
        self._visibility = visibility
        self._states = states
        self._adapt = adapt

    def routes(self) -> list[web.RouteDef]:
        """All routes."""
        adapt = self._adapt
        return [
            web.get("/v2/order/retrieve-all", adapt(self.order_book)),
            web.get("/v2/order/history", adapt(self.history)),
            web.get("/v2/order/details", adapt(self.details)),
            web.get("/v2/order/trades", adapt(self.order_trades)),
            web.get("/v2/order/trades/get-trades-for-day", adapt(self.day_trades)),
        ]

    async def order_book(self, context: RequestContext) -> web.Response:
        """The latest version of each order."""
        orders = self._visible(self._order_store.day(context.user_id), context)
        return success([order_row(order, self._instrument(order)) for order in orders])

    async def history(self, context: RequestContext) -> web.Response:
        """All versions of one order, or of all orders with a tag. Raises ApiError.

        With both parameters, the versions of the order that have the tag.
        """
        order_id, tag = optional_order_id(context), context.query("tag")
        if order_id is not None:
            self._find(context)
            versions = self._order_store.history(context.user_id, order_id)
            versions = [each for each in versions if tag in (None, each.request.tag)]
        elif tag is not None:
            versions = self._order_store.history_by_tag(context.user_id, tag)
        else:
            raise ApiError(
                ErrorCode.MISSING_ORDER_ID_AND_TAG,
                "At least one of 'order_id' or 'tag' is required",
                path="order_id",
            )
        visible = self._visible(versions, context)
        return success([history_row(order, self._instrument(order)) for order in visible])

    async def details(self, context: RequestContext) -> web.Response:
        """The latest version of one order. Raises ApiError."""
        order = self._find(context)
        return success(order_row(order, self._instrument(order)))

    async def order_trades(self, context: RequestContext) -> web.Response:
        """The trades of one order. Raises ApiError."""
        order = self._find(context)
        fills = self._visible_fills(context)
        return success(
            [
                trade_row(fill, self._instrument(fill.order))
                for fill in fills
                if fill.order.order_id == order.order_id
            ]
        )

    async def day_trades(self, context: RequestContext) -> web.Response:
        """All trades of the day."""
        fills = self._visible_fills(context)
        return success([trade_row(fill, self._instrument(fill.order)) for fill in fills])

    def _find(self, context: RequestContext) -> Order:
        order_id = required_order_id(context)
        order = self._order_store.find(context.user_id, order_id)
        if order is None or not self._visible([order], context):
            raise ApiError(
                ErrorCode.ORDER_NOT_FOUND, "Order not found", path="order_id", value=order_id
            )
        return order

    def _visible(self, orders: list[Order], context: RequestContext) -> list[Order]:
        return [order for order in orders if self._visibility.shows(order, context.at_ms)]

    def _visible_fills(self, context: RequestContext) -> list[Fill]:
        fills = self._order_store.day_fills(context.user_id)
        return [fill for fill in fills if self._visibility.shows_trade(fill, context.at_ms)]

    def _instrument(self, order: Order) -> ListedInstrument:
        return self._states[order.request.instrument_key].instrument
