"""Calls about funds, positions, holdings, and the cost of an order."""

from collections.abc import Mapping
from typing import Final

from aiohttp import web

from services.simulator.account.account import TradingAccounts
from services.simulator.account.charges import order_charges
from services.simulator.account.margin import Margin, required_margin
from services.simulator.account.positions import Position
from services.simulator.account.views import (
    charges_view,
    funds_v2,
    funds_v3,
    holding_row,
    margin_view,
    position_row,
)
from services.simulator.api.account.field_codes import (
    BROKERAGE_CODES,
    MARGIN_CODES,
    documented,
)
from services.simulator.api.envelope import success
from services.simulator.api.request_context import HandlerAdapter, RequestContext
from services.simulator.errors import ApiError, ErrorCode
from services.simulator.market.instruments import ListedInstrument
from services.simulator.market.simulated_calendar import SimulatedCalendar
from services.simulator.market.state import SimulatedState
from services.simulator.orders.bodies import (
    Body,
    choice,
    integer,
    invalid_field,
    paise,
    text,
)
from services.simulator.orders.order import Product, Side
from services.simulator.orders.order_manager import OrderManager

_MAX_MARGIN_INSTRUMENTS: Final = 20


class PortfolioRoutes:
    """Read calls, and the conversion of positions."""

    def __init__(
        self,
        accounts: TradingAccounts,
        order_manager: OrderManager,
        states: Mapping[str, SimulatedState],
        calendar: SimulatedCalendar,
        adapt: HandlerAdapter,
    ) -> None:
        self._accounts = accounts
        self._order_manager = order_manager
        self._states = states
        self._calendar = calendar
        self._adapt = adapt

    def routes(self) -> list[web.RouteDef]:
        """All routes."""
        adapt = self._adapt
        return [
            web.get("/v2/user/get-funds-and-margin", adapt(self.funds_v2)),
            web.get("/v3/user/get-funds-and-margin", adapt(self.funds_v3)),
            web.get("/v2/portfolio/short-term-positions", adapt(self.positions)),
            web.get("/v3/portfolio/mtf-positions", adapt(self.mtf_positions)),
            web.get("/v2/portfolio/long-term-holdings", adapt(self.holdings)),
            web.put("/v2/portfolio/convert-position", adapt(self.convert_position)),
            web.get("/v2/charges/brokerage", adapt(self.brokerage)),
            web.post("/v2/charges/margin", adapt(self.margin)),
        ]

    async def funds_v2(self, context: RequestContext) -> web.Response:
        """The funds of one segment (`SEC` or `COM`), or of both. Raises ApiError."""
        self._check_service_hours(context)
        account = self._accounts.of(context.user_id)
        data = funds_v2(account.funds(self._order_manager.pending_orders(context.user_id)))
        only = {"SEC": "equity", "COM": "commodity"}.get(context.query("segment") or "")
        return success({only: data[only]} if only is not None else data)

    async def funds_v3(self, context: RequestContext) -> web.Response:
        """The funds by their parts. Raises ApiError."""
        self._check_service_hours(context)
        account = self._accounts.of(context.user_id)
        return success(funds_v3(account.funds(self._order_manager.pending_orders(context.user_id))))

    async def positions(self, context: RequestContext) -> web.Response:
        """The positions of the day, closed ones included, without those of product MTF."""
        positions = self._accounts.of(context.user_id).positions.by_key.values()
        return success([self._row(each) for each in positions if each.product is not Product.MTF])

    async def mtf_positions(self, context: RequestContext) -> web.Response:
        """The positions of the day of product MTF."""
        positions = self._accounts.of(context.user_id).positions.by_key.values()
        return success([self._row(each) for each in positions if each.product is Product.MTF])

    async def holdings(self, context: RequestContext) -> web.Response:
        """The holdings."""
        holdings = self._accounts.of(context.user_id).holdings.values()
        return success([holding_row(each, self._states[each.instrument_key]) for each in holdings])

    async def convert_position(self, context: RequestContext) -> web.Response:
        """Move part of an open position to another product. Raises ApiError."""
        body = await context.body_object()
        instrument = self._instrument(text(body, "instrument_token"))
        old, new = choice(body, "old_product", Product), choice(body, "new_product", Product)
        side, quantity = choice(body, "transaction_type", Side), integer(body, "quantity")
        if old is new:
            raise invalid_field("new_product", new)
        account = self._accounts.of(context.user_id)
        position = account.positions.by_key.get((instrument.key, old))
        if position is None or not 0 < quantity <= side.sign * position.quantity:
            raise invalid_field("quantity", quantity)
        funds = account.funds(self._order_manager.pending_orders(context.user_id))
        if not account.convert(position, new, side, quantity, funds.available):
            raise ApiError(
                ErrorCode.INVALID_INPUT, "Insufficient funds", path="quantity", value=quantity
            )
        return success({"status": "complete"})

    async def brokerage(self, context: RequestContext) -> web.Response:
        """The charges of an order. Raises ApiError."""
        query: Body = context.request.query
        with documented(BROKERAGE_CODES):
            price_paise = paise(query, "price")
            if not price_paise:
                raise invalid_field("price", query["price"])
            charges = order_charges(
                self._instrument(text(query, "instrument_token")),
                choice(query, "product", Product),
                choice(query, "transaction_type", Side),
                _positive_quantity(query),
                price_paise,
            )
        return success(charges_view(charges))

    async def margin(self, context: RequestContext) -> web.Response:
        """The margin of up to 20 orders. Raises ApiError."""
        orders = (await context.body_object()).get("instruments")
        if not isinstance(orders, list) or not orders:
            raise invalid_field("instruments", None)
        if len(orders) > _MAX_MARGIN_INSTRUMENTS:
            raise ApiError(
                ErrorCode.TOO_MANY_MARGIN_ORDERS,
                "The instrument limit has been exceeded",
                path="instruments",
            )
        with documented(MARGIN_CODES):
            margins = [self._order_margin(order) for order in orders]
        return success(margin_view(margins))

    def _order_margin(self, order: object) -> Margin:
        if not isinstance(order, dict):
            raise invalid_field("instruments", order)
        key = text(order, "instrument_key")
        instrument = self._instrument(key, path="instrument_key")
        quantity = _positive_quantity(order)
        if quantity % instrument.lot_size:
            raise ApiError(
                ErrorCode.MARGIN_QUANTITY_NOT_IN_LOTS,
                "Quantity should be multiple of lot size",
                path="instruments",
                value=quantity,
            )
        price_paise = paise(order, "price") if order.get("price") else 0
        return required_margin(
            instrument,
            choice(order, "product", Product),
            choice(order, "transaction_type", Side),
            quantity,
            price_paise or self._states[key].ltp_paise,
        )

    def _row(self, position: Position) -> dict[str, object]:
        return position_row(position, self._states[position.instrument_key])

    def _instrument(self, key: str, path: str = "instrument_token") -> ListedInstrument:
        state = self._states.get(key)
        if state is None or state.instrument.is_index:
            raise ApiError(
                ErrorCode.UNKNOWN_INSTRUMENT_KEY, "Invalid Instrument key", path=path, value=key
            )
        return state.instrument

    def _check_service_hours(self, context: RequestContext) -> None:
        if not self._calendar.service_hours_open(context.at_ms):
            raise ApiError(
                ErrorCode.FUNDS_SERVICE_CLOSED,
                "The funds service is open from 5:30 AM to 12:00 AM IST",
            )


def _positive_quantity(body: Body) -> int:
    quantity = integer(body, "quantity")
    if quantity <= 0:
        raise invalid_field("quantity", quantity)
    return quantity
