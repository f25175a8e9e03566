"""Users who place orders over REST, and receive the events on a socket of their own."""

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

import aiohttp

from bench.trading.market import INSTRUMENTS, LTP, key_of
from shared.runtime.tasks import stop
from tests.support.issuer import TokenIssuer

_EVENT_SECS: Final = 30.0
_TOKEN_SECS: Final = 3_600
_RESTING_PRICE: Final = f"{LTP - 10:.2f}"


class User:
    """One user; the time of the first event of each order, and of each fill, is recorded."""

    def __init__(self, number: int, http: aiohttp.ClientSession, url: str, token: str) -> None:
        self.key = key_of(number % INSTRUMENTS)
        self._http = http
        self._url = url
        self._token = token
        self._headers = {"Authorization": f"Bearer {token}"}
        self._number = number
        self._orders = itertools.count(1)
        self._seen: dict[tuple[str, str], asyncio.Future[float]] = {}
        """By order id and kind of event."""

    async def receive(self, is_open: asyncio.Event) -> None:
        """Receive events until cancelled."""
        async with self._http.ws_connect(f"{self._url}/ws", max_msg_size=0) as socket:
            await socket.send_json({"op": "auth", "token": self._token})
            await socket.send_json({"op": "subscribe", "id": 1, "channel": "orders"})
            async for message in socket:
                now = time.perf_counter()
                body = json.loads(message.data)
                if body["type"] == "ack":
                    is_open.set()
                for event in body.get("data", []) if body["type"] == "orders" else []:
                    seen = self._event(event["order"]["order_id"], event["kind"])
                    if not seen.done():
                        seen.set_result(now)

    async def place(self, *, is_resting: bool, price: str = _RESTING_PRICE) -> str:
        """Place an order and return its id."""
        number = next(self._orders)
        terms: dict[str, Any] = {"order_type": "MARKET"}
        if is_resting:
            terms = {"order_type": "LIMIT", "price": price}
        body = terms | {
            "account": "paper", "key": self.key, "product": "I", "quantity": 1,
            "side": "BUY" if number % 4 < 2 or is_resting else "SELL",
        }  # fmt: skip
        headers = self._headers | {"Idempotency-Key": f"u{self._number}-{number}"}
        async with self._http.post(f"{self._url}/v1/orders", json=body, headers=headers) as answer:
            reply: dict[str, Any] = await answer.json()
            if answer.status != 201:
                raise RuntimeError(f"{answer.status}: {reply}")
        order_id: str = reply["order_id"]
        return order_id

    async def wait_event(self, order_id: str, kind: str) -> float:
        """When the first event of this kind of an order arrived, by `time.perf_counter`."""
        async with asyncio.timeout(_EVENT_SECS):
            at = await self._event(order_id, kind)
        del self._seen[order_id, kind]
        return at

    async def timed_order(self, *, is_resting: bool, since: float | None = None) -> float:
        """Milliseconds from `since`, or from now, until the first event of a new order."""
        started = time.perf_counter() if since is None else since
        order_id = await self.place(is_resting=is_resting)
        return (await self.wait_event(order_id, "order") - started) * 1_000

    def _event(self, order_id: str, kind: str) -> "asyncio.Future[float]":
        future = self._seen.get((order_id, kind))
        if future is None:
            future = asyncio.get_running_loop().create_future()
            self._seen[order_id, kind] = future
        return future


@asynccontextmanager
async def connected_users(url: str, issuer: TokenIssuer, count: int) -> AsyncIterator[list[User]]:
    """Users whose sockets are subscribed to their orders."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        )
        users = []
        for number in range(count):
            expiry = int(time.time()) + _TOKEN_SECS
            token = issuer.token(sub=f"user-{number}", sid=f"session-{number}", exp=expiry)
            users.append(User(number, http, url, token))
        receivers = await _open(users)
        try:
            yield users
        finally:
            await stop(receivers)


async def _open(users: Sequence[User]) -> "list[asyncio.Task[None]]":
    receivers = []
    for user in users:
        is_open = asyncio.Event()
        receivers.append(asyncio.create_task(user.receive(is_open)))
        async with asyncio.timeout(_EVENT_SECS):
            await is_open.wait()
    return receivers
