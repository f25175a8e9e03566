"""A trading service whose user has an account at a simulated Upstox."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import aiohttp

from services.trading.links.seal_keys import create_seal_key
from shared.contracts.order_terms import Account, OrderType
from shared.contracts.trading import Operation, OrderQuery, OrderRequest, OrdersQuery
from shared.contracts.trading_replies import OrderDetail, Orders, OrderView
from shared.contracts.upstox_links import (
    LinkBeginReply,
    LinkBeginRequest,
    LinkOperation,
    LinkPurpose,
    LinkState,
    LinkView,
)
from shared.runtime.clock import SystemClock
from shared.runtime.settings import MongoSettings
from tests.support.patience import PATIENCE_SECS
from tests.support.servers import NatsServer
from tests.support.settings import upstox_settings
from tests.support.simulated import simulator
from tests.support.trading import trading
from tests.support.trading_client import (
    TestMarket,
    TradingClient,
    market,
    order_request,
    trading_client,
)
from tests.support.upstox_linking import APP, REDIRECT_URL, log_in
from tests.support.waiting import eventually

PLACE: Final = "/v3/order/place"
MODIFY: Final = "/v3/order/modify"
CANCEL: Final = "/v3/order/cancel"
HISTORY: Final = "/v2/order/history"


@dataclass(frozen=True, slots=True)
class Simulated:
    """The simulator's own view: its ledger and its faults."""

    url: str
    http: aiohttp.ClientSession

    async def get(self, path: str) -> Any:
        """The JSON of one of the simulator's own calls."""
        async with self.http.get(f"{self.url}/simulator/v1/{path}") as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def post(self, path: str, body: dict[str, Any]) -> None:
        """One of the simulator's own calls."""
        async with self.http.post(f"{self.url}/simulator/v1/{path}", json=body) as response:
            assert response.status < 300, await response.text()

    async def arm(self, kind: str, path: str = "/", **fields: Any) -> None:
        """Arm a fault of requests."""
        await self.post("faults", {"kind": kind, "path": path, **fields})

    async def disarm(self) -> None:
        """Disarm all faults."""
        async with self.http.delete(f"{self.url}/simulator/v1/faults") as response:
            assert response.status == 204

    async def orders(self) -> list[dict[str, Any]]:
        """Every order of every user, the oldest first."""
        rows: list[dict[str, Any]] = await self.get("orders")
        return rows


@asynccontextmanager
async def simulated(**options: Any) -> AsyncIterator[Simulated]:
    """A simulator without limits of calls, unless the options say otherwise."""
    timeout = aiohttp.ClientTimeout(total=PATIENCE_SECS)
    defaults = {
        "rate_limits": False, "redirect_uris": REDIRECT_URL, "trades_per_sec": 50,
        "frame_interval_ms": 100,
    }  # fmt: skip
    async with (
        simulator(**(defaults | options)) as url,
        aiohttp.ClientSession(timeout=timeout) as http,
    ):
        yield Simulated(url, http)


def upstox_options(url: str, keys_dir: Path, *, timeout_secs: int = 5) -> dict[str, Any]:
    """Settings of a trading service that may send orders to the simulator."""
    upstox = upstox_settings(url, "").model_copy(update={"timeout_secs": timeout_secs})
    return {
        "upstox": upstox,
        "keys_dir": keys_dir,
        "upstox_client_id": APP["client_id"],
        "upstox_client_secret": APP["client_secret"],
        "upstox_redirect_url": REDIRECT_URL,
        "live_orders": True,
        "calendar": "always_open",
        "paper_latency_ms": 0,
    }


async def link_account(
    client: TradingClient, *, upstox_user: str = "SIM001", timeout_secs: float = PATIENCE_SECS
) -> LinkView:
    """Link the account of the client's user; each of two requests has this timeout."""
    begin = LinkBeginRequest(user_id=client.user_id, purpose=LinkPurpose.TRADING)
    reply = await client.call(
        LinkOperation.LINK_BEGIN, begin, LinkBeginReply, timeout_secs=timeout_secs
    )
    returned = await log_in(reply.login_url, upstox_user=upstox_user)
    finish = returned.request(client.user_id)
    view = await client.call(LinkOperation.LINK_FINISH, finish, LinkView, timeout_secs=timeout_secs)
    assert view.state is LinkState.LINKED
    return view


@dataclass(frozen=True, slots=True)
class LinkedClient:
    """A user with a linked account."""

    client: TradingClient
    upstox: Simulated
    market: TestMarket

    async def place(self, command_key: str, **fields: Any) -> OrderView:
        """Place an order at Upstox. Raises the RequestError of the service."""
        return await self.client.call(
            Operation.PLACE, upstox_order(command_key, **fields), OrderView
        )

    async def order(self, order_id: str) -> OrderView:
        """The order as it is known now."""
        query = OrderQuery(user_id=self.client.user_id, order_id=order_id)
        return (await self.client.call(Operation.ORDER, query, OrderDetail)).order

    async def orders(self) -> list[OrderView]:
        """All orders at Upstox of the trading day."""
        query = OrdersQuery(user_id=self.client.user_id, account=Account.UPSTOX)
        return (await self.client.call(Operation.ORDERS, query, Orders)).orders

    async def reaches(self, order_id: str, state: str) -> OrderView:
        """The order once it has this state and nothing of it is pending."""

        async def has_state() -> bool:
            order = await self.order(order_id)
            return order.state == state and order.pending is None

        await eventually(has_state, what=f"the order is {state}")
        return await self.order(order_id)


def upstox_order(command_key: str, **fields: Any) -> OrderRequest:
    """A market order at Upstox for ten shares, unless the fields say otherwise."""
    return order_request(command_key, **({"account": Account.UPSTOX} | fields))


def resting(price: str) -> dict[str, Any]:
    """The fields of a limit order."""
    return {"order_type": OrderType.LIMIT, "price": Decimal(price)}


@asynccontextmanager
async def linked_client(
    nats: NatsServer,
    mongo: MongoSettings,
    keys_dir: Path,
    *,
    timeout_secs: int = 5,
    has_live_orders: bool = True,
    has_rate_limits: bool = False,
    **settings_options: Any,
) -> AsyncIterator[LinkedClient]:
    """A trading service in the event loop, and a user with an account at a simulator."""
    await asyncio.to_thread(create_seal_key, keys_dir, SystemClock())
    async with AsyncExitStack() as stack:
        upstox = await stack.enter_async_context(simulated(rate_limits=has_rate_limits))
        moved = await stack.enter_async_context(market(nats))
        settings = upstox_options(upstox.url, keys_dir, timeout_secs=timeout_secs)
        settings |= {"live_orders": has_live_orders, **settings_options}
        await stack.enter_async_context(trading(nats, mongo, **settings))
        client = await stack.enter_async_context(trading_client(nats))
        await link_account(client)
        yield LinkedClient(client, upstox, moved)
