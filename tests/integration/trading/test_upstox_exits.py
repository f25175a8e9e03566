"""An exit at Upstox closes a position, and never trades more than the position."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest

from services.trading.partition.upstox_exits import POSITION_CHANGED
from shared.contracts.order_terms import Account, Product, Side
from shared.contracts.trading import AccountQuery, ExitRequest, Operation
from shared.contracts.trading_replies import OrdersReply, OrderView, Positions
from shared.errors import CommandInFlight
from shared.runtime.settings import MongoSettings
from tests.support.servers import NatsServer
from tests.support.trading_client import USER
from tests.support.upstox_trading import PLACE, LinkedClient, linked_client, resting
from tests.support.waiting import eventually

HIGH: Final[dict[str, Any]] = {"side": Side.SELL} | resting("1550.00")


@pytest.fixture
async def linked(
    nats: NatsServer, mongo_settings: MongoSettings, tmp_path: Path
) -> AsyncIterator[LinkedClient]:
    async with linked_client(nats, mongo_settings, tmp_path / "keys") as made:
        yield made


async def exit_all(linked: LinkedClient, command_key: str) -> list[OrderView]:
    request = ExitRequest(user_id=USER, command_key=command_key, account=Account.UPSTOX)
    return (await linked.client.call(Operation.EXIT, request, OrdersReply)).orders


async def quantities(linked: LinkedClient) -> list[int]:
    query = AccountQuery(user_id=USER, account=Account.UPSTOX)
    positions = await linked.client.call(Operation.POSITIONS, query, Positions)
    return [one.quantity for one in positions.positions]


async def buy(linked: LinkedClient) -> None:
    bought = await linked.place("buy", product=Product.INTRADAY)
    await linked.reaches(bought.order_id, "filled")


async def rest(linked: LinkedClient) -> OrderView:
    """A sale that closes the position, far above the market."""
    sale = await linked.place("rest", product=Product.INTRADAY, **HIGH)
    return await linked.reaches(sale.order_id, "open")


async def test_open_orders_of_the_position_are_cancelled_before_it_is_closed(
    linked: LinkedClient,
) -> None:
    await buy(linked)
    sale = await rest(linked)
    cancelled, closing = await exit_all(linked, "exit")
    assert (cancelled.order_id, cancelled.state) == (sale.order_id, "cancelled")
    await linked.reaches(closing.order_id, "filled")
    assert await quantities(linked) == [0]


@pytest.mark.parametrize("delay_secs", [0.2, 4.0], ids=["in time", "after the exit"])
async def test_nothing_is_sold_twice_if_a_cancelled_order_is_filled(
    linked: LinkedClient, delay_secs: float
) -> None:
    await buy(linked)
    sale = await rest(linked)
    await linked.upstox.post("faults", {"kind": "late_cancel", "delay_secs": delay_secs})
    _, closing = await exit_all(linked, "exit")
    assert (closing.state, closing.code) == ("rejected", POSITION_CHANGED)
    await linked.reaches(sale.order_id, "filled")
    assert await quantities(linked) == [0]
    assert len(await linked.upstox.orders()) == 2


async def test_a_second_exit_waits_until_the_first_is_known(linked: LinkedClient) -> None:
    await buy(linked)
    await linked.upstox.arm("slow", path=PLACE, delay_secs=3)
    first = asyncio.create_task(exit_all(linked, "exit-1"))

    async def is_sending() -> bool:
        return len(await linked.orders()) == 2

    await eventually(is_sending, what="the first exit is sent")
    with pytest.raises(CommandInFlight):
        await exit_all(linked, "exit-2")
    (closing,) = await first
    await linked.reaches(closing.order_id, "filled")
    assert await quantities(linked) == [0]
    assert await exit_all(linked, "exit-3") == []
    assert len(await linked.upstox.orders()) == 2


async def test_a_position_is_not_closed_again_while_an_exit_may_exist(
    linked: LinkedClient,
) -> None:
    await buy(linked)
    await linked.upstox.arm("reset", path=PLACE)
    (closing,) = await exit_all(linked, "exit-1")
    assert closing.state == "unknown"
    with pytest.raises(CommandInFlight):
        await exit_all(linked, "exit-2")
    assert len(await linked.upstox.orders()) == 1
