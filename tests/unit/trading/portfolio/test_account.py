"""The views of the paper account: positions, profit, what can be closed, and user events."""

from decimal import Decimal
from functools import partial

import msgspec
import pytest

from services.trading.orders.broker_report import BrokerState
from services.trading.portfolio.account import PaperAccount
from shared.contracts.order_terms import Account, Product, Side
from shared.contracts.trading_replies import EventKind
from tests.support.trading_journal import (
    CRUDE_FUTURE,
    DELIVERY_SHARE,
    INDEX_CALL,
    INDEX_FUTURE,
    INTRADAY_SHARE,
    OPENING_CASH,
    USER,
    Journal,
    ltp_of,
    no_ltp,
    with_holding,
)

DELIVERY, INTRADAY, MTF = Product.DELIVERY, Product.INTRADAY, Product.MTF
BUY, SELL = Side.BUY, Side.SELL
KEY = DELIVERY_SHARE.key


def test_a_delivery_sale_may_use_holding_and_t1_and_the_signed_position_of_today() -> None:
    journal = with_holding(100)
    journal.trade(DELIVERY_SHARE, BUY, 30, 500)
    journal.end_day()
    journal.trade(DELIVERY_SHARE, BUY, 20, 500)
    account = journal.account
    assert account.closable(KEY, DELIVERY) == 100 + 30 + 20
    journal.trade(DELIVERY_SHARE, SELL, 60, 500)
    assert account.closable(KEY, DELIVERY) == 100 + 30 - 40
    journal.place(DELIVERY_SHARE, SELL, 50)
    assert account.closable(KEY, DELIVERY) == 40
    order_id = journal.place(DELIVERY_SHARE, SELL, 40)
    assert account.closable(KEY, DELIVERY) == 0
    assert account.closable(KEY, DELIVERY, without=order_id) == 40
    journal.finish(order_id, BrokerState.CANCELLED)
    assert account.closable(KEY, DELIVERY) == 40
    assert account.closable(KEY, INTRADAY) == 0
    assert account.closable(KEY, MTF) == 0


def test_only_the_first_sale_of_a_day_from_the_holding_bears_the_dp_charge() -> None:
    journal = with_holding(100)
    account = journal.account
    journal.trade(DELIVERY_SHARE, BUY, 20, 500)
    assert [account.is_first_demat_sale(KEY, quantity) for quantity in (20, 21)] == [False, True]
    journal.trade(DELIVERY_SHARE, SELL, 21, 500)
    assert not account.is_first_demat_sale(KEY, 10)
    journal.end_day()
    assert account.is_first_demat_sale(KEY, 10)
    assert not account.is_first_demat_sale(INDEX_FUTURE.key, 10)


def test_a_short_position_can_be_closed_by_buying() -> None:
    journal = Journal()
    journal.trade(INTRADAY_SHARE, SELL, 100, 500, INTRADAY)
    assert journal.account.closable(KEY, INTRADAY) == -100
    journal.place(INTRADAY_SHARE, BUY, 70, product=INTRADAY)
    assert journal.account.closable(KEY, INTRADAY) == -30


def test_realised_profit_is_first_in_first_out() -> None:
    journal = Journal()
    for price in (500, 510):
        journal.trade(INTRADAY_SHARE, BUY, 100, price, INTRADAY)
    journal.trade(INTRADAY_SHARE, SELL, 150, 520, INTRADAY)
    position = journal.account.position_view(KEY, INTRADAY, ltp_of(515))
    assert position is not None
    assert position.realised == 100 * 20 + 50 * 10
    assert (position.quantity, position.average_price) == (50, Decimal(510))
    assert position.unrealised == 250


