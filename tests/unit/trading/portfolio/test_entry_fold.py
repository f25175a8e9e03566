"""Entries that change the whole account, count once, or do not fit."""

from decimal import Decimal

import msgspec
import pytest

from services.trading.orders import events
from shared.contracts.order_terms import Account, Product, Side
from shared.contracts.trading_replies import SwitchSetter
from tests.support.trading_journal import (
    DELIVERY_SHARE,
    INDEX_FUTURE,
    OPENING_CASH,
    Journal,
    no_ltp,
    with_holding,
)

DELIVERY, INTRADAY, MTF = Product.DELIVERY, Product.INTRADAY, Product.MTF
BUY = Side.BUY
KEY = DELIVERY_SHARE.key


def test_orders_of_a_broker_touch_no_money_of_the_paper_account() -> None:
    journal = Journal()
    order_id = journal.place(None, BUY, 10, account=Account.UPSTOX, key=KEY)
    entry = journal.fill(order_id, 10, 500)
    account = journal.account
    assert account.funds(no_ltp).available == OPENING_CASH
    assert account.positions(no_ltp).positions == []
    assert account.trades(Account.PAPER) == []
    assert [trade.order_id for trade in account.trades(Account.UPSTOX)] == [order_id]
    told = account.user_event(entry, no_ltp)
    assert told.order is not None
    assert (told.order.charges, told.position, told.funds) == (None, None, None)


def test_a_trade_that_comes_twice_counts_once() -> None:
    journal = Journal()
    order_id = journal.place(DELIVERY_SHARE, BUY, 100)
    filled = events.Filled(
        at_ms=1, trade_id="t", quantity=40, price=Decimal(500), traded_at_ms=journal.at_ms
    )
    journal.event(order_id, filled)
    before = journal.account.funds(no_ltp)
    journal.event(order_id, filled)
    assert journal.account.funds(no_ltp) == before
    assert len(journal.account.trades(Account.PAPER)) == 1


def test_the_end_of_the_day_removes_final_orders_and_keeps_open_ones() -> None:
    journal = Journal()
    journal.trade(DELIVERY_SHARE, BUY, 1, 500)
    order_id = journal.place(DELIVERY_SHARE, BUY, 2, margin=50)
    assert journal.account.daily_orders == 2
    journal.end_day()
    account = journal.account
    assert list(account.orders) == [order_id]
    assert (account.daily_orders, account.trades(Account.PAPER)) == (0, [])
    assert account.funds(no_ltp).order_margin == 50


def test_a_reset_leaves_the_opening_cash_and_the_orders_of_a_broker() -> None:
    journal = with_holding(100)
    journal.trade(INDEX_FUTURE, BUY, 65, 24_800)
    journal.place(DELIVERY_SHARE, BUY, 1, margin=100)
    live = journal.place(None, BUY, 10, account=Account.UPSTOX, key=KEY)
    journal.fill(live, 5, 500)
    journal.set_kill_switch(is_on=True)
    journal.reset()
    account = journal.account
    assert account.funds(no_ltp).available == OPENING_CASH
    assert account.charges() == 0
    assert account.holdings(no_ltp).holdings == []
    assert account.positions(no_ltp).positions == []
    assert list(account.orders) == [live]
    assert len(account.trades(Account.UPSTOX)) == 1
    assert account.daily_orders == 3
    assert [switch.set_by for switch in account.kill_switches] == [SwitchSetter.USER]


def test_a_gap_another_user_or_an_unknown_order_is_refused_and_changes_nothing() -> None:
    journal = Journal()
    order_id = journal.place(DELIVERY_SHARE, BUY, 1)
    first = journal.entries[0]
    before = journal.account.state()
    wrong = [
        first,
        msgspec.structs.replace(first, seq=3),
        msgspec.structs.replace(first, seq=2, user_id="u2"),
        msgspec.structs.replace(first, seq=2),  # a second intent of the same order
    ]
    for entry in wrong:
        with pytest.raises(ValueError, match=r".+"):
            journal.account.apply(entry)
    with pytest.raises(ValueError, match="no such order"):
        journal.event("other", events.Sending(at_ms=1))
    with pytest.raises(ValueError, match="lacks its instrument"):
        journal.place(None, BUY, 1, key=KEY)
    assert journal.account.state() == before
    assert journal.account.orders[order_id].event_count == 1


def test_a_day_ends_once() -> None:
    journal = Journal()
    journal.trade(DELIVERY_SHARE, BUY, 1, 500)
    ended = journal.end_day()
    before = journal.account.state()
    with pytest.raises(ValueError, match="does not follow 2026-11-27"):
        journal.append(ended.body)
    assert journal.account.ended_day == "2026-11-27"
    assert journal.account.state() == before


def test_the_switch_of_the_user_and_that_of_administrators_are_independent() -> None:
    journal = Journal()
    account = journal.account
    journal.set_kill_switch(is_on=True, by="root", reason="under review")
    journal.set_kill_switch(is_on=True)
    own, other = account.kill_switches
    assert (own.set_by, own.reason) == (SwitchSetter.USER, "")
    assert (other.set_by, other.reason) == (SwitchSetter.ADMINISTRATOR, "under review")
    journal.set_kill_switch(is_on=False)
    assert account.kill_switches == [other]
    journal.set_kill_switch(is_on=True)
    journal.set_kill_switch(is_on=False, by="root2", reason="reviewed")
    assert [switch.set_by for switch in account.kill_switches] == [SwitchSetter.USER]
    journal.end_day()
    assert len(account.kill_switches) == 1


def locked_and_lifted(journal: Journal) -> tuple[Decimal | None, Decimal | None]:
    return journal.account.locked_loss, journal.account.lifted_loss


def test_the_loss_lock_stays_until_the_day_has_ended_also_after_a_reset() -> None:
    journal = Journal()
    journal.lock_loss(100_001)
    journal.reset()
    assert locked_and_lifted(journal) == (Decimal(100_001), None)
    assert not journal.account.is_settled
    journal.end_day()
    assert locked_and_lifted(journal) == (None, None)
    assert journal.account.is_settled


def test_a_lifted_loss_lock_is_remembered_until_the_day_has_ended() -> None:
    journal = Journal()
    assert locked_and_lifted(journal) == (None, None)
    journal.lock_loss(100_001)
    journal.lift_loss_lock(90_000)
    assert locked_and_lifted(journal) == (None, Decimal(90_000))
    journal.lock_loss(200_000)
    assert locked_and_lifted(journal) == (Decimal(200_000), Decimal(90_000))
    journal.reset()
    assert locked_and_lifted(journal) == (Decimal(200_000), Decimal(0))
    journal.end_day()
    assert locked_and_lifted(journal) == (None, None)


def test_the_number_of_orders_of_a_day_begins_again_also_after_a_reset() -> None:
    journal = Journal()
    journal.trade(DELIVERY_SHARE, BUY, 1, 500)
    journal.reset()
    assert (journal.account.daily_orders, journal.account.is_settled) == (1, False)
    journal.end_day()
    assert (journal.account.daily_orders, journal.account.is_settled) == (0, True)
