"""The levels that stand with a quote: of the last order book, or the quote's own best prices."""

from collections.abc import Sequence
from typing import Final

from services.trading.paper.market import Level, exact_price
from shared.contracts import messages
from shared.errors import InvalidField

MAX_LEVELS: Final = 5
_MAX_PRICE: Final = 1e9
_MAX_QUANTITY: Final = 2**53 - 1
_MAX_NUMBER: Final = 2**63 - 1
_MAX_TIME_MS: Final = 100_000_000_000_000

Levels = tuple[Level, ...]
"""The best first."""


def is_of(book: messages.Depth, quote: messages.Quote) -> bool:
    """Whether an order book is not older than the quote before this one."""
    return book.epoch == quote.epoch and book.seq >= quote.seq - 1


def levels_of(quote: messages.Quote, book: messages.Depth | None) -> tuple[Levels, Levels, bool]:
    """Bids, asks and whether they are of an order book.

    Behind a newer quote, the last book loses the levels that the quote's best prices exclude.
    """
    best_bid = _best(quote.bid, quote.bid_qty)
    best_ask = _best(quote.ask, quote.ask_qty)
    if book is None or not is_of(book, quote):
        return best_bid, best_ask, False
    bids, asks = _levels(book.bids), _levels(book.asks)
    if book.seq < quote.seq:
        bids = best_bid + tuple(x for x in bids if best_bid and x.price < best_bid[0].price)
        asks = best_ask + tuple(x for x in asks if best_ask and x.price > best_ask[0].price)
    return bids[:MAX_LEVELS], asks[:MAX_LEVELS], True


def check_book(book: messages.Depth) -> None:
    """Raises InvalidField if a value is out of range or a side is not sorted."""
    numbers = (book.epoch, book.seq)
    if not all(0 <= number <= _MAX_NUMBER for number in numbers):
        raise InvalidField(f"not from 0 to {_MAX_NUMBER}", field="epoch, seq")
    if not 0 <= book.ts < _MAX_TIME_MS:
        raise InvalidField(f"not from 0 to below {_MAX_TIME_MS}", field="ts")
    _check_side(book.bids, "bids", is_descending=True)
    _check_side(book.asks, "asks", is_descending=False)


def _check_side(levels: Sequence[tuple[float, int]], field: str, *, is_descending: bool) -> None:
    for price, quantity in levels:
        if not 0 < price < _MAX_PRICE or not 0 <= quantity <= _MAX_QUANTITY:
            raise InvalidField(f"{quantity}@{price} is out of range", field=field)
    prices = [price for price, _ in levels]
    if prices != sorted(prices, reverse=is_descending) or len(set(prices)) != len(prices):
        raise InvalidField("not sorted from the best level", field=field)


def _best(price: float | None, quantity: int | None) -> Levels:
    return (Level(exact_price(price), quantity),) if price and quantity else ()


def _levels(levels: messages.Levels) -> Levels:
    return tuple(Level(exact_price(price), quantity) for price, quantity in levels if quantity)
