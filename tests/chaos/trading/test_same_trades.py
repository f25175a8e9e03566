"""The same quotes, books and commands give the same trades, however often the owner is killed."""

import asyncio
from collections.abc import Collection
from decimal import Decimal
from typing import Any, Final

import msgspec

from shared.contracts.order_terms import Account, OrderType, Side, Validity
from shared.contracts.trading import CancelRequest, ModifyRequest, Operation
from shared.contracts.trading_replies import OrderView, Preview
from shared.runtime.health import Readiness
from shared.runtime.mongo import Mongo, connect_mongo
from tests.support import settings
from tests.support.processes import service_process
from tests.support.servers import MongoServer, run_nats
from tests.support.trading import trading_environment
from tests.support.trading_chaos import NO_LIMITS, check_account, repeated
from tests.support.trading_client import (
    USER,
    TestMarket,
    TradingClient,
    market,
    order_request,
    trading_client,
)
from tests.support.waiting import eventually

TTL_SECS: Final = 1.0
Fills = list[tuple[str, int, Decimal, int]]
"""Command key of the order, quantity, price and time of each trade, in their order."""


LIMIT: Final = {"order_type": OrderType.LIMIT}
SCRIPT: Final[list[tuple[Operation, dict[str, Any]] | tuple[float, dict[str, Any]]]] = [
    (Operation.PLACE, {"command_key": "rest", "quantity": 60, "price": 1_395} | LIMIT),
    (Operation.PLACE, {"command_key": "take", "quantity": 25}),
    (1_400.0, {"asks": [(1_400.05, 10), (1_400.1, 40)], "bids": [(1_395.0, 12)]}),
    (Operation.PLACE, {"command_key": "ioc", "quantity": 50, "validity": Validity.IOC}),
    (1_401.0, {"asks": [(1_401.05, 20), (1_401.5, 5)], "traded": 3}),
    (Operation.PLACE, {
        "command_key": "stop", "quantity": 12, "side": Side.SELL, "order_type": OrderType.SL,
        "price": 1_394, "trigger_price": 1_396,
    }),
    (1_398.0, {"traded": 7}),
    (1_395.0, {"traded": 20, "bids": [(1_395.0, 12), (1_394.5, 4)]}),
    (Operation.MODIFY, {"command_key": "more", "of": "rest", "quantity": 90}),
    (1_394.95, {"traded": 9, "asks": [(1_395.05, 10)]}),
    (1_394.9, {"traded": 11, "asks": [(1_395.05, 10)]}),
    (Operation.PLACE, {"command_key": "short", "quantity": 40, "side": Side.SELL}),
    (1_396.0, {"bids": [(1_395.9, 7), (1_395.8, 9), (1_395.0, 100)]}),
    (Operation.CANCEL, {"command_key": "end", "of": "rest"}),
    (1_397.0, {"traded": 2}),
]  # fmt: skip


class Play:
    """One run of the script."""

    def __init__(self, client: TradingClient, moved: TestMarket) -> None:
        self._client = client
        self._moved = moved
        self.order_ids: dict[str, str] = {}

    async def step(self, what: Operation | float, fields: dict[str, Any]) -> None:
        """A command, once it is answered, or a quote, once the broker has seen it."""
        if not isinstance(what, Operation):
            await self._moved.quote(what, **fields)
            await self._has_seen(what)
            return
        fields = dict(fields)
        for name in ("price", "trigger_price"):
            if name in fields:
                fields[name] = Decimal(fields[name])
        request: msgspec.Struct
        key = fields["command_key"]
        if what is Operation.PLACE:
            request = order_request(**fields)
        else:
            fields |= {"user_id": USER, "order_id": self.order_ids[fields.pop("of")]}
            kind = ModifyRequest if what is Operation.MODIFY else CancelRequest
            request = kind(**fields)
        order = await repeated(self._client, what, request, OrderView)
        self.order_ids.setdefault(key, order.order_id)

    async def _has_seen(self, ltp: float) -> None:
        async def has_seen() -> bool:
            request = order_request("unused", quantity=1)
            preview = await repeated(self._client, Operation.PREVIEW, request, Preview)
            return preview.value == Decimal(str(ltp))

        await eventually(has_seen, what=f"the quote of {ltp} is processed")


async def play(mongo_url: str, database: str, killed_before: Collection[int]) -> Fills:
    """The trades of the script, checked against journal, events and money."""
    own = settings.mongo_settings(mongo_url, database)
    with run_nats() as nats:
        environment = trading_environment(nats, own, lease_ttl_secs=TTL_SECS) | NO_LIMITS
        async with (
            market(nats) as moved,
            service_process("trading", environment) as service,
            trading_client(nats) as client,
            connect_mongo(own, Readiness("test")) as mongo,
        ):
            run = Play(client, moved)
            for number, (what, fields) in enumerate(SCRIPT):
                if number in killed_before:
                    await asyncio.to_thread(service.kill)
                    await asyncio.to_thread(service.start)
                await run.step(what, fields)
            return await fills_of(mongo, client, run)


async def fills_of(mongo: Mongo, client: TradingClient, run: Play) -> Fills:
    account = await check_account(mongo, client)
    names = {order_id: key for key, order_id in run.order_ids.items()}
    trades = list(reversed(account.trades(Account.PAPER)))
    assert len({trade.trade_id for trade in trades}) == len(trades)
    return [
        (names[trade.order_id], trade.quantity, trade.price, trade.traded_at) for trade in trades
    ]


async def test_an_owner_that_is_killed_several_times_makes_the_same_trades(
    mongo_server: MongoServer,
) -> None:
    undisturbed, disturbed = await asyncio.gather(
        play(mongo_server.url, "undisturbed", ()),
        play(mongo_server.url, "disturbed", (2, 5, 9)),
    )
    assert len(undisturbed) >= 8
    assert disturbed == undisturbed
