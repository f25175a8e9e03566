"""Orders at Upstox: sent once, known again after a lost answer, filled by trades only."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from services.simulator.settings import SIMULATED_TOKEN
from shared.contracts.order_terms import Account, OrderType
from shared.contracts.trading import (
    AccountCommand,
    AccountQuery,
    CancelRequest,
    ExitRequest,
    ModifyRequest,
    Operation,
    PreviewChangesRequest,
)
from shared.contracts.trading_replies import (
    Funds,
    Limits,
    OrdersReply,
    OrderView,
    Positions,
    Preview,
)
from shared.errors import BrokerRefused, CommandInFlight, OrderFinal, OrderRefused, TimedOut
from shared.runtime.settings import MongoSettings
from tests.support.builders import KEY
from tests.support.servers import NatsServer
from tests.support.trading_client import USER
from tests.support.upstox_trading import (
    CANCEL,
    MODIFY,
    PLACE,
    LinkedClient,
    linked_client,
    resting,
    upstox_order,
)
from tests.support.waiting import eventually


@pytest.fixture
async def linked(
    nats: NatsServer, mongo_settings: MongoSettings, tmp_path: Path
) -> AsyncIterator[LinkedClient]:
    async with linked_client(nats, mongo_settings, tmp_path / "keys") as made:
        yield made


async def low_limit(linked: LinkedClient) -> dict[str, object]:
    """The fields of an order that rests far below the market."""
    (instrument,) = [one for one in await linked.upstox.get("instruments") if one["key"] == KEY]
    assert instrument["key"] == KEY
    return resting("1350.00")


async def cancel(linked: LinkedClient, order_id: str, command_key: str) -> OrderView:
    request = CancelRequest(user_id=USER, command_key=command_key, order_id=order_id)
    return await linked.client.call(Operation.CANCEL, request, OrderView)


async def test_an_order_is_taken_and_filled_by_its_trades(linked: LinkedClient) -> None:
    order = await linked.place("a")
    assert order.state in ("open", "partly_filled", "filled")
    order = await linked.reaches(order.order_id, "filled")
    (row,) = await linked.upstox.orders()
    assert (row["tag"], row["order_id"]) == (order.order_id, order.broker_order_id)
    fills = await linked.upstox.get("fills")
    value = sum(Decimal(str(one["price"])) * one["quantity"] for one in fills)
    assert order.average_price is not None
    assert abs(order.average_price - value / 10) < Decimal("0.0001")
    query = AccountQuery(user_id=USER, account=Account.UPSTOX)
    positions = await linked.client.call(Operation.POSITIONS, query, Positions)
    assert [(one.key, one.quantity) for one in positions.positions] == [(KEY, 10)]
    funds = await linked.client.call(Operation.FUNDS, query, Funds)
    assert funds.account is Account.UPSTOX
    assert funds.available < 1_000_000


@pytest.mark.parametrize("kind", ["lost", "late"])
async def test_an_order_whose_answer_is_lost_is_found_by_its_tag(
    linked: LinkedClient, kind: str
) -> None:
    await linked.upstox.arm(kind, PLACE, delay_secs=20 if kind == "late" else 0)
    order = await linked.place("a")
    assert order.state in ("unknown", "open", "filled")
    await linked.reaches(order.order_id, "filled")
    assert len(await linked.upstox.orders()) == 1
    again = await linked.place("a")
    assert again.order_id == order.order_id
    assert len(await linked.upstox.orders()) == 1


async def test_an_order_that_upstox_never_received_stays_unknown(linked: LinkedClient) -> None:
    await linked.upstox.arm("error", PLACE, status=500)
    order = await linked.place("a")
    assert order.state == "unknown"
    await linked.place("b")
    assert (await linked.order(order.order_id)).state == "unknown"
    assert len(await linked.upstox.orders()) == 1


async def test_a_refusal_has_the_code_and_words_of_upstox(linked: LinkedClient) -> None:
    await linked.upstox.arm("error", PLACE, status=400)
    for _ in range(2):
        with pytest.raises(BrokerRefused) as refusal:
            await linked.place("a")
        assert refusal.value.members["broker_code"].startswith("UDAPI")
    (order,) = await linked.orders()
    assert order.state == "rejected"
    assert await linked.upstox.orders() == []


async def test_a_command_that_is_sent_a_hundred_times_makes_one_order(
    linked: LinkedClient,
) -> None:
    async def place() -> str | None:
        try:
            return (await linked.place("a")).order_id
        except CommandInFlight:
            return None

    ids = set(await asyncio.gather(*[place() for _ in range(100)])) - {None}
    assert len(ids) == 1
    assert len(await linked.upstox.orders()) == 1


async def test_an_order_is_changed_and_cancelled(linked: LinkedClient) -> None:
    order = await linked.place("a", **await low_limit(linked))
    change = ModifyRequest(
        user_id=USER, command_key="b", order_id=order.order_id, price=Decimal("1351.00")
    )
    asked = PreviewChangesRequest(user_id=USER, order_id=order.order_id, price=change.price)
    preview = await linked.client.call(Operation.PREVIEW_CHANGES, asked, Preview)
    assert preview.passed
    assert preview.value == order.quantity * Decimal("1351.00")
    order = await linked.client.call(Operation.MODIFY, change, OrderView)
    assert order.price == Decimal("1351.00")
    await cancel(linked, order.order_id, "c")
    await linked.reaches(order.order_id, "cancelled")
    with pytest.raises(OrderFinal):
        await cancel(linked, order.order_id, "d")
    (row,) = await linked.upstox.orders()
    assert (row["status"], row["price"]) == ("cancelled", 1351.0)


async def test_lost_answers_to_a_change_and_a_cancellation_are_settled(
    linked: LinkedClient,
) -> None:
    order = await linked.place("a", **await low_limit(linked))
    await linked.upstox.arm("lost", MODIFY)
    change = ModifyRequest(
        user_id=USER, command_key="b", order_id=order.order_id, price=Decimal("1351.00")
    )
    await linked.client.call(Operation.MODIFY, change, OrderView)
    order = await linked.reaches(order.order_id, "open")
    assert order.price == Decimal("1351.00")
    await linked.upstox.arm("lost", CANCEL)
    await cancel(linked, order.order_id, "c")
    await linked.reaches(order.order_id, "cancelled")


async def test_an_order_that_was_placed_elsewhere_is_shown_as_external(
    linked: LinkedClient,
) -> None:
    body = {
        "quantity": 3, "product": "I", "validity": "DAY", "price": 0, "tag": "by-hand",
        "instrument_token": KEY, "order_type": "MARKET", "transaction_type": "BUY",
        "disclosed_quantity": 0, "trigger_price": 0, "is_amo": False, "slice": False,
        "market_protection": -1,
    }  # fmt: skip
    headers = {"Authorization": f"Bearer {SIMULATED_TOKEN}"}
    async with linked.upstox.http.post(
        f"{linked.upstox.url}{PLACE}", json=body, headers=headers
    ) as response:
        assert response.status == 200, await response.text()

    async def is_shown() -> bool:
        return [one.filled_quantity for one in await linked.orders()] == [3]

    await eventually(is_shown, what="the external order is filled")
    (order,) = await linked.orders()
    assert (order.external, order.state) == (True, "filled")


async def test_all_orders_are_cancelled_and_all_positions_closed(linked: LinkedClient) -> None:
    bought = await linked.place("a")
    await linked.reaches(bought.order_id, "filled")
    rests = [await linked.place(key, **await low_limit(linked)) for key in ("b", "c")]
    command = AccountCommand(user_id=USER, command_key="d", account=Account.UPSTOX)
    reply = await linked.client.call(Operation.CANCEL_ALL, command, OrdersReply)
    assert {one.order_id for one in reply.orders} == {one.order_id for one in rests}
    for order in rests:
        await linked.reaches(order.order_id, "cancelled")
    exit_all = ExitRequest(user_id=USER, command_key="e", account=Account.UPSTOX)
    reply = await linked.client.call(Operation.EXIT, exit_all, OrdersReply)
    (closing,) = reply.orders
    await linked.reaches(closing.order_id, "filled")
    query = AccountQuery(user_id=USER, account=Account.UPSTOX)
    positions = await linked.client.call(Operation.POSITIONS, query, Positions)
    assert [one.quantity for one in positions.positions] == [0]


async def test_a_dead_token_is_said_and_nothing_is_sent(linked: LinkedClient) -> None:
    await linked.place("a", **await low_limit(linked))
    await linked.upstox.post("faults/tokens", {"alive": False})

    async def is_refused() -> bool:
        try:
            await linked.place("b")
        except OrderRefused as error:
            return error.members.get("value") == "expired"
        except (BrokerRefused, Exception):  # noqa: BLE001 - the refusal comes once it is known
            return False
        return False

    await eventually(is_refused, what="the expired login is known")
    assert len(await linked.upstox.orders()) == 1


async def test_nothing_goes_to_upstox_without_the_operators_switch(
    nats: NatsServer, mongo_settings: MongoSettings, tmp_path: Path
) -> None:
    async with linked_client(
        nats, mongo_settings, tmp_path / "keys", has_live_orders=False
    ) as linked:
        with pytest.raises(OrderRefused) as refusal:
            await linked.place("a")
        assert refusal.value.members["rule"] == "live_orders"
        request = upstox_order("b", order_type=OrderType.MARKET)
        with pytest.raises(OrderRefused):
            await linked.client.call(Operation.PREVIEW, request, OrderView)
        assert await linked.upstox.orders() == []


async def test_a_loss_at_upstox_locks_new_orders_there_until_the_day_ends(
    nats: NatsServer, mongo_settings: MongoSettings, tmp_path: Path
) -> None:
    async with linked_client(
        nats, mongo_settings, tmp_path / "keys", max_daily_loss_rupees="100.00"
    ) as linked:
        order = await linked.place("a", **await low_limit(linked))
        fill = {"quantity": 10, "price": 5_000}
        await linked.upstox.post(f"orders/{order.broker_order_id}/fills", fill)
        await linked.reaches(order.order_id, "filled")
        for key in ("b", "c"):
            with pytest.raises(OrderRefused) as refusal:
                await linked.place(key)
            assert refusal.value.members["rule"] == "loss_lock"
        query = AccountQuery(user_id=USER, account=Account.UPSTOX)
        assert (await linked.client.call(Operation.LIMITS, query, Limits)).loss_lock
        paper = AccountQuery(user_id=USER, account=Account.PAPER)
        assert not (await linked.client.call(Operation.LIMITS, paper, Limits)).loss_lock


async def test_an_unknown_order_is_counted_also_after_the_login_has_expired(
    linked: LinkedClient,
) -> None:
    labels = {"partition": "0", "kind": "followed"}

    def value(name: str, labels: dict[str, str]) -> float | None:
        return REGISTRY.get_sample_value(name, labels)

    await linked.upstox.arm("error", PLACE, status=500)
    assert (await linked.place("a")).state == "unknown"
    await linked.upstox.post("faults/tokens", {"alive": False})

    def is_not_followed() -> bool:
        return value("tradedad_trading_upstox_accounts", labels) == 0

    await eventually(is_not_followed, what="the account with a dead token is not followed")
    assert value("tradedad_trading_unknown_orders", {"partition": "0"}) == 1


async def test_an_order_whose_deadline_passes_while_it_waits_for_a_thread_is_not_sent(
    nats: NatsServer, mongo_settings: MongoSettings, tmp_path: Path
) -> None:
    async with linked_client(
        nats, mongo_settings, tmp_path / "keys", upstox_threads=1, timeout_secs=10
    ) as linked:
        limit = await low_limit(linked)
        await linked.upstox.arm("slow", path=PLACE, delay_secs=5)
        first = asyncio.create_task(linked.place("a", **limit))

        async def is_sending(count: int) -> bool:
            return [one.state for one in await linked.orders()] == ["sending"] * count

        await eventually(lambda: is_sending(1), what="the first order is sent")
        with pytest.raises(TimedOut):
            await linked.client.call(
                Operation.PLACE, upstox_order("b", **limit), OrderView, timeout_secs=3.0
            )
        assert await is_sending(2)
        await first
        (late,) = [one for one in await linked.orders() if one.order_id != first.result().order_id]
        late = await linked.reaches(late.order_id, "rejected")
        assert late.code == "deadline_passed"
        assert len(await linked.upstox.orders()) == 1


@pytest.mark.parametrize("is_concurrent", [False, True], ids=["one by one", "at once"])
async def test_a_change_keeps_an_earlier_one_that_is_not_shown_yet(
    linked: LinkedClient, *, is_concurrent: bool
) -> None:
    order = await linked.place("a", **await low_limit(linked))
    await linked.reaches(order.order_id, "open")
    await linked.upstox.post("faults", {"kind": "stall", "stream": "portfolio"})

    async def change(command_key: str, **fields: Any) -> None:
        request = ModifyRequest(
            user_id=USER, command_key=command_key, order_id=order.order_id, **fields
        )

        async def is_taken() -> bool:
            try:
                await linked.client.call(Operation.MODIFY, request, OrderView)
            except CommandInFlight:
                return False
            return True

        await eventually(is_taken, what=f"{command_key} is taken")

    changes = [change("b", quantity=4), change("c", price=Decimal("1340.00"))]
    if is_concurrent:
        await asyncio.gather(*changes)
    else:
        for one in changes:
            await one
    changed = await linked.reaches(order.order_id, "open")
    assert (changed.quantity, changed.price) == (4, Decimal("1340.00"))
    (row,) = await linked.upstox.orders()
    assert (row["quantity"], row["price"]) == (4, 1_340.0)


async def test_many_commands_keep_to_upstoxs_limit_of_a_second(
    nats: NatsServer, mongo_settings: MongoSettings, tmp_path: Path
) -> None:
    async with linked_client(
        nats, mongo_settings, tmp_path / "keys", has_rate_limits=True
    ) as linked:
        limit = await low_limit(linked)
        placed = [await linked.place(f"p{number}", **limit) for number in range(10)]
        command = AccountCommand(user_id=USER, command_key="all", account=Account.UPSTOX)
        await linked.client.call(Operation.CANCEL_ALL, command, OrdersReply)
        for order in placed:
            assert (await linked.reaches(order.order_id, "cancelled")).code is None
