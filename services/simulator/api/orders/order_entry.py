"""Calls that place, modify and cancel orders, in versions 2 and 3."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from aiohttp import web

from services.simulator.account.position_exit import PositionExit
from services.simulator.api.envelope import success
from services.simulator.api.orders.order_parameters import optional_segment, required_order_id
from services.simulator.api.request_context import HandlerAdapter, RequestContext
from services.simulator.errors import ApiError, ErrorCode
from services.simulator.market.state import SimulatedState
from services.simulator.orders.batch import BatchResult, place_batch
from services.simulator.orders.bodies import (
    Body,
    invalid_field,
    is_sliced,
    modification,
    place_request,
    slices,
)
from services.simulator.orders.order import OrderRequest, Product
from services.simulator.orders.order_manager import OrderManager


class OrderEntryRoutes:
    """POST, PUT and DELETE calls below ``/order/``, without GTT orders."""

    def __init__(
        self,
        order_manager: OrderManager,
        position_exit: PositionExit,
        states: Mapping[str, SimulatedState],
        adapt: HandlerAdapter,
    ) -> None:
        self._order_manager = order_manager
        self._position_exit = position_exit
        self._states = states
        self._adapt = adapt

    def routes(self) -> list[web.RouteDef]:
        """All routes."""
        adapt = self._adapt
        return [
            web.post("/v2/order/place", adapt(self.place_v2)),
            web.put("/v2/order/modify", adapt(self.modify_v2)),
            web.delete("/v2/order/cancel", adapt(self.cancel_v2)),
            web.post("/v3/order/place", adapt(self.place_v3)),
            web.put("/v3/order/modify", adapt(self.modify_v3)),
            web.delete("/v3/order/cancel", adapt(self.cancel_v3)),
            web.post("/v2/order/multi/place", adapt(self.place_multi)),
            web.delete("/v2/order/multi/cancel", adapt(self.cancel_multi)),
            web.post("/v2/order/positions/exit", adapt(self.exit)),
        ]

    async def place_v2(self, context: RequestContext) -> web.Response:
        """Place one order; returns its id. Raises ApiError, as all these calls do."""
        request = place_request(await context.body_object())
        order = self._order_manager.place(context.user_id, request, context.at_ms)
        return success({"order_id": order.order_id})

    async def place_v3(self, context: RequestContext) -> web.Response:
        """Place one order or its slices; returns the ids."""
        order_ids = self._place(context, self._parse(await context.body_object()))
        return success({"order_ids": order_ids}, metadata=context.metadata())

    async def modify_v2(self, context: RequestContext) -> web.Response:
        """Modify an order; returns its id."""
        return success(await self._modify(context))

    async def modify_v3(self, context: RequestContext) -> web.Response:
        """Modify an order; returns its id."""
        return success(await self._modify(context), metadata=context.metadata())

    async def cancel_v2(self, context: RequestContext) -> web.Response:
        """Cancel an order; returns its id."""
        return success(self._cancel(context))

    async def cancel_v3(self, context: RequestContext) -> web.Response:
        """Cancel an order; returns its id."""
        return success(self._cancel(context), metadata=context.metadata())

    async def place_multi(self, context: RequestContext) -> web.Response:
        """Place a batch; the status is 200 if all orders succeed, 207 if some, 400 if none."""
        bodies = await context.body()
        if not isinstance(bodies, list) or not all(isinstance(body, dict) for body in bodies):
            raise ApiError(ErrorCode.INVALID_INPUT, "The body is not an array of orders")
        result = place_batch(bodies, self._parse, lambda requests: self._place(context, requests))
        summary = result.summary() | {"payload_error": result.payload_errors}
        summary["success"] = result.total - len(result.errors)
        return _batch_answer(result, result.rows, summary)

    async def cancel_multi(self, context: RequestContext) -> web.Response:
        """Cancel the pending orders: all, or those with a tag or in a segment."""
        tag, segment = context.query("tag"), optional_segment(context)
        result = BatchResult()
        for order in self._order_manager.pending_orders(context.user_id):
            state = self._states[order.request.instrument_key]
            if tag not in (None, order.request.tag):
                continue
            if segment not in (None, state.instrument.segment):
                continue
            result.total += 1
            try:
                self._order_manager.cancel(context.user_id, order.order_id, context.at_ms)
            except ApiError as error:
                result.fail(error, order_id=order.order_id)
            else:
                result.rows.append({"order_id": order.order_id})
        if not result.total:
            raise ApiError(ErrorCode.NO_OPEN_ORDER, "No open or pending order available")
        return _order_ids_answer(result)

    async def exit(self, context: RequestContext) -> web.Response:
        """Close the open positions with market orders: all, or those of a tag or a segment."""
        result = self._position_exit.exit(
            context.user_id,
            context.at_ms,
            tag=context.query("tag"),
            segment=optional_segment(context),
        )
        return _order_ids_answer(result)

    def _parse(self, body: Body) -> list[OrderRequest]:
        """The order of a v3 body, or its slices."""
        request = place_request(body)
        if request.product in (Product.CO, Product.OCO):
            raise invalid_field("product", request.product)  # only v2 has these products
        return self._slices(request) if is_sliced(body) else [request]

    def _place(self, context: RequestContext, requests: list[OrderRequest]) -> list[str]:
        return [
            self._order_manager.place(context.user_id, request, context.at_ms).order_id
            for request in requests
        ]

    def _slices(self, request: OrderRequest) -> list[OrderRequest]:
        state = self._states.get(request.instrument_key)
        if state is None or request.quantity <= 0:
            return [request]  # the order manager refuses it
        instrument = state.instrument
        return slices(request, instrument.freeze_quantity, instrument.lot_size)

    async def _modify(self, context: RequestContext) -> dict[str, str]:
        order_id, modify = modification(await context.body_object())
        self._order_manager.modify(context.user_id, order_id, modify, context.at_ms)
        return {"order_id": order_id}

    def _cancel(self, context: RequestContext) -> dict[str, str]:
        order_id = required_order_id(context)
        self._order_manager.cancel(context.user_id, order_id, context.at_ms)
        return {"order_id": order_id}


def _batch_answer(result: BatchResult, data: object, summary: Mapping[str, int]) -> web.Response:
    status = {
        "success": HTTPStatus.OK,
        "partial_success": HTTPStatus.MULTI_STATUS,
        "error": HTTPStatus.BAD_REQUEST,
    }[result.status]
    body: dict[str, Any] = {"status": result.status, "data": data}
    return web.json_response(
        body | {"errors": result.errors or None, "summary": summary}, status=status
    )


def _order_ids_answer(result: BatchResult) -> web.Response:
    order_ids = [row["order_id"] for row in result.rows]
    return _batch_answer(result, {"order_ids": order_ids}, result.summary())
