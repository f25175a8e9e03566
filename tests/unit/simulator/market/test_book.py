"""The order book stays ordered and uncrossed under any sequence of operations."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.simulator.market.book import LEVELS, OrderBook


def book_of(quantity: int = 10) -> OrderBook:
    return OrderBook(best_bid_paise=99_990, tick_paise=10, new_quantity=lambda: quantity)


def test_a_buyer_takes_the_best_ask_and_a_seller_the_best_bid() -> None:
    book = book_of()
    assert book.take(buy=True, quantity=3) == (100_000, 3)
    assert book.take(buy=False, quantity=4) == (99_990, 4)
    assert (book.asks[0], book.bids[0]) == (7, 6)


def test_a_trade_that_uses_up_a_level_moves_the_book_by_a_tick() -> None:
    book = book_of()
    assert book.take(buy=True, quantity=25) == (100_000, 10)
    assert book.best_bid_paise == 100_000
    assert book.take(buy=False, quantity=25) == (100_000, 10)
    assert book.best_bid_paise == 99_990


def test_a_revision_changes_one_level_only() -> None:
    quantities = iter([*[10] * (2 * LEVELS), 77])
    book = OrderBook(99_990, 10, lambda: next(quantities))
    book.revise(bid=False, level=2)
    assert book.asks[:4] == [10, 10, 77, 10]
    assert book.bids == [10] * LEVELS


def test_a_sale_at_the_lowest_possible_price_does_not_move_the_book() -> None:
    book = OrderBook(best_bid_paise=LEVELS * 5 + 5, tick_paise=5, new_quantity=lambda: 10)
    prices = [book.take(buy=False, quantity=10)[0] for _ in range(3)]
    assert prices == [LEVELS * 5 + 5, LEVELS * 5, LEVELS * 5]
    lowest = book.depth(LEVELS)[-1]
    assert (lowest.bid_paise, lowest.bid_quantity) == (5, 10)
    assert book.take(buy=True, quantity=10) == (LEVELS * 5 + 5, 10)
    assert book.best_bid_paise == LEVELS * 5 + 5


def test_the_depth_has_at_most_thirty_levels() -> None:
    assert len(book_of().depth(LEVELS + 5)) == LEVELS


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(1, 29)), max_size=60))
def test_the_book_is_ordered_uncrossed_and_never_empty(acts: list[tuple[bool, bool, int]]) -> None:
    book = book_of()
    for is_trade, side, number in acts:
        if is_trade:
            book.take(buy=side, quantity=number)
        else:
            book.revise(bid=side, level=number)
    levels = book.depth(LEVELS)
    assert len(levels) == len(book.bids) == len(book.asks) == LEVELS
    assert levels[0].bid_paise < levels[0].ask_paise
    assert all(a.bid_paise > b.bid_paise for a, b in pairwise(levels))
    assert all(a.ask_paise < b.ask_paise for a, b in pairwise(levels))
    assert all(level.bid_quantity > 0 and level.ask_quantity > 0 for level in levels)


def test_a_cleared_book_shows_nothing_until_it_is_refilled() -> None:
    book = book_of()
    before = book.depth(LEVELS)
    book.clear()
    assert book.is_empty
    assert book.depth(5) == [(0, 0, 0, 0)] * 5
    book.refill()
    assert book.depth(LEVELS) == before
