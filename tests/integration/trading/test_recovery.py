"""A new owner of a partition goes on where the last one ended. Real nats-server and mongod."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Final

import pytest

from services.trading.journal.entry import KillSwitchSet
from services.trading.paper.broker import PaperBroker
from services.trading.partition.ledger import Ledger
from services.trading.partition.market import Market
from services.trading.store import journal
from services.trading.store.documents import JOURNAL, PARTITIONS, entry_id
from services.trading.store.journal import Journal
from shared.bus.lease import Term
from shared.bus.resources import ensure_ticks_stream
from shared.bus.stream_reader import Entry
from shared.bus.tick_reader import TickReader
from shared.contracts.order_terms import Account, OrderType, Product
from shared.contracts.subjects import TICKS_STREAM
from shared.contracts.trading import (
    AccountCommand,
    AccountQuery,
    ModifyRequest,
    Operation,
    OrderQuery,
)
from shared.contracts.trading_replies import Funds, Holdings, OrderDetail, OrderView, Positions
from shared.errors import Unavailable
from shared.market.exchange_calendar import Calendar
from shared.market.exchange_time import DAY_MS, MINUTE_MS
from shared.runtime.clock import SystemClock
from shared.runtime.epoch_guard import EpochGuard
from shared.runtime.mongo import Mongo
from shared.runtime.settings import MongoSettings
from tests.support.buses import STREAM_AGE_SECS, STREAM_BYTES, ingest_bus
from tests.support.servers import NatsServer
from tests.support.trading import trading
from tests.support.trading_client import (
    USER,
    TestMarket,
    TradingClient,
    order_request,
    trading_client,
)
from tests.support.waiting import eventually

OTHER: Final = "user-2"


@asynccontextmanager
async def owner(
    nats: NatsServer, mongo: MongoSettings, user_id: str = USER
) -> AsyncIterator[TradingClient]:
    """A term of the partition, and a client of it."""
    async with (
        trading(nats, mongo, paper_latency_ms=0),
        trading_client(nats, user_id) as client,
    ):
        yield client


async def place(client: TradingClient, key: str, **fields: object) -> OrderView:
    request = order_request(key, **({"user_id": client.user_id} | fields))
    return await client.call(Operation.PLACE, request, OrderView)


async def order_of(client: TradingClient, order_id: str) -> OrderView:
    query = OrderQuery(user_id=client.user_id, order_id=order_id)
    return (await client.call(Operation.ORDER, query, OrderDetail)).order


async def reaches(client: TradingClient, order_id: str, quantity: int) -> OrderView:
    async def is_reached() -> bool:
        return (await order_of(client, order_id)).filled_quantity >= quantity

    await eventually(is_reached, what=f"{quantity} are filled")
    return await order_of(client, order_id)


async def forget_ticks(nats: NatsServer) -> None:
    """As if all entries had expired."""
    async with ingest_bus(nats) as bus:
        await ensure_ticks_stream(bus, max_age_secs=STREAM_AGE_SECS, max_bytes=1)
        assert (await bus.js.stream_info(TICKS_STREAM)).state.messages == 0
        await ensure_ticks_stream(bus, max_age_secs=STREAM_AGE_SECS, max_bytes=STREAM_BYTES)


async def test_orders_before_a_reset_do_not_stop_the_next_owner(
    nats: NatsServer, mongo_settings: MongoSettings, moved: TestMarket
) -> None:
    async with owner(nats, mongo_settings) as client:
        await place(client, "a", order_type=OrderType.LIMIT, price=Decimal("1390.00"))
        reset = AccountCommand(user_id=USER, command_key="b", account=Account.PAPER)
        await client.call(Operation.RESET, reset, Funds)
    async with owner(nats, mongo_settings) as client:
        query = AccountQuery(user_id=USER, account=Account.PAPER)
        assert (await client.call(Operation.FUNDS, query, Funds)).order_margin == 0
        order = await place(client, "c")
        await moved.quote(1_400.0)
        await reaches(client, order.order_id, 10)


async def test_an_order_rests_on_although_its_owner_ends_in_the_first_seconds(
    nats: NatsServer, mongo_settings: MongoSettings, moved: TestMarket
) -> None:
    async with owner(nats, mongo_settings) as client:
        order = await place(client, "a")
    await moved.quote(1_400.0, asks=[(1_400.05, 10)])
    await moved.quote(1_500.0, asks=[(1_500.05, 10)])
    async with owner(nats, mongo_settings) as client:
        order = await reaches(client, order.order_id, 10)
        assert order.average_price == Decimal("1400.05")


async def test_no_trade_is_repeated_although_its_quote_has_expired(
    nats: NatsServer, mongo_settings: MongoSettings, moved: TestMarket
) -> None:
    async with owner(nats, mongo_settings) as client:
        whole = await place(client, "a")
        part = await place(client, "b")
        await moved.quote(1_400.0, asks=[(1_400.05, 14)])
        await reaches(client, part.order_id, 4)
    await forget_ticks(nats)
    async with owner(nats, mongo_settings) as client:
        await moved.quote(1_400.0, asks=[(1_400.05, 1_000)])
        await moved.quote(1_400.0, asks=[(1_400.05, 2_000)])
        assert (await reaches(client, part.order_id, 10)).filled_quantity == 10
        assert (await order_of(client, whole.order_id)).filled_quantity == 10
        query = AccountQuery(user_id=USER, account=Account.PAPER)
        (position,) = (await client.call(Operation.POSITIONS, query, Positions)).positions
        assert position.quantity == 20


async def test_no_trade_is_repeated_although_ticks_were_put_back_and_continued(
    nats: NatsServer, mongo_settings: MongoSettings, moved: TestMarket, tmp_path: Path
) -> None:
    async with owner(nats, mongo_settings):  # whose checkpoint lies before the copy
        pass
    nats.kill()
    await asyncio.to_thread(shutil.copytree, nats.folder, tmp_path / "copy")
    await asyncio.to_thread(nats.start)
    await moved.wait_connected()
    async with owner(nats, mongo_settings) as client:
        whole = await place(client, "a")
        part = await place(client, "b")
        await moved.quote(1_400.0, asks=[(1_400.05, 14)])
        await reaches(client, part.order_id, 4)
    nats.kill()
    await asyncio.to_thread(shutil.rmtree, nats.folder)
    await asyncio.to_thread(shutil.copytree, tmp_path / "copy", nats.folder)
    await asyncio.to_thread(nats.start)
    await moved.wait_connected()
    for _ in range(5):
        await moved.quote(1_400.0, asks=[(1_400.05, 1_000)])
    async with owner(nats, mongo_settings) as client:
        await moved.quote(1_400.0, asks=[(1_400.05, 2_000)])
        assert (await reaches(client, part.order_id, 10)).filled_quantity == 10
        assert (await order_of(client, whole.order_id)).filled_quantity == 10
        query = AccountQuery(user_id=USER, account=Account.PAPER)
        (position,) = (await client.call(Operation.POSITIONS, query, Positions)).positions
        assert position.quantity == 20


async def test_a_partition_is_served_although_all_entries_of_ticks_have_expired(
    nats: NatsServer, mongo_settings: MongoSettings, moved: TestMarket
) -> None:
    async with owner(nats, mongo_settings) as client:
        order = await place(client, "a", order_type=OrderType.LIMIT, price=Decimal("1390.00"))
    await moved.quote(1_400.0)
    await forget_ticks(nats)
    async with owner(nats, mongo_settings) as client:
        assert (await order_of(client, order.order_id)).state == "open"


async def test_an_owner_begins_anew_if_the_stored_state_of_the_broker_is_of_another_version(
    nats: NatsServer, mongo_settings: MongoSettings, moved: TestMarket, mongo: Mongo
) -> None:
    async with owner(nats, mongo_settings) as client:
        order = await place(client, "a")
    changed = await mongo.db[PARTITIONS].update_many({}, {"$set": {"state": b"of a later version"}})
    assert changed.modified_count == 1
    async with owner(nats, mongo_settings) as client:
        await moved.quote(1_400.0)
        await reaches(client, order.order_id, 10)


@pytest.mark.parametrize("damage", ["changed", "lost"])
async def test_a_damaged_journal_closes_the_account_of_its_user_only(
    nats: NatsServer, mongo_settings: MongoSettings, moved: TestMarket, mongo: Mongo, damage: str
) -> None:
    async with owner(nats, mongo_settings) as client:
        await place(client, "a")
    async with owner(nats, mongo_settings, OTHER) as client:
        order = await place(client, "a")
    damaged = {"_id": entry_id(USER, 1)}
    if damage == "changed":
        await mongo.db[JOURNAL].update_one(damaged, {"$set": {"entry": b'{"user_id":"user-1"}'}})
    else:
        await mongo.db[JOURNAL].delete_one(damaged)
    async with owner(nats, mongo_settings, OTHER) as client:
        await moved.quote(1_400.0)
        await reaches(client, order.order_id, 10)
        query = AccountQuery(user_id=USER, account=Account.PAPER)
        with pytest.raises(Unavailable, match="damaged"):
            await client.call(Operation.FUNDS, query, Funds)
        with pytest.raises(Unavailable, match="damaged"):
            await client.call(Operation.PLACE, order_request("b"), OrderView)


async def test_one_entry_of_ticks_can_end_more_orders_than_the_journal_lets_wait(
    nats: NatsServer,
    mongo_settings: MongoSettings,
    moved: TestMarket,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(journal, "_MAX_WAITING", 2)
    async with owner(nats, mongo_settings) as client:
        orders = [await place(client, f"{number}", quantity=1) for number in range(8)]
        await moved.quote(1_400.0)
        for order in orders:
            await reaches(client, order.order_id, 1)


class NoEntries(TickReader):
    """TICKS while nothing happens."""

    def __init__(self) -> None:
        pass

    async def batch(self) -> list[Entry]:
        return []


async def test_a_change_that_was_not_appended_ends_the_term_before_the_journal_has_a_gap(
    mongo: Mongo,
) -> None:
    async def publish(_: object) -> None:
        raise AssertionError("nothing is stored")

    clock = SystemClock()
    guard = EpochGuard(mongo, PARTITIONS, "0/1")
    try:
        ledger = Ledger(PaperBroker(Calendar()), Decimal(1))
        appended = Journal(mongo, guard, 1, publish, number=0)
        term = Term(epoch=1, clock=clock, valid_until=float("inf"))
        driven = Market(
            ledger, appended, term, clock, Calendar(),
            stream="", last_position=0, commands=[], is_new=False, day_ends=list, due=list,
        )  # fmt: skip
        ledger.record(USER, KillSwitchSet(is_on=True, at_ms=0))
        with pytest.raises(RuntimeError, match="in memory"):
            await driven.run(NoEntries())
        later = ledger.record(USER, KillSwitchSet(is_on=False, at_ms=0))
        with pytest.raises(RuntimeError, match="does not follow"):
            appended.append([later])
    finally:
        await guard.close()


async def test_a_stop_order_can_be_modified_after_its_trigger(
    nats: NatsServer, mongo_settings: MongoSettings, moved: TestMarket
) -> None:
    async with owner(nats, mongo_settings) as client:
        order = await place(
            client, "a", order_type=OrderType.SL,
            price=Decimal("1412.00"), trigger_price=Decimal("1410.00"),
        )  # fmt: skip
        await moved.quote(1_420.0)

        async def is_triggered() -> bool:
            return (await order_of(client, order.order_id)).order_type is OrderType.LIMIT

        await eventually(is_triggered, what="the order is triggered")
        for number, quantity in enumerate((20, 15)):
            price = Decimal(1_413 + number)
            change = ModifyRequest(
                user_id=USER, command_key=f"m{number}", order_id=order.order_id,
                price=price, quantity=quantity,
            )  # fmt: skip
            order = await client.call(Operation.MODIFY, change, OrderView)
            assert (order.price, order.quantity, order.state) == (price, quantity, "open")
        await moved.quote(1_413.5)
        assert (await reaches(client, order.order_id, 15)).state == "filled"


async def test_an_order_of_an_earlier_day_expires_although_ticks_were_lost(
    nats: NatsServer, mongo_settings: MongoSettings, moved: TestMarket
) -> None:
    async with owner(nats, mongo_settings) as client:
        order = await place(client, "a", order_type=OrderType.LIMIT, price=Decimal("1390.00"))
    await forget_ticks(nats)
    await moved.quote(1_380.0, after_ms=DAY_MS)
    async with owner(nats, mongo_settings) as client:
        await moved.quote(1_380.0, after_ms=MINUTE_MS)

        def is_expired() -> bool:
            ended = (one.order for one in client.events if one.order is not None)
            return any((one.order_id, one.state) == (order.order_id, "expired") for one in ended)

        await eventually(is_expired, what="the order expires")


async def test_a_day_that_ended_without_an_owner_has_ended_when_the_next_one_serves(
    nats: NatsServer, mongo_settings: MongoSettings, moved: TestMarket
) -> None:
    async with owner(nats, mongo_settings) as client:
        order = await place(client, "a", product=Product.DELIVERY)
        await moved.quote(1_400.0)
        await reaches(client, order.order_id, 10)
    await moved.quote(1_400.0, after_ms=2 * DAY_MS)  # Tuesday is a holiday
    async with owner(nats, mongo_settings) as client:
        query = AccountQuery(user_id=USER, account=Account.PAPER)
        (holding,) = (await client.call(Operation.HOLDINGS, query, Holdings)).holdings
        assert (holding.quantity, holding.t1_quantity) == (0, 10)
