"""The simulator's own calls that act on orders as the user does elsewhere, and as the market does."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from services.simulator.access.user_id import USER_ID
from services.simulator.api.admin.answers import json_answer
from services.simulator.errors import ApiError
from services.simulator.orders.bodies import place_request
from services.simulator.orders.order import Order
from services.simulator.orders.order_manager import OrderManager
from shared.errors import InvalidField, NotFound
from shared.web.problems import read_body

_PATH: Final = "/simulator/v1/orders"
_ORDER_PATH: Final = _PATH + "/{order_id:[0-9]{1,20}}"


class PlaceBody(BaseModel):
    """The user; the other fields are those of Upstox's place call."""

    model_config = ConfigDict(extra="allow")

    user_id: Annotated[str, Field(pattern=f"^{USER_ID.pattern}$")]


class FillBody(BaseModel):
    """The quantity to fill, and a price in rupees; None means the limit, or the last price."""

    model_config = ConfigDict(extra="forbid")

    quantity: Annotated[int, Field(gt=0, le=10**9)]
    price: Annotated[float, Field(gt=0, le=10**9)] | None = None


class ElsewhereRoutes:
    """Calls without a token and without rate limits; faults of requests never apply to them."""

    def __init__(self, order_manager: OrderManager, market_ms: Callable[[], int]) -> None:
        """`market_ms` returns the exchange time up to which the market has advanced."""
        self._order_manager = order_manager
        self._market_ms = market_ms

    def routes(self) -> list[web.RouteDef]:
        """All routes."""
        return [
            web.post(_PATH, self.place),
            web.delete(_ORDER_PATH, self.cancel),
            web.post(_ORDER_PATH + "/fills", self.fill),
        ]

    async def place(self, request: web.Request) -> web.Response:
        """Place an order as the user's other programs do. Raises InvalidField, ApiError."""
        body = await read_body(request, PlaceBody)
        order = self._order_manager.place(
            body.user_id, place_request(body.model_extra or {}), self._market_ms()
        )
        return json_answer({"order_id": order.order_id}, status=HTTPStatus.CREATED)

    async def cancel(self, request: web.Request) -> web.Response:
        """Cancel any order. Raises NotFound, ApiError."""
        order = self._find(request)
        self._order_manager.cancel(order.user_id, order.order_id, self._market_ms())
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def fill(self, request: web.Request) -> web.Response:
        """Fill a resting order, whatever the market trades. Raises NotFound, InvalidField."""
        body, order = await read_body(request, FillBody), self._find(request)
        price_paise = None if body.price is None else round(body.price * 100)
        try:
            self._order_manager.fill(order, body.quantity, price_paise, self._market_ms())
        except ApiError as error:
            raise InvalidField(error.message, field="quantity") from error
        return web.Response(status=HTTPStatus.NO_CONTENT)

    def _find(self, request: web.Request) -> Order:
        order_id = request.match_info["order_id"]
        order = self._order_manager.order_store.find_of_any_user(order_id)
        if order is None:
            raise NotFound("there is no order with this id")
        return order