def test_a_commodity_counts_its_multiplier_everywhere() -> None:
    journal = Journal()
    journal.trade(CRUDE_FUTURE, BUY, 2, 6000)
    funds = journal.account.funds(ltp_of(6010))
    assert funds.position_margin == Decimal(2 * 100 * 6000) * 15 / 100
    assert funds.unrealised == 2 * 100 * 10
    journal.trade(CRUDE_FUTURE, SELL, 2, 6010)
    assert journal.account.funds(no_ltp).realised == 2_000
    position = journal.account.position_view(CRUDE_FUTURE.key, DELIVERY, no_ltp)
    assert position is not None
    assert (position.buy_value, position.sell_value) == (Decimal(1_200_000), Decimal(1_202_000))


def test_the_worked_short_option_blocks_its_estimate() -> None:
    journal = Journal()
    journal.trade(INDEX_CALL, SELL, 65, 120)
    at_the_money = Decimal(241_800)
    assert journal.account.funds(ltp_of(24_800)).position_margin == at_the_money
    out_of_the_money = journal.account.funds(ltp_of(24_700)).position_margin
    assert out_of_the_money is not None
    assert out_of_the_money < at_the_money


def test_the_loss_of_the_day_is_realised_and_marked_after_charges() -> None:
    journal = Journal()
    journal.trade(INTRADAY_SHARE, BUY, 100, 500, INTRADAY)
    account = journal.account
    assert account.loss(ltp_of(490)) == 1_000 + account.charges()
    assert account.loss(ltp_of(520)) == account.charges() - 2_000
    assert account.loss(no_ltp) == account.charges()


def test_the_loss_of_a_carried_position_is_counted_from_the_mark_of_the_last_day() -> None:
    journal = Journal()
    journal.trade(INDEX_FUTURE, BUY, 65, 24_800)
    journal.end_day({INDEX_FUTURE.key: Decimal(24_700)})
    account = journal.account
    assert account.loss(ltp_of(24_690)) == 65 * 10
    assert account.loss(no_ltp) == 0
    assert account.funds(ltp_of(24_690)).unrealised == 65 * -110
    journal.trade(INDEX_FUTURE, SELL, 65, 24_690)
    assert account.loss(no_ltp) == 65 * 10 + account.charges()


def test_orders_are_listed_newest_first_also_those_of_one_moment() -> None:
    journal = Journal()
    first, second, third = [journal.place(DELIVERY_SHARE, BUY, 1) for _ in range(3)]
    account = journal.account
    listed = [order.order_id for order in account.order_views(Account.PAPER)]
    assert listed == [third, second, first]
    assert len({account.orders[order_id].created_at_ms for order_id in listed}) == 1
    journal.finish(third, BrokerState.CANCELLED)
    newest = account.order_views(Account.PAPER, open_only=True, limit=1)
    assert [order.order_id for order in newest] == [second]
    assert account.order_views(Account.UPSTOX) == []


def test_trades_are_listed_newest_first_up_to_the_limit() -> None:
    journal = Journal()
    for price in (500, 501, 502):
        journal.trade(DELIVERY_SHARE, BUY, 1, price)
    prices = [trade.price for trade in journal.account.trades(Account.PAPER, limit=2)]
    assert prices == [502, 501]


def test_each_entry_is_told_with_its_number() -> None:
    journal = Journal()
    order_id = journal.place(DELIVERY_SHARE, BUY, 100, margin=50_000)
    account = journal.account
    placed = account.user_event(journal.entries[-1], no_ltp)
    assert (placed.seq, placed.kind, placed.at) == (1, EventKind.ORDER, journal.at_ms)
    assert placed.order is not None
    assert placed.order.state == "intent"
    assert placed.funds == account.funds(no_ltp)
    assert (placed.funds.order_margin, placed.position) == (Decimal(50_000), None)

    entry = journal.fill(order_id, 100, 500)
    filled = account.user_event(entry, ltp_of(501))
    assert (filled.seq, filled.kind) == (2, EventKind.FILL)
    assert filled.order is not None
    assert (filled.order.state, filled.order.charges) == ("filled", Decimal("82.98"))
    assert filled.trade == account.trades(Account.PAPER)[0]
    assert filled.position == account.position_view(KEY, DELIVERY, ltp_of(501))
    assert filled.funds == account.funds(ltp_of(501))

    for append in (journal.end_day, journal.reset):
        entry = append()
        told = account.user_event(entry, no_ltp)
        assert (told.seq, told.kind) == (entry.seq, EventKind.FUNDS)
        assert told.funds == account.funds(no_ltp)

    for append in (
        partial(journal.set_kill_switch, is_on=True),
        partial(journal.lock_loss, 100_001),
        partial(journal.lift_loss_lock, 100_000),
    ):
        entry = append()
        told = account.user_event(entry, no_ltp)
        assert (told.seq, told.kind, told.funds) == (entry.seq, EventKind.LIMITS, None)


