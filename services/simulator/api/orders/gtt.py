"""Calls about GTT orders."""

from collections.abc import Mapping

from aiohttp import web

from services.simulator.api.envelope import success
from services.simulator.api.request_context import HandlerAdapter, RequestContext
from services.simulator.market.state import SimulatedState
from services.simulator.orders.bodies import (
    Body,
    choice,
    integer,
    invalid_field,
    paise,
    protection_percent,
    text,
)
from services.simulator.orders.gtt import Gtt, GttType, Rule, Strategy, TriggerType
from services.simulator.orders.gtt_book import GttBook
from services.simulator.orders.order import Product, Side
from services.simulator.orders.views import gtt_row


class GttRoutes:
    """The calls below ``/v3/order/gtt``; all raise ApiError."""

    def __init__(
        self, book: GttBook, states: Mapping[str, SimulatedState], adapt: HandlerAdapter
    ) -> None:
        self._book = book
        self._states = states
        self._adapt = adapt

    def routes(self) -> list[web.RouteDef]:
        """All routes."""
        adapt = self._adapt
        return [
            web.post("/v3/order/gtt/place", adapt(self.place)),
            web.put("/v3/order/gtt/modify", adapt(self.modify)),
            web.delete("/v3/order/gtt/cancel", adapt(self.cancel)),
            web.get("/v3/order/gtt", adapt(self.details)),
        ]

    async def place(self, context: RequestContext) -> web.Response:
        """Place a GTT order; returns its id."""
        body = await context.body_object()
        gtt = self._book.place(
            context.user_id,
            choice(body, "type", GttType),
            text(body, "instrument_token"),
            choice(body, "transaction_type", Side),
            choice(body, "product", Product),
            integer(body, "quantity"),
            _rules(body),
            context.at_ms,
        )
        return _id_answer(context, gtt)

    async def modify(self, context: RequestContext) -> web.Response:
        """Modify a GTT order; returns its id."""
        body = await context.body_object()
        gtt = self._book.modify(
            context.user_id,
            text(body, "gtt_order_id"),
            choice(body, "type", GttType),
            integer(body, "quantity"),
            _rules(body),
            context.at_ms,
        )
        return _id_answer(context, gtt)

    async def cancel(self, context: RequestContext) -> web.Response:
        """Cancel a GTT order; returns its id."""
        gtt_id = text(await context.body_object(), "gtt_order_id")
        return _id_answer(context, self._book.cancel(context.user_id, gtt_id))

    async def details(self, context: RequestContext) -> web.Response:
        """One GTT order, or all of the user."""
        gtts = self._book.of_user(context.user_id, context.query("gtt_order_id"))
        rows = [gtt_row(gtt, self._states[gtt.instrument_key]) for gtt in gtts]
        return success(rows, metadata=context.metadata())


def _id_answer(context: RequestContext, gtt: Gtt) -> web.Response:
    return success({"gtt_order_ids": [gtt.gtt_id]}, metadata=context.metadata())


def _rules(body: Body) -> list[Rule]:
    rules = body.get("rules")
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        raise invalid_field("rules", None)
    return [_rule(rule) for rule in rules]


def _rule(body: Body) -> Rule:
    return Rule(
        choice(body, "strategy", Strategy),
        choice(body, "trigger_type", TriggerType),
        paise(body, "trigger_price"),
        paise(body, "trailing_gap") if body.get("trailing_gap") is not None else 0,
        protection_percent(body, -1.0),
    )
