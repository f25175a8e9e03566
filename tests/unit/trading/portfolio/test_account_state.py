"""Funds, positions, holdings and charges, recomputed in a second way from the same entries."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given

from services.trading.portfolio.account import PaperAccount
from tests.support.trading_journal import USER
from tests.support.trading_ledger import Ledger
from tests.support.trading_stories import LTP, STORIES, tell

OPENING_CASH = 1_000_000


@given(STORIES)
def test_funds_agree_to_the_paisa_with_a_second_computation(steps: list[tuple[Any, ...]]) -> None:
    journal = tell(steps, Decimal(OPENING_CASH))
    funds = journal.account.funds(LTP.get)
    ledger = Ledger(journal.entries, OPENING_CASH)
    assert Fraction(funds.cash) == ledger.cash + ledger.usable_proceeds()
    assert Fraction(str(funds.realised)) == ledger.realised()
    assert Fraction(str(funds.charges)) == ledger.charges()
    assert Fraction(str(funds.order_margin)) == ledger.reserved()
    assert Fraction(str(funds.position_margin)) == ledger.blocked()
    blocked = ledger.charges() + ledger.reserved() + ledger.blocked()
    assert Fraction(funds.available) == Fraction(funds.cash) + ledger.realised() - blocked
    assert funds.unrealised is not None
    unrealised = ledger.unrealised(LTP)
    assert Fraction(funds.unrealised) == unrealised
    loss = journal.account.loss(LTP.get)
    assert Fraction(loss) == ledger.charges() + ledger.carried - ledger.realised() - unrealised


@given(STORIES)
def test_positions_and_holdings_agree_with_a_second_computation(
    steps: list[tuple[Any, ...]],
) -> None:
    journal = tell(steps, Decimal(OPENING_CASH))
    account = journal.account
    ledger = Ledger(journal.entries, OPENING_CASH)
    positions = account.positions(LTP.get).positions
    assert [
        (view.key, view.product, view.quantity, Fraction(view.realised)) for view in positions
    ] == [
        (key, product, pile.quantity, pile.realised)
        for (key, product), pile in ledger.piles.items()
    ]
    held = account.holdings(LTP.get).holdings
    quantities = {view.key: (view.quantity, view.t1_quantity) for view in held}
    for key in LTP:
        expected = (len(ledger.held[key]), len(ledger.arriving[key]))
        assert quantities.get(key, (0, 0)) == expected
    for view in held:
        prices = ledger.held[view.key] + ledger.arriving[view.key]
        error = Fraction(view.average_price) - sum(prices, Fraction(0)) / len(prices)
        assert abs(error) <= Fraction(1, 20_000)


@given(STORIES)
def test_the_same_entries_give_the_same_bytes_also_through_a_snapshot_at_any_entry(
    steps: list[tuple[Any, ...]],
) -> None:
    journal = tell(steps, Decimal(OPENING_CASH))
    expected = journal.account.state()
    account = PaperAccount(USER, Decimal(OPENING_CASH))
    for entry in journal.entries:
        account.apply(entry)
        account = PaperAccount.from_state(account.state())
    assert account.state() == expected
    assert account.funds(LTP.get) == journal.account.funds(LTP.get)
