"""What must hold after any faults of a cluster: bars, orders and the order of quotes."""

from typing import Any, Final

import aiohttp

from services.trading.store.documents import COMMANDS, JOURNAL
from shared.market.exchange_time import WINDOW_MS, window_start
from tests.soak.bars import BarReport, compare_bars
from tests.support.bar_comparison import wait_until_stored
from tests.support.cluster.load import Load, OrderFlow
from tests.support.cluster.stack import PARTITIONS, ClusterStack
from tests.support.pipeline_stack import KEYS
from tradedad_client import Account

_LEAST_WINDOWS: Final = 2


async def check_everything(stack: ClusterStack, load: Load) -> BarReport:
    """End the orders, and check all promises."""
    await load.end_orders()
    stack.assert_nothing_ended()
    for client in load.clients:
        assert client.quotes.outdated == 0, "quotes went back in time"
    await _check_orders(stack, load)
    return await _check_bars(stack)


async def _check_bars(stack: ClusterStack) -> BarReport:
    """Each bar since the start equals its trades, or says that it is partial."""
    first = stack.pipeline.first_window
    end = max(window_start(await stack.pipeline.exchange_ms()), first + _LEAST_WINDOWS * WINDOW_MS)
    await wait_until_stored(stack.mongo, end + WINDOW_MS)
    report = await compare_bars(
        stack.mongo.client, stack.simulator_url, KEYS,
        from_ms=first, to_ms=end,
    )  # fmt: skip
    print(f"bars: {report}", flush=True)
    assert report.wrong == []
    assert report.equal > 0
    return report


async def _check_orders(stack: ClusterStack, load: Load) -> None:
    for client in load.clients:
        for flow in client.flows:
            assert flow.order_ids, f"{flow.accepted.name}: no order was accepted"
            assert len(set(flow.order_ids.values())) == len(flow.order_ids)
        await _check_journal(stack, client.flows)
        for flow in client.flows:
            if flow.account is Account.UPSTOX:
                await _check_upstox(stack, flow)
    await _check_numbers(stack)


async def _check_journal(stack: ClusterStack, flows: list[OrderFlow]) -> None:
    """One user's journal has each accepted order once, and besides them only refused ones."""
    journal = stack.mongo.db[JOURNAL]
    accepted = {order_id for flow in flows for order_id in flow.order_ids.values()}
    found = await journal.find_one({"order": next(iter(accepted))})
    assert found is not None
    user = found["user"]
    stored = set(await journal.distinct("order", {"user": user}))
    assert accepted <= stored, f"lost: {accepted - stored}"
    refused = sum(len(flow.refused) for flow in flows)
    assert len(stored - accepted) <= refused, f"doubled: {stored - accepted}"
    keys = {key for flow in flows for key in (*flow.order_ids, *flow.refused)}
    commands = await stack.mongo.db[COMMANDS].find({"user": user}).to_list()
    assert {command["key"] for command in commands} >= {
        key for flow in flows for key in flow.order_ids
    }
    assert {command["key"] for command in commands if command["operation"] == "place"} <= keys


async def _check_upstox(stack: ClusterStack, flow: OrderFlow) -> None:
    """The simulated Upstox has each accepted order once, and no other."""
    async with aiohttp.ClientSession() as http:
        rows = await _simulator_orders(http, stack.simulator_url)
    tags = [row["tag"] for row in rows]
    assert sorted(tags) == sorted(set(tags)), "an order was sent twice"
    assert set(tags) == set(flow.order_ids.values())


async def _simulator_orders(http: aiohttp.ClientSession, url: str) -> list[dict[str, Any]]:
    async with http.get(f"{url}/simulator/v1/orders") as response:
        assert response.status == 200
        rows: list[dict[str, Any]] = await response.json()
        return rows


async def _check_numbers(stack: ClusterStack) -> None:
    """Each partition has numbered its entries without a gap."""
    numbers: dict[int, list[int]] = {}
    async for entry in stack.mongo.db[JOURNAL].find({}, {"number": 1, "slot": 1}):
        partition = entry["slot"] % PARTITIONS
        numbers.setdefault(partition, []).append(entry["number"])
    for found in numbers.values():
        assert sorted(found) == list(range(1, len(found) + 1))
