"""The calls that place, change or end orders, in both versions."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from aiohttp import web

from services.simulator.envelope import success
from services.simulator.market.state import InstrumentState
from services.simulator.orders.batch import Outcome, place_all
from services.simulator.orders.bodies import (
    Body,
    is_sliced,
    modification,
    place_request,
    sliced,
    wrong,
)
from services.simulator.orders.door import Call, Door
from services.simulator.orders.exit import PositionExit
from services.simulator.orders.order import OrderRequest, Product
from services.simulator.orders.order_manager import OrderManager
from services.simulator.orders.refused import INVALID_INPUT, OrderRefused


class PlaceRoutes:
    """POST, PUT and DELETE below ``/order/``."""

    def __init__(
        self,
        order_manager: OrderManager,
        exits: PositionExit,
        states: Mapping[str, InstrumentState],
        door: Door,
    ) -> None:
        self._order_manager = order_manager
        self._exits = exits
        self._states = states
        self._door = door

    def routes(self) -> list[web.RouteDef]:
        """Every such call but those of GTT orders."""
        door = self._door
        return [
            web.post("/v2/order/place", door(self.place_v2)),
            web.put("/v2/order/modify", door(self.modify_v2)),
            web.delete("/v2/order/cancel", door(self.cancel_v2)),
            web.post("/v3/order/place", door(self.place_v3)),
            web.put("/v3/order/modify", door(self.modify_v3)),
            web.delete("/v3/order/cancel", door(self.cancel_v3)),
            web.post("/v2/order/multi/place", door(self.place_multi)),
            web.delete("/v2/order/multi/cancel", door(self.cancel_multi)),
            web.post("/v2/order/positions/exit", door(self.exit)),
        ]

    async def place_v2(self, call: Call) -> web.Response:
        """One order, one id."""
        request = place_request(await call.body_object())
        order = self._order_manager.place(call.user_id, request, call.at_ms)
        return success({"order_id": order.order_id})

    async def place_v3(self, call: Call) -> web.Response:
        """One order, or its slices."""
        order_ids = self._place(call, self._read(await call.body_object()))
        return success({"order_ids": order_ids}, metadata=call.metadata())

    async def modify_v2(self, call: Call) -> web.Response:
        """The order's id again."""
        return success(await self._modify(call))

    async def modify_v3(self, call: Call) -> web.Response:
        """The order's id again."""
        return success(await self._modify(call), metadata=call.metadata())

    async def cancel_v2(self, call: Call) -> web.Response:
        """The order's id again."""
        return success(self._cancel(call))

    async def cancel_v3(self, call: Call) -> web.Response:
        """The order's id again."""
        return success(self._cancel(call), metadata=call.metadata())

    async def place_multi(self, call: Call) -> web.Response:
        """200 if all went well, 207 if some, 400 if none."""
        bodies = await call.body()
        if not isinstance(bodies, list) or not all(isinstance(body, dict) for body in bodies):
            raise OrderRefused(INVALID_INPUT, "The body is not an array of orders")
        outcome = place_all(bodies, self._read, lambda requests: self._place(call, requests))
        summary = outcome.summary() | {"payload_error": outcome.payload_errors}
        summary["success"] = outcome.total - len(outcome.errors)
        return _answer(outcome, outcome.done, summary)

    async def cancel_multi(self, call: Call) -> web.Response:
        """End all waiting orders, or those of a tag or a segment."""
        tag, segment = call.query("tag"), call.query("segment")
        outcome = Outcome()
        for order in self._order_manager.waiting(call.user_id):
            state = self._states[order.request.instrument_key]
            if tag not in (None, order.request.tag):
                continue
            if segment not in (None, state.instrument.segment):
                continue
            outcome.total += 1
            try:
                self._order_manager.cancel(call.user_id, order.order_id, call.at_ms)
            except OrderRefused as refused:
                outcome.fail(refused, order_id=order.order_id)
            else:
                outcome.done.append({"order_id": order.order_id})
        return _answer_ids(outcome)

    async def exit(self, call: Call) -> web.Response:
        """Close all open positions, or those of a tag or a segment, at the market."""
        outcome = self._exits.exit(
            call.user_id, call.at_ms, tag=call.query("tag"), segment=call.query("segment")
        )
        return _answer_ids(outcome)

    def _read(self, body: Body) -> list[OrderRequest]:
        request = place_request(body)
        if request.product in (Product.CO, Product.OCO):
            raise wrong("product", request.product)  # these are v2's alone
        return self._slices(request) if is_sliced(body) else [request]

    def _place(self, call: Call, requests: list[OrderRequest]) -> list[str]:
        return [
            self._order_manager.place(call.user_id, each, call.at_ms).order_id for each in requests
        ]

    def _slices(self, request: OrderRequest) -> list[OrderRequest]:
        state = self._states.get(request.instrument_key)
        if state is None or request.quantity <= 0:
            return [request]  # refused when it is placed
        instrument = state.instrument
        return sliced(request, instrument.freeze_quantity, instrument.lot_size)

    async def _modify(self, call: Call) -> dict[str, str]:
        order_id, change = modification(await call.body_object())
        self._order_manager.modify(call.user_id, order_id, change, call.at_ms)
        return {"order_id": order_id}

    def _cancel(self, call: Call) -> dict[str, str]:
        order_id = call.query("order_id")
        if order_id is None:
            raise OrderRefused(INVALID_INPUT, "The order_id is missing", path="order_id")
        self._order_manager.cancel(call.user_id, order_id, call.at_ms)
        return {"order_id": order_id}


def _answer(outcome: Outcome, data: object, summary: Mapping[str, int]) -> web.Response:
    status = {
        "success": HTTPStatus.OK,
        "partial_success": HTTPStatus.MULTI_STATUS,
        "error": HTTPStatus.BAD_REQUEST,
    }[outcome.status]
    body: dict[str, Any] = {"status": outcome.status, "data": data}
    return web.json_response(
        body | {"errors": outcome.errors or None, "summary": summary}, status=status
    )


def _answer_ids(outcome: Outcome) -> web.Response:
    order_ids = [row["order_id"] for row in outcome.done]
    return _answer(outcome, {"order_ids": order_ids}, outcome.summary())
