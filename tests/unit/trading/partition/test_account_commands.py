"""An exit of paper positions needs no price, and buys no delivered shares back."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from services.trading.paper.broker import PaperBroker
from services.trading.partition.account_commands import AccountCommands
from services.trading.partition.idempotency import Outcome
from services.trading.partition.ledger import Ledger
from services.trading.partition.paper_orders import PaperOrders
from shared.contracts.order_terms import Account, OrderType, Product, Side
from shared.contracts.trading import ExitRequest
from shared.contracts.trading_replies import OrdersReply, OrderView
from shared.errors import NotFound
from shared.market.exchange_calendar import Calendar
from tests.support.trading_journal import (
    CRUDE_FUTURE,
    DELIVERY_SHARE,
    INTRADAY_SHARE,
    OPENING_CASH,
    USER,
    Journal,
)


class Once:
    """Carries a command out, and stores nothing."""

    async def answer(
        self, operation: Any, request: Any, work: Callable[[], Awaitable[Any]]
    ) -> msgspec.Raw:
        outcome = await work()
        assert isinstance(outcome, Outcome)
        return msgspec.Raw(outcome.answer)


class Acceptance:
    def check(self) -> None:
        """Everything is accepted."""


def exited(journal: Journal, **fields: Any) -> list[OrderView]:
    """The orders of an exit by an owner that knows no price."""
    ledger = Ledger(PaperBroker(Calendar()), OPENING_CASH)
    ledger.load_accounts([journal.account], len(journal.entries))
    once, acceptance, unused = (_any(one) for one in (Once(), Acceptance(), None))
    orders = PaperOrders(ledger, latency_ms=0)
    commands = AccountCommands(ledger, orders, once, acceptance, unused, unused)
    request = ExitRequest(user_id=USER, command_key="exit", account=Account.PAPER, **fields)
    reply = asyncio.run(commands.exit(request))
    return msgspec.json.decode(reply, type=OrdersReply).orders


def _any(value: object) -> Any:
    return value


def test_positions_without_a_price_are_closed_by_orders_that_rest() -> None:
    journal = Journal()
    journal.trade(INTRADAY_SHARE, Side.BUY, 10, 100, Product.INTRADAY)
    journal.trade(CRUDE_FUTURE, Side.SELL, 2, 100)
    orders = exited(journal)
    assert {(one.key, one.side, one.quantity, one.state) for one in orders} == {
        (INTRADAY_SHARE.key, Side.SELL, 10, "open"),
        (CRUDE_FUTURE.key, Side.BUY, 2, "open"),
    }
    assert {one.order_type for one in orders} == {OrderType.MARKET}


def test_shares_that_the_holding_delivers_are_bought_back_only_by_their_name() -> None:
    journal = Journal()
    journal.trade(DELIVERY_SHARE, Side.BUY, 10, 100)
    journal.end_day()
    journal.trade(DELIVERY_SHARE, Side.SELL, 10, 110)
    assert journal.account.net_quantity(DELIVERY_SHARE.key, Product.DELIVERY) == -10
    assert exited(journal) == []
    (order,) = exited(journal, key=DELIVERY_SHARE.key)
    assert (order.side, order.quantity) == (Side.BUY, 10)


def test_a_position_that_does_not_exist_is_not_found() -> None:
    journal = Journal()
    journal.trade(INTRADAY_SHARE, Side.BUY, 10, 100, Product.INTRADAY)
    with pytest.raises(NotFound):
        exited(journal, key=INTRADAY_SHARE.key, product=Product.DELIVERY)
