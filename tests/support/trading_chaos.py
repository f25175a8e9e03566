"""Commands that are repeated until they are answered, and a check of everything that was stored."""

from decimal import Decimal
from fractions import Fraction
from typing import Final, TypeVar

import msgspec

from services.trading.journal.entry import Entry
from services.trading.portfolio.account import PaperAccount
from services.trading.store.documents import COMMANDS, JOURNAL
from shared.contracts.order_terms import Account
from shared.contracts.trading import (
    AccountQuery,
    Events,
    EventsQuery,
    Funds,
    Operation,
    Orders,
    OrdersQuery,
    Positions,
    UserEvent,
)
from shared.errors import CommandInFlight, Overloaded, Unavailable
from shared.runtime.mongo import Mongo
from tests.support.trading_client import TradingClient
from tests.support.trading_ledger import Ledger
from tests.support.waiting import eventually

TRY_SECS: Final = 0.5
"""A request that a dead process has received is sent again after this time."""
OPENING_CASH: Final = 1_000_000
NO_LIMITS: Final = {
    "TRADEDAD_TRADING_PAPER_LATENCY_MS": "0",
    "TRADEDAD_TRADING_MAX_ORDERS_PER_SEC": "1000",
    "TRADEDAD_TRADING_MAX_OPEN_ORDERS": "1000",
}
ReplyT = TypeVar("ReplyT", bound=msgspec.Struct)


async def repeated(
    client: TradingClient,
    operation: Operation,
    request: msgspec.Struct,
    reply_type: type[ReplyT],
    *,
    try_secs: float = TRY_SECS,
) -> ReplyT:
    """The reply to a request that is sent again, each time with this deadline, until it is answered.

    Raises the RequestError of an answer that stands.
    """

    async def answered() -> list[ReplyT]:
        try:
            return [await client.call(operation, request, reply_type, timeout_secs=try_secs)]
        except (Unavailable, Overloaded, CommandInFlight):
            return []

    (reply,) = await eventually(answered, what=f"{operation.value} is answered")
    return reply


async def entries_of(mongo: Mongo, user_id: str) -> list[Entry]:
    """The journal of a user."""
    cursor = mongo.db[JOURNAL].find({"user": user_id}).sort("_id")
    return [msgspec.json.decode(found["entry"], type=Entry) async for found in cursor]


async def check_account(mongo: Mongo, client: TradingClient) -> PaperAccount:
    """The account by the journal of the client's user, once journal, events and replies agree.

    - The journal has no gap, and each command and each number is stored once.
    - What was published is what is stored, each event once and in order.
    - Orders, positions and funds are those of the journal, computed in two ways.
    """
    user_id = client.user_id
    orders = await repeated(
        client, Operation.ORDERS, OrdersQuery(user_id=user_id, account=Account.PAPER), Orders
    )
    query = AccountQuery(user_id=user_id, account=Account.PAPER)
    positions = await repeated(client, Operation.POSITIONS, query, Positions)
    funds = await repeated(client, Operation.FUNDS, query, Funds)
    entries = await entries_of(mongo, user_id)
    account = PaperAccount(user_id, Decimal(OPENING_CASH))
    for entry in entries:
        account.apply(entry)
    await _check_numbers(mongo)
    told = await _check_events(client, len(entries))
    last_views = {event.order.order_id: event.order for event in told if event.order is not None}
    views = {order.order_id: account.order_view(order) for order in account.orders.values()}
    assert {order.order_id: order for order in orders.orders} == views == last_views
    prices = {position.key: position.ltp for position in positions.positions}
    assert account.positions(prices.get) == positions
    assert account.funds(prices.get) == funds
    _check_money(entries, funds)
    return account


async def _check_numbers(mongo: Mongo) -> None:
    numbers = [found["number"] async for found in mongo.db[JOURNAL].find({}, {"number": 1})]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    assert len(await mongo.db[COMMANDS].distinct("key")) == await mongo.db[
        COMMANDS
    ].count_documents({})


async def _check_events(client: TradingClient, count: int) -> list[UserEvent]:
    """Read all events again, and compare them with those that were received."""
    told: list[UserEvent] = []
    while len(told) < count:
        query = EventsQuery(user_id=client.user_id, after=len(told))
        page = await repeated(client, Operation.EVENTS, query, Events)
        assert page.events
        told += page.events
    assert [event.seq for event in told] == list(range(1, count + 1))
    received = [event.seq for event in client.events]
    assert received == sorted(set(received)), "an event came twice or late"
    for event in client.events:
        assert event == told[event.seq - 1]
    return told


def _check_money(entries: list[Entry], funds: Funds) -> None:
    ledger = Ledger(entries, OPENING_CASH)
    assert Fraction(str(funds.charges)) == ledger.charges()
    assert Fraction(str(funds.realised)) == ledger.realised()
    assert Fraction(str(funds.position_margin)) == ledger.blocked()
