"""A book of 30 levels also gives one of five."""

from services.gateway.fanout.book_levels import five_levels, is_deep
from shared.contracts.messages import Depth, decode_depth, encode
from tests.support.builders import KEY


def book(levels: int, key: str = KEY) -> Depth:
    return Depth(
        key=key, epoch=1, seq=2, ts=3, rt=4, levels=levels,
        bids=[(100.0 - number, 1) for number in range(levels)],
        asks=[(101.0 + number, 1) for number in range(levels)],
    )  # fmt: skip


def test_the_best_five_levels_are_kept() -> None:
    short = decode_depth(five_levels(encode(book(30))))
    assert short == book(5)


def test_only_a_book_that_says_so_has_30_levels() -> None:
    assert is_deep(encode(book(30)))
    assert not is_deep(encode(book(5)))
    assert not is_deep(encode(book(5, key='A|"levels":30')))
