"""The levels that stand with a quote, and what an order book must be."""

from typing import Any

import pytest

from services.trading.paper.market import Level
from services.trading.paper.order_book import check_book, is_of, levels_of
from shared.contracts import messages
from shared.errors import InvalidField
from tests.support.builders import KEY, MONDAY_10_00, quote


def book(**fields: Any) -> messages.Depth:
    defaults: dict[str, Any] = {
        "key": KEY, "epoch": 1, "seq": 1, "ts": MONDAY_10_00, "rt": 0,
        "bids": [(99.95, 10), (99.9, 20)], "asks": [(100.05, 30)],
    }  # fmt: skip
    return messages.Depth(**(defaults | fields))


def shown(quote: messages.Quote, book: messages.Depth | None) -> tuple[list[str], list[str], bool]:
    bids, asks, has_book = levels_of(quote, book)
    return _short(bids), _short(asks), has_book


def _short(levels: tuple[Level, ...]) -> list[str]:
    return [f"{level.quantity}@{level.price}" for level in levels]


def test_a_quote_without_an_order_book_has_its_best_prices() -> None:
    best = quote(bid=99.95, bid_qty=10, ask=100.05)
    assert shown(best, None) == (["10@99.95"], [], False)


def test_an_order_book_replaces_the_best_prices_of_its_quote() -> None:
    best = quote(bid=99.95, bid_qty=10)
    assert shown(best, book()) == (["10@99.95", "20@99.9"], ["30@100.05"], True)


def test_behind_the_next_quote_an_order_book_loses_the_levels_that_the_quote_excludes() -> None:
    newer = quote(seq=2, bid=99.9, bid_qty=5, ask=100.0, ask_qty=7)
    assert shown(newer, book()) == (["5@99.9"], ["7@100.0", "30@100.05"], True)


@pytest.mark.parametrize("fields", [{"seq": 3}, {"epoch": 2}], ids=["older", "another leader's"])
def test_another_order_book_is_not_used(fields: dict[str, int]) -> None:
    newer = quote(bid=99.95, bid_qty=10, **fields)
    assert not is_of(book(), newer)
    assert shown(newer, book()) == (["10@99.95"], [], False)


def test_five_levels_are_used_and_none_without_a_quantity() -> None:
    asks = [(100.0 + number, number) for number in range(7)]
    assert shown(quote(), book(bids=[], asks=asks))[1] == [
        "1@101.0", "2@102.0", "3@103.0", "4@104.0", "5@105.0",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"epoch": -1}, "epoch, seq"),
        ({"seq": 2**63}, "epoch, seq"),
        ({"ts": MONDAY_10_00 * 1_000}, "ts"),
        ({"bids": [(0.0, 1)]}, "bids"),
        ({"asks": [(1.0, -1)]}, "asks"),
        ({"asks": [(1e9, 1)]}, "asks"),
        ({"bids": [(1.0, 1), (2.0, 1)]}, "bids"),
        ({"asks": [(1.0, 1), (1.0, 1)]}, "asks"),
    ],
)
def test_an_order_book_that_cannot_be_is_refused_with_its_field(
    fields: dict[str, Any], field: str
) -> None:
    check_book(book())
    with pytest.raises(InvalidField) as error:
        check_book(book(**fields))
    assert error.value.field == field
