"""The calls about funds, positions, holdings, what a trade would cost."""

from collections.abc import Callable, Mapping
from typing import Final

from aiohttp import web

from services.simulator.account.account import Accounts
from services.simulator.account.charges import charges
from services.simulator.account.margin import margin
from services.simulator.account.views import (
    charges_view,
    funds_v2,
    funds_v3,
    holding_row,
    margin_view,
    position_row,
)
from services.simulator.envelope import success
from services.simulator.market.instruments import ListedInstrument
from services.simulator.market.simulated_calendar import SimulatedCalendar
from services.simulator.market.state import InstrumentState
from services.simulator.orders.bodies import Body, choice, paise, text, whole, wrong
from services.simulator.orders.door import Call, Door
from services.simulator.orders.order import Product, Side
from services.simulator.orders.order_manager import OrderManager
from services.simulator.orders.refused import (
    INVALID_INPUT,
    SERVICE_HOURS_FUNDS,
    UNKNOWN_KEY,
    OrderRefused,
)

_MOST_OF_A_MARGIN_CALL: Final = 20


class AccountRoutes:
    """Reads the account that fills have made; converting a position is its only change."""

    def __init__(
        self,
        accounts: Accounts,
        order_manager: OrderManager,
        states: Mapping[str, InstrumentState],
        calendar: SimulatedCalendar,
        door: Door,
    ) -> None:
        self._accounts = accounts
        self._order_manager = order_manager
        self._states = states
        self._calendar = calendar
        self._door = door

    def routes(self) -> list[web.RouteDef]:
        """Every such call."""
        door = self._door
        return [
            web.get("/v2/user/get-funds-and-margin", door(self.funds_v2)),
            web.get("/v3/user/get-funds-and-margin", door(self.funds_v3)),
            web.get("/v2/portfolio/short-term-positions", door(self.positions)),
            web.get("/v3/portfolio/mtf-positions", door(self.mtf_positions)),
            web.get("/v2/portfolio/long-term-holdings", door(self.holdings)),
            web.put("/v2/portfolio/convert-position", door(self.convert)),
            web.get("/v2/charges/brokerage", door(self.brokerage)),
            web.post("/v2/charges/margin", door(self.margin)),
        ]

    async def funds_v2(self, call: Call) -> web.Response:
        """Of one segment (`SEC` or `COM`), or of both."""
        self._check_hours(call)
        data = funds_v2(
            self._accounts.of(call.user_id).funds(self._order_manager.waiting(call.user_id))
        )
        only = {"SEC": "equity", "COM": "commodity"}.get(call.query("segment") or "")
        return success({only: data[only]} if only is not None else data)

    async def funds_v3(self, call: Call) -> web.Response:
        """By its parts."""
        self._check_hours(call)
        account = self._accounts.of(call.user_id)
        return success(funds_v3(account.funds(self._order_manager.waiting(call.user_id))))

    async def positions(self, call: Call) -> web.Response:
        """What was traded today or carried into it; closed ones as well."""
        return success(self._positions(call, lambda product: product is not Product.MTF))

    async def mtf_positions(self, call: Call) -> web.Response:
        """Those on margin."""
        return success(self._positions(call, lambda product: product is Product.MTF))

    async def holdings(self, call: Call) -> web.Response:
        """Shares of earlier days."""
        holdings = self._accounts.of(call.user_id).holdings.values()
        return success([holding_row(each, self._states[each.instrument_key]) for each in holdings])

    async def convert(self, call: Call) -> web.Response:
        """Move a part of an open position to another product."""
        body = await call.body_object()
        instrument = self._instrument(text(body, "instrument_token"))
        old, new = choice(body, "old_product", Product), choice(body, "new_product", Product)
        side, quantity = choice(body, "transaction_type", Side), whole(body, "quantity")
        if old is new:
            raise wrong("new_product", new)
        account = self._accounts.of(call.user_id)
        position = account.positions.by_key.get((instrument.key, old))
        if position is None or not 0 < quantity <= side.sign * position.quantity:
            raise wrong("quantity", quantity)
        available = account.funds(self._order_manager.waiting(call.user_id)).available
        if not account.convert(position, new, side, quantity, available):
            raise OrderRefused(INVALID_INPUT, "Insufficient funds", path="quantity", value=quantity)
        return success({"status": "complete"})

    async def brokerage(self, call: Call) -> web.Response:
        """What an order would cost."""
        query: Body = {
            **call.request.query,
            "quantity": _number(call, "quantity"),
            "price": _number(call, "price"),
        }
        cost = charges(
            self._instrument(text(query, "instrument_token")),
            choice(query, "product", Product),
            choice(query, "transaction_type", Side),
            _positive(query),
            paise(query, "price"),
        )
        return success(charges_view(cost))

    async def margin(self, call: Call) -> web.Response:
        """What orders would block."""
        legs = (await call.body_object()).get("instruments")
        if not isinstance(legs, list) or not 0 < len(legs) <= _MOST_OF_A_MARGIN_CALL:
            raise wrong("instruments", None)
        margins = []
        for leg in legs:
            if not isinstance(leg, dict):
                raise wrong("instruments", leg)
            key = text(leg, "instrument_key")
            instrument = self._instrument(key, path="instrument_key")
            price_paise = paise(leg, "price") if leg.get("price") else 0
            margins.append(
                margin(
                    instrument,
                    choice(leg, "product", Product),
                    choice(leg, "transaction_type", Side),
                    _positive(leg),
                    price_paise or self._states[key].ltp_paise,
                )
            )
        return success(margin_view(margins))

    def _positions(self, call: Call, wanted: Callable[[Product], bool]) -> list[dict[str, object]]:
        positions = self._accounts.of(call.user_id).positions.by_key.values()
        return [
            position_row(position, self._states[position.instrument_key])
            for position in positions
            if wanted(position.product)
        ]

    def _instrument(self, key: str, path: str = "instrument_token") -> ListedInstrument:
        state = self._states.get(key)
        if state is None or state.instrument.is_index:
            raise OrderRefused(UNKNOWN_KEY, "Invalid Instrument key", path=path, value=key)
        return state.instrument

    def _check_hours(self, call: Call) -> None:
        if not self._calendar.service_hours_open(call.at_ms):
            raise OrderRefused(
                SERVICE_HOURS_FUNDS, "The funds service is open from 5:30 AM to 12:00 AM IST"
            )


def _positive(body: Body) -> int:
    quantity = whole(body, "quantity")
    if quantity <= 0:
        raise wrong("quantity", quantity)
    return quantity


def _number(call: Call, field: str) -> float:
    value = call.query(field)
    try:
        return float(value or "")
    except ValueError:
        raise OrderRefused(
            INVALID_INPUT, f"The {field} is invalid", path=field, value=value
        ) from None