def test_only_the_newest_entry_can_be_told() -> None:
    journal = Journal()
    first = journal.set_kill_switch(is_on=True)
    journal.set_kill_switch(is_on=False)
    assert journal.account.kill_switches == []
    with pytest.raises(ValueError, match="not the newest"):
        journal.account.user_event(first, no_ltp)


def test_a_snapshot_of_another_version_is_refused() -> None:
    account = PaperAccount(USER, OPENING_CASH)
    other = msgspec.msgpack.decode(account.state()) | {"version": 2}
    with pytest.raises(msgspec.DecodeError):
        PaperAccount.from_state(msgspec.msgpack.encode(other))


def test_a_settled_future_is_closed_at_the_closing_price_without_charges() -> None:
    journal = Journal()
    journal.trade(INDEX_FUTURE, SELL, 65, 24_800)
    charges = journal.account.charges()
    event = journal.account.user_event(journal.settle(INDEX_FUTURE.key, "24750.40"), no_ltp)
    assert (event.kind, event.order, event.trade) == (EventKind.SETTLEMENT, None, None)
    assert event.position is not None
    assert (event.position.quantity, event.position.settled_price) == (0, Decimal("24750.40"))
    assert event.position.realised == 65 * Decimal("49.60")
    assert event.funds is not None
    assert event.funds.position_margin == 0
    assert event.funds.charges == charges


def test_the_holder_of_an_option_pays_the_tax_of_its_exercise() -> None:
    journal = Journal()
    journal.trade(INDEX_CALL, BUY, 65, 120)
    charges = journal.account.charges()
    journal.settle(INDEX_CALL.key, "150.20")
    account = journal.account
    value = 65 * Decimal("150.20")
    assert account.funds(no_ltp).realised == value - 65 * 120
    assert account.charges() - charges == 15  # 0.15 % of 9,763, in whole rupees
    journal.end_day()
    assert account.funds(no_ltp).cash == OPENING_CASH + value - 65 * 120 - charges - 15
    assert account.positions(no_ltp).positions == []


@pytest.mark.parametrize(("side", "price"), [(BUY, 0), (SELL, 0), (SELL, 150)])
def test_an_option_without_value_or_that_was_sold_bears_no_tax_at_expiry(
    side: Side, price: int
) -> None:
    journal = Journal()
    journal.trade(INDEX_CALL, side, 65, 120)
    charges = journal.account.charges()
    journal.settle(INDEX_CALL.key, price)
    assert journal.account.charges() == charges
    profit = (price - 120) * 65
    assert journal.account.funds(no_ltp).realised == (profit if side is BUY else -profit)


def test_a_settlement_without_a_position_is_refused() -> None:
    journal = Journal()
    before = journal.account.state()
    with pytest.raises(ValueError, match=r"no position in NSE_FO\|1 to settle"):
        journal.settle(INDEX_FUTURE.key, 24_800)
    assert journal.account.state() == before
    journal.trade(INDEX_FUTURE, BUY, 65, 24_800)
    journal.settle(INDEX_FUTURE.key, 24_800)
    with pytest.raises(ValueError, match="to settle"):
        journal.settle(INDEX_FUTURE.key, 24_800)
