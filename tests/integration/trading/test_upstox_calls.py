"""Calls of an account at a simulated Upstox: commands, exact reads, refusals, lost answers."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from services.trading.orders.broker_report import BrokerState
from services.trading.upstox.account_calls import AccountCalls
from services.trading.upstox.answers import Lost, Refused, Taken
from shared.contracts.order_terms import OrderType, Side
from shared.errors import UpstoxUnauthorised
from tests.support.simulated import simulator
from tests.support.upstox_calls import RELIANCE, account_calls, order_terms
from tests.support.waiting import eventually


@dataclass
class Simulated:
    """A simulator, its own calls, and the account under test."""

    http: aiohttp.ClientSession
    calls: AccountCalls

    async def get(self, path: str) -> Any:
        async with self.http.get(f"/simulator/v1/{path}") as response:
            assert response.status == 200
            return await response.json()

    async def orders(self) -> list[dict[str, Any]]:
        """The ledger: every order that exists."""
        orders: list[dict[str, Any]] = await self.get("orders")
        return orders

    async def arm(self, kind: str, **options: Any) -> None:
        async with self.http.post("/simulator/v1/faults", json={"kind": kind, **options}) as armed:
            assert armed.status == 201, await armed.text()


@pytest.fixture
async def upstox() -> AsyncIterator[Simulated]:
    async with (
        simulator(rate_limits=False, market_orders_need_protection=True) as url,
        aiohttp.ClientSession(url) as http,
        account_calls(url) as calls,
    ):
        yield Simulated(http, calls)


async def placed(upstox: Simulated, tag: str = "o-1") -> str:
    taken = await upstox.calls.place(order_terms(), tag)
    assert isinstance(taken, Taken)
    return taken.broker_order_id


async def test_an_order_is_placed_modified_and_cancelled(upstox: Simulated) -> None:
    broker_order_id = await placed(upstox)
    changed = order_terms(OrderType.SL, price="1600.50", trigger="1600", quantity=3)
    assert await upstox.calls.modify(broker_order_id, changed) == Taken(broker_order_id)
    (row,) = (await upstox.calls.orders()).rows
    assert row.report.prices == changed.prices
    assert (row.tag, row.key, row.side) == ("o-1", RELIANCE, Side.BUY)
    assert row.report.state is BrokerState.WORKING
    assert await upstox.calls.cancel(broker_order_id) == Taken(broker_order_id)
    history = await upstox.calls.orders_of_tag("o-1")
    assert max(row.report.rank for row in history)[0] == BrokerState.CANCELLED
    assert len(history) > 5
    assert {row.report.broker_order_id for row in history} == {broker_order_id}
    assert len(await upstox.orders()) == 1


async def test_an_unknown_tag_has_no_orders(upstox: Simulated) -> None:
    await placed(upstox)
    assert await upstox.calls.orders_of_tag("o-2") == []


@pytest.mark.parametrize("order_type", [OrderType.MARKET, OrderType.SL_M])
async def test_market_orders_have_a_protection(upstox: Simulated, order_type: OrderType) -> None:
    terms = order_terms(order_type, price=None, trigger="1600")
    assert isinstance(await upstox.calls.place(terms, "o-1"), Taken)


async def test_a_fill_is_a_trade_and_a_position_with_its_profit(upstox: Simulated) -> None:
    terms = order_terms(OrderType.MARKET, price=None, quantity=5)
    taken = await upstox.calls.place(terms, "o-1")
    assert isinstance(taken, Taken)
    trades = await eventually(upstox.calls.trades, what="the order is filled")
    fills = await upstox.get("fills")
    assert [(trade.trade_id, trade.quantity) for trade in trades] == [
        (fill["trade_id"], fill["quantity"]) for fill in fills
    ]
    assert [trade.price for trade in trades] == [Decimal(str(fill["price"])) for fill in fills]
    assert {trade.broker_order_id for trade in trades} == {taken.broker_order_id}
    (position,) = (await upstox.calls.positions()).positions
    value = sum(trade.price * trade.quantity for trade in trades)
    assert (position.key, position.quantity) == (RELIANCE, sum(t.quantity for t in trades))
    assert position.buy_value == value
    assert position.ltp is not None
    assert position.unrealised == position.ltp * position.quantity - value


async def test_holdings_and_funds_are_those_of_the_account(upstox: Simulated) -> None:
    holdings = (await upstox.calls.holdings()).holdings
    assert holdings
    assert all(holding.quantity > 0 and holding.ltp for holding in holdings)
    before = await upstox.calls.funds()
    assert (before.cash, before.available) == (Decimal(1_000_000), Decimal(1_000_000))
    assert before.used == 0
    await placed(upstox)
    after = await upstox.calls.funds()
    assert (after.cash, after.available) == (Decimal(1_000_000), Decimal(997_600))
    assert after.used == 2_400
    assert after.charges is after.realised is after.order_margin is None


@pytest.mark.parametrize("fault", ["lost", "error"])
async def test_a_placed_order_without_an_answer_is_lost_and_found_by_its_tag(
    upstox: Simulated, fault: str
) -> None:
    await upstox.arm(fault, path="/v3/order/place", status=503)
    assert isinstance(await upstox.calls.place(order_terms(), "o-1"), Lost)
    exists = fault == "lost"
    assert len(await upstox.orders()) == exists
    rows = await upstox.calls.orders_of_tag("o-1")
    assert {row.tag for row in rows} == ({"o-1"} if exists else set())


async def test_a_late_answer_is_lost_and_the_order_exists_once() -> None:
    async with (
        simulator(rate_limits=False) as url,
        aiohttp.ClientSession(url) as http,
        account_calls(url, timeout_secs=1) as calls,
    ):
        upstox = Simulated(http, calls)
        await upstox.arm("late", path="/v3/order/place", delay_secs=3)
        assert await calls.place(order_terms(), "o-1") == Lost(
            "no complete answer (ReadTimeoutError)"
        )
        assert len(await upstox.orders()) == 1


async def test_a_lost_modification_has_its_effect_once(upstox: Simulated) -> None:
    broker_order_id = await placed(upstox)
    await upstox.arm("lost", path="/v3/order/modify")
    changed = order_terms(price="1201")
    assert isinstance(await upstox.calls.modify(broker_order_id, changed), Lost)
    (order,) = await upstox.orders()
    assert order["price"] == 1201
    history = await upstox.calls.orders_of_tag("o-1")
    reports = [row.report for row in history]
    # A repetition would make a second modification.
    assert len(reports) == 8
    assert max(reports, key=lambda report: report.age).state is BrokerState.WORKING


async def test_a_lost_cancellation_has_its_effect(upstox: Simulated) -> None:
    broker_order_id = await placed(upstox)
    await upstox.arm("lost", path="/v3/order/cancel")
    assert isinstance(await upstox.calls.cancel(broker_order_id), Lost)
    (order,) = await upstox.orders()
    assert order["status"] == "cancelled"
    again = await upstox.calls.cancel(broker_order_id)
    assert isinstance(again, Refused)
    assert again.is_of_final_order


async def test_refusals_have_the_code_and_words_of_upstox(upstox: Simulated) -> None:
    unknown = await upstox.calls.place(order_terms(key="NSE_EQ|INE000000000"), "o-1")
    assert isinstance(unknown, Refused)
    assert unknown.code.startswith("UDAPI")
    assert unknown.detail
    for refused in (
        await upstox.calls.cancel("25"), await upstox.calls.modify("25", order_terms()),
    ):  # fmt: skip
        assert isinstance(refused, Refused)
        assert refused.code == "UDAPI100010"
    assert await upstox.orders() == []


async def test_limits_and_addresses_are_refusals() -> None:
    async with simulator(order_calls_per_sec=1) as url, account_calls(url) as calls:
        answers = [await calls.cancel("25") for _ in range(5)]
        assert {answer.code for answer in answers if isinstance(answer, Refused)} >= {"UDAPI10005"}
        assert not any(isinstance(answer, Lost) for answer in answers)
    async with simulator(order_ips="10.0.0.1") as url, account_calls(url) as calls:
        refused = await calls.place(order_terms(), "o-1")
        assert isinstance(refused, Refused)
        assert refused.code == "UDAPI1154"


async def test_the_name_of_the_algorithm_is_sent_if_it_is_set() -> None:
    async with simulator(order_calls_per_sec=1) as url:
        async with account_calls(url, upstox_algo_name="Trade Dad") as calls:
            answers = [await calls.cancel("25") for _ in range(5)]
            # With the header, the limit is that of the other calls.
            codes = {answer.code for answer in answers if isinstance(answer, Refused)}
            assert codes == {"UDAPI100010"}


async def test_a_refused_token_is_told_apart_on_reads(upstox: Simulated) -> None:
    async with upstox.http.post("/simulator/v1/faults/tokens", json={"alive": False}) as response:
        assert response.status == 204
    calls = upstox.calls
    for read in (calls.orders, calls.trades, calls.positions, calls.holdings, calls.funds,
                 calls.stream_address):  # fmt: skip
        with pytest.raises(UpstoxUnauthorised, match="UDAPI100050"):
            await read()
    refused = await calls.place(order_terms(), "o-1")
    assert isinstance(refused, Refused)
    assert refused.code == "UDAPI100050"


async def test_two_accounts_have_their_own_tokens(upstox: Simulated) -> None:
    url = str(upstox.http._base_url).rstrip("/")
    async with account_calls(url, token="of-nobody") as other:
        with pytest.raises(UpstoxUnauthorised):
            await other.orders()
        assert (await upstox.calls.orders()).rows == []
        with pytest.raises(UpstoxUnauthorised):
            await other.orders()
