"""An order at Upstox is checked against the account's own positions, holdings and open orders."""

from decimal import Decimal

import msgspec
import pytest

from services.trading.live.facts import UpstoxFacts, account_facts
from services.trading.orders import events
from services.trading.portfolio.account import PaperAccount
from shared.contracts.order_terms import Account, Product, Side, Terms
from shared.contracts.trading_replies import Funds, Holding, Holdings, PositionView
from tests.support.builders import KEY
from tests.support.trading_journal import Journal, share
from tests.support.upstox_book_rows import LIMIT_99

FUNDS = Funds(
    account=Account.UPSTOX, cash=Decimal(5_000), realised=Decimal(0), charges=Decimal(0),
    order_margin=Decimal(0), position_margin=Decimal(0), available=Decimal(5_000),
)  # fmt: skip


def position(quantity: int, product: Product = Product.INTRADAY) -> PositionView:
    return PositionView(
        key=KEY, product=product, quantity=quantity, buy_quantity=0, buy_value=Decimal(0),
        sell_quantity=0, sell_value=Decimal(0), realised=Decimal(-70), unrealised=Decimal(20),
    )  # fmt: skip


def facts_of(*positions: PositionView, held: int = 0) -> UpstoxFacts:
    holding = Holding(key=KEY, quantity=held, t1_quantity=0, average_price=Decimal(90))
    return UpstoxFacts(list(positions), Holdings(holdings=[holding]), FUNDS)


def closable(facts: UpstoxFacts, side: Side, product: Product, open_sale: int = 0) -> int:
    account = PaperAccount("user-1", Decimal(0))
    if open_sale:
        prices = msgspec.structs.replace(LIMIT_99, quantity=open_sale)
        terms = Terms(Account.UPSTOX, KEY, Side.SELL, product, prices)
        journal = Journal()
        journal.event("o1", events.Intended(at_ms=1, order_id="o1", user_id="user-1", terms=terms))
        account = PaperAccount(journal.entries[0].user_id, Decimal(0))
        for entry in journal.entries:
            account.apply(entry)
    terms = Terms(Account.UPSTOX, KEY, side, product, LIMIT_99)
    made = account_facts(
        account, facts, terms, share(key=KEY), changed_order_id=None, orders_last_sec=3
    )
    assert (made.available, made.orders_last_sec) == (Decimal(5_000), 3)
    return made.closable


@pytest.mark.parametrize(
    ("quantity", "side", "expected"),
    [(10, Side.SELL, 10), (10, Side.BUY, 0), (-10, Side.BUY, 10), (-10, Side.SELL, 0)],
)
def test_an_order_closes_a_position_of_the_other_side(
    quantity: int, side: Side, expected: int
) -> None:
    assert closable(facts_of(position(quantity)), side, Product.INTRADAY) == expected


def test_a_delivery_sale_can_sell_holdings_less_open_sales() -> None:
    facts = facts_of(position(-4, Product.DELIVERY), held=10)
    assert closable(facts, Side.SELL, Product.DELIVERY) == 6
    assert closable(facts, Side.SELL, Product.DELIVERY, open_sale=5) == 1


def test_fills_after_the_reading_began_cannot_be_closed_again() -> None:
    journal = Journal()
    terms = Terms(Account.UPSTOX, KEY, Side.SELL, Product.INTRADAY, LIMIT_99)
    journal.event("o1", events.Intended(at_ms=1, order_id="o1", user_id="user-1", terms=terms))
    account = PaperAccount(journal.entries[0].user_id, Decimal(0))
    account.apply(journal.entries[0])
    before = account.filled_quantities(Account.UPSTOX)
    journal.event(
        "o1",
        events.Filled(
            at_ms=2, trade_id="t1", quantity=LIMIT_99.quantity, price=Decimal(99), traded_at_ms=2
        ),
    )
    account.apply(journal.entries[1])
    after = account.filled_quantities(Account.UPSTOX)
    held = LIMIT_99.quantity + 5
    for filled, expected in ((before, 5), (after, held), ({}, 5)):
        facts = msgspec.structs.replace(facts_of(position(held)), filled=filled)
        made = account_facts(
            account, facts, terms, share(key=KEY), changed_order_id=None, orders_last_sec=0
        )
        assert made.closable == expected


def test_a_sale_of_held_shares_leaves_no_exposure() -> None:
    for quantity, product, held, exposed in (
        (-10, Product.DELIVERY, 10, 0),
        (-10, Product.DELIVERY, 4, -6),
        (-10, Product.INTRADAY, 10, -10),
        (10, Product.DELIVERY, 10, 10),
    ):
        one = position(quantity, product)
        assert facts_of(one, held=held).exposed_quantity(one) == exposed


def test_the_loss_is_realised_and_marked_to_market() -> None:
    assert facts_of(position(1), position(0, Product.DELIVERY)).loss() == Decimal(100)
