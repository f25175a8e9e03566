"""Requests to the REST interface for orders and accounts, one of each operation."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import msgspec

from shared.contracts import trading as contract
from shared.contracts.order_terms import Account, OrderType, Product, Side, Validity
from shared.contracts.trading import Operation
from tests.support.builders import KEY
from tests.support.gateway.fake_trading import FakeTrading, answering_trading
from tests.support.gateway.in_process import InProcessGateway, running_gateway
from tests.support.gateway.rest import send
from tests.support.http import Reply
from tests.support.servers import NatsServer

PLACED = {
    "account": "paper", "key": KEY, "side": "BUY", "product": "I", "quantity": 10,
    "order_type": "LIMIT", "price": "100.05",
}  # fmt: skip
ENCODED_KEY = "NSE_EQ%7CINE002A01018"
QUOTED_INDEX = "NSE_INDEX%7CNifty%2050"
COMMAND = {"Idempotency-Key": "c-1"}
USER = "user-1"


@dataclass(frozen=True)
class TradingRest:
    """A gateway with a trading service behind it."""

    gateway: InProcessGateway
    trading: FakeTrading

    async def send(
        self, method: str, path: str, body: Any = None, *, key: str | None = "c-1", **query: Any
    ) -> Reply:
        """Send a request with an Idempotency-Key; a `body` that is not bytes is encoded."""
        raw = body if isinstance(body, bytes | None) else json.dumps(body)
        headers = {} if key is None else {"Idempotency-Key": key}
        return await send(self.gateway, method, path, headers=headers, body=raw, **query)


OPERATIONS: list[tuple[str, str, dict[str, Any], Any, Operation, msgspec.Struct]] = [
    ("POST", "/v1/orders", {}, PLACED, Operation.PLACE, contract.OrderRequest(
        user_id=USER, command_key="c-1", account=Account.PAPER, key=KEY, side=Side.BUY,
        product=Product.INTRADAY, quantity=10, order_type=OrderType.LIMIT, price=Decimal("100.05"),
    )),
    ("POST", "/v1/orders/preview", {}, PLACED, Operation.PREVIEW, contract.OrderRequest(
        user_id=USER, account=Account.PAPER, key=KEY, side=Side.BUY,
        product=Product.INTRADAY, quantity=10, order_type=OrderType.LIMIT, price=Decimal("100.05"),
    )),
    ("GET", "/v1/orders", {"account": "paper", "open_only": "true", "limit": 5}, None,
     Operation.ORDERS,
     contract.OrdersQuery(user_id=USER, account=Account.PAPER, open_only=True, limit=5)),
    ("DELETE", "/v1/orders", {"account": "upstox"}, None, Operation.CANCEL_ALL,
     contract.AccountCommand(user_id=USER, command_key="c-1", account=Account.UPSTOX)),
    ("GET", "/v1/orders/events", {"after": 6, "limit": 2}, None, Operation.EVENTS,
     contract.EventsQuery(user_id=USER, after=6, limit=2)),
    ("GET", "/v1/orders/o-1", {}, None, Operation.ORDER,
     contract.OrderQuery(user_id=USER, order_id="o-1")),
    ("POST", "/v1/orders/o-1/preview", {}, {"quantity": 20}, Operation.PREVIEW_CHANGES,
     contract.PreviewChangesRequest(user_id=USER, order_id="o-1", quantity=20)),
    ("PATCH", "/v1/orders/o-1", {}, {"price": 100.1, "validity": "IOC"}, Operation.MODIFY,
     contract.ModifyRequest(
         user_id=USER, command_key="c-1", order_id="o-1", price=Decimal("100.1"),
         validity=Validity.IOC,
     )),
    ("DELETE", "/v1/orders/o-1", {}, None, Operation.CANCEL,
     contract.CancelRequest(user_id=USER, command_key="c-1", order_id="o-1")),
    ("GET", "/v1/trades", {"account": "paper"}, None, Operation.TRADES,
     contract.OrdersQuery(user_id=USER, account=Account.PAPER)),
    ("GET", "/v1/positions", {"account": "paper"}, None, Operation.POSITIONS,
     contract.AccountQuery(user_id=USER, account=Account.PAPER)),
    ("DELETE", "/v1/positions", {"account": "paper"}, None, Operation.EXIT,
     contract.ExitRequest(user_id=USER, command_key="c-1", account=Account.PAPER)),
    ("DELETE", f"/v1/positions/{ENCODED_KEY}", {"account": "paper", "product": "I"}, None,
     Operation.EXIT, contract.ExitRequest(
         user_id=USER, command_key="c-1", account=Account.PAPER, key=KEY, product=Product.INTRADAY,
     )),
    ("GET", "/v1/holdings", {"account": "paper"}, None, Operation.HOLDINGS,
     contract.AccountQuery(user_id=USER, account=Account.PAPER)),
    ("GET", "/v1/funds", {"account": "upstox"}, None, Operation.FUNDS,
     contract.AccountQuery(user_id=USER, account=Account.UPSTOX)),
    ("GET", "/v1/limits", {"account": "paper"}, None, Operation.LIMITS,
     contract.AccountQuery(user_id=USER, account=Account.PAPER)),
    ("PUT", "/v1/kill-switch", {}, {"is_on": True}, Operation.SET_KILL_SWITCH,
     contract.SetKillSwitchRequest(user_id=USER, command_key="c-1", is_on=True)),
    ("POST", "/v1/paper/reset", {}, None, Operation.RESET,
     contract.AccountCommand(user_id=USER, command_key="c-1", account=Account.PAPER)),
]  # fmt: skip
"""Method, path, query, body, and the operation with the request that trading gets."""
PREVIEWS: Final = frozenset({Operation.PREVIEW, Operation.PREVIEW_CHANGES})
COMMANDS = [
    row for row in OPERATIONS if row[0] != "GET" and row[4] not in PREVIEWS
]  # fmt: skip


@asynccontextmanager
async def gateway_with_trading(nats: NatsServer) -> AsyncIterator[TradingRest]:
    """A gateway whose requests a fake trading service answers."""
    async with answering_trading(nats) as trading, running_gateway(nats) as gateway:
        yield TradingRest(gateway, trading)
