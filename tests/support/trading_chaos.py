"""Commands that are repeated until they are answered, and a check of everything that was stored."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final, TypeVar

import msgspec

from services.trading.journal.entry import Entry
from services.trading.portfolio.account import PaperAccount
from services.trading.store.documents import COMMANDS, JOURNAL
from shared.contracts.order_terms import Account
from shared.contracts.trading import AccountQuery, EventsQuery, Operation, OrdersQuery
from shared.contracts.trading_replies import Events, Funds, Orders, Positions, UserEvent
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


@dataclass(frozen=True)
class Answers:
    """Everything that the service says of one user's paper account."""

    orders: Orders
    positions: Positions
    funds: Funds
    events: list[UserEvent]


async def _answers(client: TradingClient) -> Answers:
    user_id = client.user_id
    orders = OrdersQuery(user_id=user_id, account=Account.PAPER)
    account = AccountQuery(user_id=user_id, account=Account.PAPER)
    return Answers(
        orders=await repeated(client, Operation.ORDERS, orders, Orders),
        positions=await repeated(client, Operation.POSITIONS, account, Positions),
        funds=await repeated(client, Operation.FUNDS, account, Funds),
        events=await _events(client),
    )


async def _events(client: TradingClient) -> list[UserEvent]:
    told: list[UserEvent] = []
    while True:
        query = EventsQuery(user_id=client.user_id, after=len(told))
        page = await repeated(client, Operation.EVENTS, query, Events)
        if not page.events:
            return told
        told += page.events


async def _at_rest(mongo: Mongo, client: TradingClient) -> tuple[list[Entry], Answers]:
    """The journal and the answers, between which the last quote has filled no further order."""

    async def unchanged() -> list[tuple[list[Entry], Answers]]:
        before = await entries_of(mongo, client.user_id)
        answers = await _answers(client)
        entries = await entries_of(mongo, client.user_id)
        return [(entries, answers)] if len(entries) == len(before) else []

    (found,) = await eventually(unchanged, what="the journal grows no more")
    return found


async def check_account(mongo: Mongo, client: TradingClient) -> PaperAccount:
    """The account by the journal of the client's user, once journal, events and replies agree.

    - The journal has no gap, and each command and each number is stored once.
    - What was published is what is stored, each event once and in order.
    - Orders, positions and funds are those of the journal, computed in two ways.
    """
    entries, answers = await _at_rest(mongo, client)
    account = PaperAccount(client.user_id, Decimal(OPENING_CASH))
    for entry in entries:
        account.apply(entry)
    await _check_numbers(mongo)
    _check_events(client, answers.events, len(entries))
    views = {order.order_id: account.order_view(order) for order in account.orders.values()}
    assert {order.order_id: order for order in answers.orders.orders} == views
    assert {event.order.order_id: event.order for event in answers.events if event.order} == views
    prices = {position.key: position.ltp for position in answers.positions.positions}
    assert account.positions(prices.get) == answers.positions
    assert account.funds(prices.get) == answers.funds
    _check_money(entries, answers.funds)
    return account


async def _check_numbers(mongo: Mongo) -> None:
    numbers = [found["number"] async for found in mongo.db[JOURNAL].find({}, {"number": 1})]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    assert len(await mongo.db[COMMANDS].distinct("key")) == await mongo.db[
        COMMANDS
    ].count_documents({})


def _check_events(client: TradingClient, told: list[UserEvent], count: int) -> None:
    """Compare the events that were read again with those that were received."""
    assert [event.seq for event in told] == list(range(1, count + 1))
    received = [event.seq for event in client.events]
    assert received == sorted(set(received)), "an event came twice or late"
    for event in client.events:
        assert event == told[event.seq - 1]


def _check_money(entries: list[Entry], funds: Funds) -> None:
    ledger = Ledger(entries, OPENING_CASH)
    assert Fraction(str(funds.charges)) == ledger.charges()
    assert Fraction(str(funds.realised)) == ledger.realised()
    assert Fraction(str(funds.position_margin)) == ledger.blocked()
