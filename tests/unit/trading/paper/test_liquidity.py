"""Shown quantities are used once."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from services.trading.paper.liquidity import Liquidity, UsedLevel
from services.trading.paper.market import Level, Quote
from shared.contracts.order_terms import Side

PRICE = Decimal(100)


def book(quantity: int) -> Quote:
    return Quote(
        ts_ms=1, epoch=1, seq=1, ltp=PRICE, ltt_ms=1, ltq=1, volume=1,
        asks=(Level(PRICE, quantity),) if quantity else (),
    )  # fmt: skip


def available(liquidity: Liquidity) -> int:
    return sum(level.quantity for level in liquidity.levels(Side.BUY, PRICE))


def test_only_an_increase_is_available_again() -> None:
    liquidity = Liquidity()
    liquidity.update(book(50))
    liquidity.take(Side.BUY, PRICE, 50)
    liquidity.update(book(50))
    assert available(liquidity) == 0
    liquidity.update(book(80))
    assert available(liquidity) == 30


def test_the_best_price_within_the_limit_comes_first() -> None:
    liquidity = Liquidity()
    asks = (Level(Decimal(100), 1), Level(Decimal(101), 2), Level(Decimal(102), 3))
    quote = Quote(
        ts_ms=1, epoch=1, seq=1, ltp=PRICE, ltt_ms=1, ltq=1, volume=1, asks=asks
    )  # fmt: skip
    liquidity.update(quote)
    assert liquidity.levels(Side.BUY, Decimal(101)) == list(asks[:2])


def test_only_used_levels_are_remembered_until_they_are_renewed() -> None:
    liquidity = Liquidity()
    liquidity.update(book(50))
    liquidity.take(Side.BUY, PRICE, 20)
    assert liquidity.used == [UsedLevel(Side.BUY, PRICE, shown=50, left=30)]
    liquidity.update(book(60))
    assert liquidity.used == [UsedLevel(Side.BUY, PRICE, shown=60, left=40)]
    liquidity.update(book(10))
    assert liquidity.used == []


def test_a_used_level_is_forgotten_when_it_is_gone_and_not_when_the_side_is_empty() -> None:
    liquidity = Liquidity([UsedLevel(Side.BUY, Decimal(99), 50, 0)])
    liquidity.update(book(0))
    assert len(liquidity.used) == 1
    liquidity.update(book(5))
    assert liquidity.used == []


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), max_size=20))
def test_no_more_is_available_than_is_shown_or_has_been_added(
    steps: list[tuple[int, int]],
) -> None:
    liquidity = Liquidity()
    shown_before = added = taken = 0
    for shown, wanted in steps:
        liquidity.update(book(shown))
        added += max(0, shown - shown_before)
        shown_before = shown
        assert available(liquidity) <= min(shown, added - taken)
        quantity = min(wanted, available(liquidity))
        if quantity:
            liquidity.take(Side.BUY, PRICE, quantity)
            taken += quantity
