"""The comparison of a user's view with the simulator's ledger finds what is wrong."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from shared.contracts.order_terms import Account, OrderType, Product, Side, Validity
from shared.contracts.trading_replies import EventKind, OrderView, Trade, UserEvent
from tests.support.builders import KEY
from tests.support.upstox_story_check import Books, Wrong, compare, events_that_go_backwards

VIEW = OrderView(
    order_id="o", account=Account.UPSTOX, key=KEY, side=Side.BUY, product=Product.INTRADAY,
    order_type=OrderType.LIMIT, validity=Validity.DAY, quantity=5, filled_quantity=2,
    state="partly_filled", created_at=0, event_count=1, price=Decimal(1_330),
    average_price=Decimal("1330.5"), broker_order_id="1",
)  # fmt: skip
TRADE = Trade(
    trade_id="t", order_id="o", key=KEY, side=Side.BUY, product=Product.INTRADAY, quantity=2,
    price=Decimal("1330.5"), traded_at=0,
)  # fmt: skip
ROW: dict[str, Any] = {
    "order_id": "1", "tag": "o", "status": "open", "quantity": 5, "price": 1_330.0,
    "transaction_type": "BUY",
}  # fmt: skip
FILL: dict[str, Any] = {"trade_id": "t", "order_id": "1", "quantity": 2, "price": 1_330.5}


def found(books: Books, *, doubled: int = 0) -> set[Wrong]:
    return {finding.wrong for finding in compare(books, doubled=doubled)}


def view(**fields: Any) -> OrderView:
    return msgspec.structs.replace(VIEW, **fields)


def test_nothing_is_found_if_view_and_ledger_agree() -> None:
    assert found(Books([ROW], [FILL], [VIEW], [TRADE])) == set()
    unknown = view(state="unknown", filled_quantity=0, average_price=None, broker_order_id=None)
    assert found(Books([], [], [unknown], [])) == set()


def test_two_orders_with_one_tag_are_doubled_unless_upstox_doubled_them() -> None:
    books = Books(
        [ROW, ROW | {"order_id": "2"}], [FILL], [VIEW, view(broker_order_id="2")], [TRADE]
    )
    assert Wrong.DOUBLED in found(books)
    assert Wrong.DOUBLED not in found(books, doubled=1)


def test_two_orders_of_one_quantity_are_doubled_whatever_their_tags() -> None:
    assert Wrong.DOUBLED in found(
        Books([ROW, ROW | {"order_id": "2", "tag": "p"}], [FILL], [VIEW], [TRADE])
    )


def test_an_order_of_which_the_user_is_not_told_is_lost() -> None:
    assert found(Books([ROW], [], [], [])) == {Wrong.LOST}


@pytest.mark.parametrize(
    "fields",
    [
        {"state": "filled"},
        {"state": "unknown"},
        {"filled_quantity": 3},
        {"price": Decimal(1_331)},
        {"average_price": Decimal(1_330)},
        {"average_price": None},
        {"pending": "cancel"},
        {"broker_order_id": "3"},
    ],
)
def test_an_order_that_differs_is_told_wrong(fields: dict[str, Any]) -> None:
    assert Wrong.TOLD_WRONG in found(Books([ROW], [FILL], [view(**fields)], [TRADE]))


def test_a_trade_that_differs_is_told_wrong() -> None:
    for trades in ([], [TRADE, TRADE], [msgspec.structs.replace(TRADE, quantity=1)]):
        assert found(Books([ROW], [FILL], [VIEW], trades)) == {Wrong.TOLD_WRONG}


@pytest.mark.parametrize(
    ("states", "count"),
    [
        ([("open", 0), ("partly_filled", 2), ("filled", 5)], 0),
        ([("unknown", 0), ("open", 0), ("cancelled", 0)], 0),
        ([("rejected", 0), ("open", 0)], 1),
        ([("filled", 5), ("partly_filled", 2)], 1),
        ([("partly_filled", 2), ("open", 0)], 1),
    ],
)
def test_events_that_go_backwards_are_found(states: list[tuple[str, int]], count: int) -> None:
    events = [
        UserEvent(
            seq=number, kind=EventKind.ORDER, at=0, order=view(state=state, filled_quantity=filled)
        )
        for number, (state, filled) in enumerate(states, start=1)
    ]
    assert len(events_that_go_backwards(events)) == count
