"""The calls about GTT orders."""

from collections.abc import Mapping

from aiohttp import web

from services.simulator.envelope import success
from services.simulator.market.state import InstrumentState
from services.simulator.orders.bodies import Body, choice, paise, protection, text, whole, wrong
from services.simulator.orders.door import Call, Door
from services.simulator.orders.gtt import Gtt, GttType, Rule, Strategy, TriggerType
from services.simulator.orders.gtt_book import GttBook
from services.simulator.orders.gtt_view import gtt_row
from services.simulator.orders.order import Product, Side


class GttRoutes:
    """Everything below ``/v3/order/gtt``."""

    def __init__(self, book: GttBook, states: Mapping[str, InstrumentState], door: Door) -> None:
        self._book = book
        self._states = states
        self._door = door

    def routes(self) -> list[web.RouteDef]:
        """Every such call."""
        door = self._door
        return [
            web.post("/v3/order/gtt/place", door(self.place)),
            web.put("/v3/order/gtt/modify", door(self.modify)),
            web.delete("/v3/order/gtt/cancel", door(self.cancel)),
            web.get("/v3/order/gtt", door(self.details)),
        ]

    async def place(self, call: Call) -> web.Response:
        """Its id."""
        body = await call.body_object()
        gtt = self._book.place(
            call.user_id,
            choice(body, "type", GttType),
            text(body, "instrument_token"),
            choice(body, "transaction_type", Side),
            choice(body, "product", Product),
            whole(body, "quantity"),
            _rules(body),
            call.at_ms,
        )
        return _ids(call, gtt)

    async def modify(self, call: Call) -> web.Response:
        """Its id again."""
        body = await call.body_object()
        gtt = self._book.modify(
            call.user_id,
            text(body, "gtt_order_id"),
            choice(body, "type", GttType),
            whole(body, "quantity"),
            _rules(body),
            call.at_ms,
        )
        return _ids(call, gtt)

    async def cancel(self, call: Call) -> web.Response:
        """Its id again."""
        gtt_id = text(await call.body_object(), "gtt_order_id")
        return _ids(call, self._book.cancel(call.user_id, gtt_id))

    async def details(self, call: Call) -> web.Response:
        """One, or all of the user."""
        gtts = self._book.of_user(call.user_id, call.query("gtt_order_id"))
        rows = [gtt_row(gtt, self._states[gtt.instrument_key]) for gtt in gtts]
        return success(rows, metadata=call.metadata())


def _ids(call: Call, gtt: Gtt) -> web.Response:
    return success({"gtt_order_ids": [gtt.gtt_id]}, metadata=call.metadata())


def _rules(body: Body) -> list[Rule]:
    rules = body.get("rules")
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        raise wrong("rules", None)
    return [_rule(rule) for rule in rules]


def _rule(body: Body) -> Rule:
    return Rule(
        choice(body, "strategy", Strategy),
        choice(body, "trigger_type", TriggerType),
        paise(body, "trigger_price"),
        paise(body, "trailing_gap") if body.get("trailing_gap") is not None else 0,
        protection(body, -1.0),
    )
