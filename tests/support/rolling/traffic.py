"""Requests that never pause: quotes and bars by REST, and orders that are repeated until answered."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from tests.support.rolling.tokens import Session
from tradedad_client import Account, Client, ClientError, NewOrder, OrderType, Product, Side

_GET_PAUSE_SECS: Final = 0.02
_ORDER_PAUSE_SECS: Final = 0.05
_TIMEOUT: Final = aiohttp.ClientTimeout(total=30)


@dataclass
class Requests:
    """Requests of one kind and their outcome."""

    count: int = 0
    failures: list[str] = field(default_factory=list)
    longest_secs: float = 0.0
    answered_at: float = 0.0
    """When the last one was answered, Unix seconds."""

    def took(self, began_at: float) -> None:
        """Note the duration of one that was answered."""
        self.count += 1
        self.answered_at = time.time()
        self.longest_secs = max(self.longest_secs, self.answered_at - began_at)


async def get_again_and_again(
    http: aiohttp.ClientSession, url: str, path: str, session: Session, requests: Requests
) -> None:
    """GET until cancelled, without repeating any failure."""
    while True:
        began_at = time.time()
        headers = {"Authorization": f"Bearer {session.access}"}
        try:
            async with http.get(url + path, headers=headers, timeout=_TIMEOUT) as response:
                body = await response.text()
                if response.status == 200:
                    requests.took(began_at)
                else:
                    requests.failures.append(f"{response.status} {body}")
        except (aiohttp.ClientError, TimeoutError) as error:
            requests.failures.append(f"{error!r} after {time.time() - began_at:.3f} s")
        await asyncio.sleep(_GET_PAUSE_SECS)


class Orderer:
    """A program that places paper orders one after the other."""

    def __init__(self, url: str, session: Session, key: str) -> None:
        self._url = url
        self._session = session
        self._key = key
        self.requests = Requests()
        self.order_ids: list[str] = []
        self._is_ending = False

    @property
    def user_id(self) -> str:
        """The user whose orders they are."""
        return self._session.user_id

    def end(self) -> None:
        """Place no more orders after the one that is being placed."""
        self._is_ending = True

    async def run(self) -> None:
        """Place orders until `end`."""
        client = Client(self._url, ask_token=self._session.token, stream=False)
        async with client:
            while not self._is_ending:
                await self._place(client)
                await asyncio.sleep(_ORDER_PAUSE_SECS)

    async def _place(self, client: Client) -> None:
        order = NewOrder(
            account=Account.PAPER,
            key=self._key,
            side=Side.BUY if len(self.order_ids) % 2 == 0 else Side.SELL,
            product=Product.INTRADAY,
            quantity=1,
            order_type=OrderType.MARKET,
        )
        began_at = time.time()
        try:
            placed = await client.trading.place(order)
        except ClientError as error:
            self.requests.failures.append(f"{error!r} after {time.time() - began_at:.3f} s")
            return
        self.order_ids.append(placed.order_id)
        self.requests.took(began_at)
