"""The load on a cluster: clients that follow prices and place orders, at both gateways."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import aiohttp

from embedded.demo_link import link_simulated_account
from embedded.signup import sign_up
from shared.runtime.tasks import stop
from tests.support.cluster.stack import ClusterStack
from tests.support.patience import PATIENCE_SECS
from tests.support.pipeline_stack import KEYS
from tests.support.waiting import eventually
from tradedad_client import (
    Account,
    Client,
    NewOrder,
    OrderRefused,
    OrderType,
    OutcomeUnknown,
    Product,
    Quote,
    Side,
    Subscription,
    Unavailable,
)

_PAUSE_SECS: Final = 0.4
"""Between two orders on one account."""
_RESTING_PRICE: Final = Decimal("1300.00")
"""Below the market but within its limits: orders at Upstox rest, and none is filled."""


@dataclass
class Series:
    """The times at which something was seen that must go on."""

    name: str
    times: list[float] = field(default_factory=list)

    def add(self) -> None:
        """It was seen now."""
        self.times.append(time.monotonic())

    def longest_gap_secs(self, since: float) -> float:
        """The longest time without, from the last time before `since` until now."""
        before = [at for at in self.times if at <= since][-1:] or [since]
        times = before + [at for at in self.times if at > since] + [time.monotonic()]
        return max(later - earlier for earlier, later in itertools.pairwise(times))

    def has_one_since(self, since: float) -> bool:
        """Whether it was seen after this time."""
        return bool(self.times) and self.times[-1] > since


@dataclass
class OrderFlow:
    """Orders of one user on one account, one after the other; each has a key of its own."""

    account: Account
    accepted: Series
    order_ids: dict[str, str] = field(default_factory=dict)
    """By the key of the command: each order that was accepted."""
    refused: dict[str, str] = field(default_factory=dict)
    """By the key: the rule of an order that was refused for good."""


class LoadClient:
    """One user at one gateway."""

    def __init__(self, name: str, client: Client, accounts: tuple[Account, ...]) -> None:
        self.name = name
        self.client = client
        self.quotes: Subscription[Quote] = client.quotes(list(KEYS))
        self.live = Series(f"quotes {name}")
        self.is_ending = False
        """Whether it places no further orders."""
        self.flows = [
            OrderFlow(account, Series(f"orders {account.value} {name}")) for account in accounts
        ]

    async def follow(self) -> None:
        """Count live quotes until cancelled."""
        async for quote in self.quotes:
            if not quote.snapshot and not quote.snap:
                self.live.add()

    async def trade(self, flow: OrderFlow) -> None:
        """Place orders until `is_ending`. An order without an answer is placed again by its key."""
        number = 0
        while not self.is_ending:
            number += 1
            key = f"{self.name}-{flow.account.value}-{number}"
            order = _order(flow.account, number)
            try:
                order_id = await self._placed(order, key)
            except OrderRefused as refused:
                flow.refused[key] = refused.rule or refused.code
            else:
                flow.order_ids[key] = order_id
                flow.accepted.add()
            await asyncio.sleep(_PAUSE_SECS)

    async def _placed(self, order: NewOrder, key: str) -> str:
        """The id of the order, once it is accepted. Raises OrderRefused."""
        while True:
            try:
                return (await self.client.trading.place(order, command_key=key)).order_id
            except (OutcomeUnknown, Unavailable):
                await asyncio.sleep(_PAUSE_SECS)


def _order(account: Account, number: int) -> NewOrder:
    is_paper = account is Account.PAPER
    return NewOrder(
        account=account,
        key=KEYS[0],
        side=Side.SELL if is_paper and number % 2 == 0 else Side.BUY,
        product=Product.INTRADAY,
        quantity=1,
        order_type=OrderType.MARKET if is_paper else OrderType.LIMIT,
        price=None if is_paper else _RESTING_PRICE,
    )


@dataclass(frozen=True)
class Load:
    """All clients, while they work."""

    clients: list[LoadClient]
    tasks: list["asyncio.Task[None]"]

    @property
    def series(self) -> list[Series]:
        """Everything that must go on."""
        return [
            series
            for client in self.clients
            for series in (client.live, *(flow.accepted for flow in client.flows))
        ]

    @property
    def flows(self) -> list[OrderFlow]:
        """The orders of all clients."""
        return [flow for client in self.clients for flow in client.flows]

    async def wait_all_since(self, since: float, what: str) -> None:
        """Wait until each series has gone on after this time. Raises what ended a client."""

        def missing() -> list[str]:
            self._raise_failures()
            return [series.name for series in self.series if not series.has_one_since(since)]

        try:
            await eventually(lambda: not missing(), what=f"all are served after {what}")
        except AssertionError as error:
            raise AssertionError(f"{error}; missing: {missing()}") from None

    async def end_orders(self) -> None:
        """Wait until each order under way has its answer, and place no further ones."""
        for client in self.clients:
            client.is_ending = True
        trading = [task for task in self.tasks if task.get_name().startswith("orders ")]
        _, unanswered = await asyncio.wait(trading, timeout=PATIENCE_SECS)
        self._raise_failures()
        assert not unanswered, f"no answer: {sorted(task.get_name() for task in unanswered)}"

    def _raise_failures(self) -> None:
        for task in self.tasks:
            if task.done() and not task.cancelled():
                task.result()


@asynccontextmanager
async def load_on(stack: ClusterStack) -> AsyncIterator[Load]:
    """Clients at both gateways; the first one also trades at Upstox."""
    async with AsyncExitStack() as opened:
        http = await opened.enter_async_context(aiohttp.ClientSession())
        clients = []
        for number, url in enumerate(stack.gateway_urls):
            account = await sign_up(http, url)
            client = await opened.enter_async_context(
                Client(url, email=account.email, password=account.password)
            )
            accounts: tuple[Account, ...] = (Account.PAPER,)
            if number == 0:
                await link_simulated_account(http, client)
                accounts = (Account.PAPER, Account.UPSTOX)
            clients.append(LoadClient(f"{number}", client, accounts))
        tasks = [_task(client.follow(), client.live.name) for client in clients]
        tasks += [
            _task(client.trade(flow), flow.accepted.name)
            for client in clients
            for flow in client.flows
        ]
        load = Load(clients, tasks)
        try:
            await load.wait_all_since(time.monotonic(), "the start")
            yield load
        finally:
            await stop(tasks)


def _task(work: Coroutine[Any, Any, None], name: str) -> "asyncio.Task[None]":
    task: asyncio.Task[None] = asyncio.create_task(work, name=name)
    return task
