"""Compares what a user is told of orders at Upstox with the simulator's ledger."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any, Final

from shared.contracts.trading_replies import OrderView, Trade, UserEvent

Row = Mapping[str, Any]
_FINAL: Final = frozenset({"filled", "cancelled", "rejected", "expired"})
_STATES: Final = {
    "complete": "filled",
    "cancelled": "cancelled",
    "cancelled after market order": "cancelled",
    "rejected": "rejected",
}
_NO_ORDER: Final = frozenset({"unknown", "rejected"})
"""The states that may be told of an order that Upstox does not have."""
_ROUNDING: Final = Fraction(1, 10_000)


class Wrong(StrEnum):
    """What is wrong with a story."""

    DOUBLED = "doubled"
    LOST = "lost"
    TOLD_WRONG = "told wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong."""

    wrong: Wrong
    words: str


@dataclass(frozen=True, slots=True)
class Books:
    """The ledger of one user at the simulator, and what the user is told."""

    rows: Sequence[Row]
    fills: Sequence[Row]
    views: Sequence[OrderView]
    trades: Sequence[Trade]


def compare(books: Books, *, doubled: int) -> list[Finding]:
    """Everything that differs; `doubled` is the number of requests that Upstox executed twice."""
    return [
        *_doubled(books, doubled),
        *_lost(books),
        *(finding for view in books.views for finding in _told_wrong(books, view)),
        *_wrong_trades(books),
    ]


def events_that_go_backwards(events: Iterable[UserEvent]) -> list[Finding]:
    """Orders whose final state was taken back, or whose fills became fewer."""
    findings: list[Finding] = []
    last: dict[str, OrderView] = {}
    for event in events:
        order = event.order
        if order is None:
            continue
        before = last.get(order.order_id)
        last[order.order_id] = order
        if before is None:
            continue
        is_taken_back = before.state in _FINAL and order.state != before.state
        if is_taken_back or order.filled_quantity < before.filled_quantity:
            words = f"{order.order_id}: {_short(before)}, then {_short(order)}"
            findings.append(Finding(Wrong.TOLD_WRONG, words))
    return findings


def _doubled(books: Books, doubled: int) -> Iterable[Finding]:
    tags = Counter(row["tag"] for row in books.rows if row["tag"] is not None)
    surplus = sum(count - 1 for count in tags.values())
    if surplus > doubled:
        repeated = [tag for tag, count in tags.items() if count > 1]
        yield Finding(Wrong.DOUBLED, f"orders with one tag: {repeated}")
    quantities = Counter(row["quantity"] for row in books.rows)
    surplus = sum(count - 1 for count in quantities.values())
    if surplus > doubled:
        again = [quantity for quantity, count in quantities.items() if count > 1]
        yield Finding(Wrong.DOUBLED, f"commands with several orders, by quantity: {again}")


def _lost(books: Books) -> Iterable[Finding]:
    told = {view.broker_order_id for view in books.views}
    for row in books.rows:
        if row["order_id"] not in told:
            yield Finding(Wrong.LOST, f"the user is not told of order {row['order_id']}")


def _told_wrong(books: Books, view: OrderView) -> Iterable[Finding]:
    row = next((row for row in books.rows if row["order_id"] == view.broker_order_id), None)
    if row is None:
        if view.state not in _NO_ORDER or view.filled_quantity:
            words = f"{_short(view)}, and Upstox has no such order"
            yield Finding(Wrong.TOLD_WRONG, words)
        return
    fills = [fill for fill in books.fills if fill["order_id"] == row["order_id"]]
    filled = sum(fill["quantity"] for fill in fills)
    resting = "partly_filled" if filled else "open"
    expected = {
        "state": _STATES.get(row["status"], resting),
        "quantity": row["quantity"],
        "filled_quantity": filled,
        "side": row["transaction_type"],
        "price": _price(row["price"]),
        "pending": None,
    }
    seen = {name: getattr(view, name) for name in expected} | {"price": view.price or None}
    differing = [name for name, value in expected.items() if seen[name] != value]
    if not _is_average(view.average_price, fills, filled):
        differing.append("average_price")
    if differing:
        words = f"{_short(view)} differs in {differing} from {row['status']} {expected}"
        yield Finding(Wrong.TOLD_WRONG, words)


def _wrong_trades(books: Books) -> Iterable[Finding]:
    at_upstox = sorted(
        (fill["trade_id"], fill["quantity"], Decimal(str(fill["price"]))) for fill in books.fills
    )
    told = sorted((trade.trade_id, trade.quantity, trade.price) for trade in books.trades)
    if told != at_upstox:
        yield Finding(Wrong.TOLD_WRONG, f"trades {told}, at Upstox {at_upstox}")


def _price(rupees: float) -> Decimal | None:
    return Decimal(str(rupees)) if rupees else None


def _is_average(average: Decimal | None, fills: Sequence[Row], filled: int) -> bool:
    if average is None or not filled:
        return average is None and not filled
    value = sum((Fraction(str(fill["price"])) * fill["quantity"] for fill in fills), Fraction(0))
    return abs(Fraction(average) - value / filled) <= _ROUNDING


def _short(view: OrderView) -> str:
    return f"{view.order_id} {view.state} {view.filled_quantity}/{view.quantity} at {view.price}"
