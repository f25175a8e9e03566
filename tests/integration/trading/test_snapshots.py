"""A new owner begins with stored accounts and the later entries. Real nats-server and mongod."""

from decimal import Decimal
from typing import Any

import pytest

from services.trading.store.documents import JOURNAL, PARTITIONS, SNAPSHOTS
from shared.contracts.order_terms import Account, OrderType
from shared.contracts.trading import (
    AccountQuery,
    CancelRequest,
    Operation,
    OrdersQuery,
    partition_of,
)
from shared.contracts.trading_replies import Funds, Orders, OrderView
from shared.errors import Unavailable
from shared.runtime.mongo import Document, Mongo
from shared.runtime.settings import MongoSettings
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

EVERY_ENTRIES = 3
OTHER = "user-3"
OF_USER = AccountQuery(user_id=USER, account=Account.PAPER)


async def stored_set(mongo: Mongo, *, other_than: str | None = None) -> str:
    """The set of accounts that counts, once there is one and no other is left."""

    async def look() -> str | None:
        document: Document = await mongo.db[PARTITIONS].find_one({}) or {}
        set_id: str | None = document.get("snapshots_id")
        sets = await mongo.db[SNAPSHOTS].distinct("set")
        return set_id if sets == [set_id] and set_id != other_than else None

    found = await eventually(look, what="accounts are stored, and older ones removed")
    assert found is not None
    return found


async def place(client: TradingClient, key: str, **terms: object) -> OrderView:
    request = order_request(key, **terms)
    return await client.call(Operation.PLACE, request, OrderView)


async def told(client: TradingClient) -> tuple[Funds, Orders]:
    """All that follows from the journal and not from prices."""
    query = OrdersQuery(user_id=USER, account=Account.PAPER)
    return (
        await client.call(Operation.FUNDS, OF_USER, Funds),
        await client.call(Operation.ORDERS, query, Orders),
    )


async def filled(client: TradingClient, market: TestMarket, order: OrderView) -> None:
    await market.quote(1_400.0)
    await eventually(
        lambda: any(
            event.order is not None
            and (event.order.order_id, event.order.state) == (order.order_id, "filled")
            for event in client.events
        ),
        what="the order is filled",
    )


async def test_a_new_owner_needs_only_the_entries_after_the_stored_accounts(
    nats: NatsServer, mongo_settings: MongoSettings, moved: TestMarket, mongo: Mongo
) -> None:
    options: dict[str, Any] = {"paper_latency_ms": 0, "snapshot_entries": EVERY_ENTRIES}
    async with trading(nats, mongo_settings, **options), trading_client(nats) as client:
        order = await place(client, "a")
        resting = await place(client, "b", order_type=OrderType.LIMIT, price=Decimal("1390.00"))
        await filled(client, moved, order)
        first = await stored_set(mongo)
        last = await place(client, "c")
        await filled(client, moved, last)
        second = await stored_set(mongo, other_than=first)
        before = await told(client)
    document = await mongo.db[PARTITIONS].find_one({})
    assert document is not None
    covered = {"number": {"$lte": document["snapshots_number"]}}
    assert (await mongo.db[JOURNAL].delete_many(covered)).deleted_count >= 2 * EVERY_ENTRIES
    async with trading(nats, mongo_settings, **options), trading_client(nats) as client:
        assert await told(client) == before
        cancel = CancelRequest(user_id=USER, command_key="d", order_id=resting.order_id)
        assert (await client.call(Operation.CANCEL, cancel, OrderView)).state == "cancelled"
        await filled(client, moved, await place(client, "e"))
        assert await stored_set(mongo, other_than=second)
        after = await told(client)
    async with trading(nats, mongo_settings, **options), trading_client(nats) as client:
        assert await told(client) == after


@pytest.mark.parametrize("damage", ["one is missing", "one is of a later version"])
async def test_the_whole_journal_is_read_if_a_stored_account_cannot_be_used(
    nats: NatsServer, mongo_settings: MongoSettings, moved: TestMarket, mongo: Mongo, damage: str
) -> None:
    options: dict[str, Any] = {"paper_latency_ms": 0, "snapshot_entries": EVERY_ENTRIES}
    async with trading(nats, mongo_settings, **options), trading_client(nats) as client:
        await filled(client, moved, await place(client, "a"))
        await stored_set(mongo)
        before = await told(client)
    if damage == "one is missing":
        await mongo.db[SNAPSHOTS].delete_one({"user": USER})
    else:
        await mongo.db[SNAPSHOTS].update_one({"user": USER}, {"$set": {"state": b"later"}})
    async with trading(nats, mongo_settings, **options), trading_client(nats) as client:
        assert await told(client) == before
        await filled(client, moved, await place(client, "b"))


async def test_accounts_are_not_stored_while_the_journal_of_one_is_damaged(
    nats: NatsServer, mongo_settings: MongoSettings, moved: TestMarket, mongo: Mongo
) -> None:
    async with trading(nats, mongo_settings), trading_client(nats) as client:
        await place(client, "a")
    await mongo.db[JOURNAL].update_one({"user": USER, "seq": 1}, {"$set": {"entry": b"{}"}})
    async with (
        trading(nats, mongo_settings, paper_latency_ms=0, snapshot_entries=1),
        trading_client(nats, "user-2") as client,
    ):
        request = order_request("b", user_id="user-2")
        order = await client.call(Operation.PLACE, request, OrderView)
        await filled(client, moved, order)
        with pytest.raises(Unavailable, match="damaged"):
            await client.call(Operation.FUNDS, OF_USER, Funds)
    assert await mongo.db[SNAPSHOTS].count_documents({}) == 0


async def test_no_entry_is_lost_when_partitions_are_changed_and_changed_back(
    nats: NatsServer, mongo_settings: MongoSettings, moved: TestMarket, mongo: Mongo
) -> None:
    assert (partition_of(USER, 2), partition_of(OTHER, 2)) == (0, 1)
    options: dict[str, Any] = {"paper_latency_ms": 0, "snapshot_entries": EVERY_ENTRIES}
    async with trading(nats, mongo_settings, **options):
        async with trading_client(nats) as client:
            await place(client, "a")
        async with trading_client(nats, OTHER) as other:  # whose entries have the higher numbers
            for number in range(5):
                request = order_request(f"a{number}", user_id=OTHER)
                await other.call(Operation.PLACE, request, OrderView)
            first = await stored_set(mongo)
            for number in range(5):
                request = order_request(f"b{number}", user_id=OTHER)
                await other.call(Operation.PLACE, request, OrderView)
            await stored_set(mongo, other_than=first)
    async with trading(nats, mongo_settings, partitions=2, **options), trading_client(nats) as two:
        resting = await place(two, "b", order_type=OrderType.LIMIT, price=Decimal("1390.00"))
        before = await told(two)
    async with trading(nats, mongo_settings, **options), trading_client(nats) as client:
        assert await told(client) == before
        cancel = CancelRequest(user_id=USER, command_key="c", order_id=resting.order_id)
        assert (await client.call(Operation.CANCEL, cancel, OrderView)).state == "cancelled"
