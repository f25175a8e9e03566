"""Random stories of a paper account: orders, fills, settlements, locks, resets and days."""

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from services.trading.orders.broker_report import BrokerState
from shared.contracts.order_terms import Product, Side
from tests.support.trading_journal import (
    CRUDE_FUTURE,
    DELIVERY_SHARE,
    INDEX_CALL,
    INDEX_FUTURE,
    INTRADAY_SHARE,
    Journal,
    share,
)

OTHER_SHARE = share(key="NSE_EQ|INE040A01034")
ORDERS = (
    (DELIVERY_SHARE, Product.DELIVERY),
    (OTHER_SHARE, Product.DELIVERY),
    (DELIVERY_SHARE, Product.MTF),
    (INTRADAY_SHARE, Product.INTRADAY),
    (INDEX_FUTURE, Product.DELIVERY),
    (INDEX_CALL, Product.INTRADAY),
    (CRUDE_FUTURE, Product.DELIVERY),
)
LTP = {
    DELIVERY_SHARE.key: Decimal("101.35"),
    OTHER_SHARE.key: Decimal(980),
    INDEX_FUTURE.key: Decimal("24810.5"),
    INDEX_CALL.key: Decimal("131.15"),
    CRUDE_FUTURE.key: Decimal(6040),
    "NSE_INDEX|Nifty 50": Decimal("24750.45"),
}
MARKS = {key: price + 1 for key, price in LTP.items() if key != OTHER_SHARE.key}

_PRICES = st.integers(1, 3_000_000).map(lambda paise: Decimal(paise) / 100)
_MARGINS = st.integers(0, 10_000_000).map(lambda paise: Decimal(paise) / 100)
_QUANTITIES = st.integers(1, 12)
_ANY = st.integers(0, 99)
_MIXED = st.one_of(
    st.tuples(
        st.just("place"), st.sampled_from(ORDERS), st.sampled_from(Side), _QUANTITIES, _MARGINS
    ),
    st.tuples(
        st.just("trade"), st.sampled_from(ORDERS), st.sampled_from(Side), _QUANTITIES, _PRICES
    ),
    st.tuples(st.just("fill"), _ANY, _QUANTITIES, _PRICES),
    st.tuples(st.just("finish"), _ANY, st.sampled_from(list(BrokerState)[3:])),
    st.tuples(st.sampled_from(["end_day"] * 9 + ["reset"])),
    st.tuples(st.sampled_from(["lock", "lift"]), _PRICES),
    st.tuples(st.just("settle"), _ANY, _PRICES | st.just(Decimal(0))),
    st.tuples(st.just("switch"), st.booleans(), st.sampled_from(["", "root"])),
)
_ONE_SHARE = st.one_of(
    st.tuples(st.just("trade"), st.just(ORDERS[0]), st.sampled_from(Side), _QUANTITIES, _PRICES),
    st.tuples(st.just("end_day")),
)
STORIES = st.lists(_MIXED, max_size=25) | st.lists(_ONE_SHARE, min_size=8, max_size=25)
"""Half of them buy and sell one share for delivery on many days."""


def tell(steps: list[tuple[Any, ...]], opening_cash: Decimal) -> Journal:
    """The journal of a story. What fits no open order or contract is left out."""
    journal = Journal(opening_cash)
    for name, *arguments in steps:
        open_orders = journal.account.open_orders()
        match name, arguments:
            case "place", [(instrument, product), side, quantity, margin]:
                journal.place(instrument, side, quantity, product=product, margin=margin)
            case "trade", [(instrument, product), side, quantity, price]:
                journal.trade(instrument, side, quantity, price, product)
            case "fill", [number, quantity, price] if open_orders:
                order = open_orders[number % len(open_orders)]
                left = order.prices.quantity - order.filled_quantity
                journal.fill(order.order_id, min(quantity, left), price)
            case "finish", [number, state] if open_orders:
                journal.finish(open_orders[number % len(open_orders)].order_id, state)
            case "settle", [number, price] if contracts := journal.open_contracts():
                booked = contracts[number % len(contracts)]
                journal.settle(booked.instrument.key, price, booked.product)
            case "end_day", []:
                journal.end_day(MARKS)
            case "reset", []:
                journal.reset()
            case _:
                _brake(journal, name, arguments)
    return journal


def _brake(journal: Journal, name: str, arguments: list[Any]) -> None:
    """A kill switch, or the loss lock if it is not in that state already."""
    is_locked = journal.account.locked_loss is not None
    match name, arguments:
        case "lock", [loss] if not is_locked:
            journal.lock_loss(loss)
        case "lift", [loss] if is_locked:
            journal.lift_loss_lock(loss)
        case "switch", [is_on, by]:
            journal.set_kill_switch(is_on=is_on, by=by)
