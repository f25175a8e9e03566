"""The ledger of truth for tests: every accepted order, every fill."""

from collections.abc import Mapping

import msgspec
from aiohttp import web

from services.simulator.market.state import InstrumentState
from services.simulator.orders.records import Records
from services.simulator.orders.views import book_row


class OrderLedger:
    """GET below ``/simulator/v1/``; of all users, with exact times."""

    def __init__(self, records: Records, states: Mapping[str, InstrumentState]) -> None:
        self._records = records
        self._states = states

    def routes(self) -> list[web.RouteDef]:
        """Both calls."""
        return [
            web.get("/simulator/v1/orders", self.orders),
            web.get("/simulator/v1/fills", self.fills),
        ]

    async def orders(self, _: web.Request) -> web.Response:
        """Each order as it last was, oldest first."""
        rows = [
            {
                **book_row(order, self._states[order.request.instrument_key].instrument),
                "user_id": order.user_id,
                "placed_ms": order.placed_ms,
                "updated_ms": order.updated_ms,
            }
            for order in self._records.orders()
        ]
        return _json(rows)

    async def fills(self, _: web.Request) -> web.Response:
        """Each fill, oldest first; price in rupees."""
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
            for fill in self._records.fills
        ]
        return _json(rows)


def _json(value: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")
