"""The shown quantities that one user's paper orders have used.

A quantity that is shown again by the next book cannot be taken twice:
available = min(shown, left + increase since the last book).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from services.trading.paper.market import Level, Quote
from shared.contracts.order_terms import Side


@dataclass(slots=True)
class UsedLevel:
    """A level of the book of which the user's orders have taken a part."""

    side: Side
    """Of the orders that took it."""
    price: Decimal
    shown: int
    """Quantity in the last book."""
    left: int
    """Quantity that the user can still take."""


class Liquidity:
    """Of both sides of one order book, for one user."""

    def __init__(self, used: Iterable[UsedLevel] = ()) -> None:
        self._used = {(level.side, level.price): level for level in used}
        self._quote: Quote | None = None

    @property
    def used(self) -> list[UsedLevel]:
        """The levels that must be remembered."""
        return list(self._used.values())

    def clear(self) -> None:
        """Forget what was used: another day begins."""
        self._used.clear()

    def update(self, quote: Quote) -> None:
        """Take over the order book of a newer quote.

        A used level is forgotten when all of it has been renewed, or when the book shows that it is
        gone. It is remembered while it lies beyond the shown levels.
        """
        self._quote = quote
        if not self._used or quote.is_crossed:
            return
        for name, used in list(self._used.items()):
            levels = self._levels(used.side)
            if not levels or _is_beyond(used, levels[-1]):
                continue
            shown = next((level.quantity for level in levels if level.price == used.price), 0)
            used.left = min(shown, used.left + max(0, shown - used.shown))
            used.shown = shown
            if used.left == shown:
                del self._used[name]

    def levels(self, side: Side, limit: Decimal) -> list[Level]:
        """Levels that an order of this side may take up to its limit, the best price first."""
        result = []
        for level in self._levels(side):
            if level.price > limit if side is Side.BUY else level.price < limit:
                break
            used = self._used.get((side, level.price))
            left = level.quantity if used is None else used.left
            if left:
                result.append(Level(level.price, left))
        return result

    def take(self, side: Side, price: Decimal, quantity: int) -> None:
        """Use some of a level that `levels` returned."""
        used = self._used.get((side, price))
        if used is None:
            shown = next(level.quantity for level in self._levels(side) if level.price == price)
            used = self._used[side, price] = UsedLevel(side, price, shown, shown)
        used.left -= quantity

    def _levels(self, side: Side) -> tuple[Level, ...]:
        """Levels of the last quote that an order of this side can take."""
        return () if self._quote is None else self._quote.opposite(side)


def _is_beyond(used: UsedLevel, last: Level) -> bool:
    return used.price > last.price if used.side is Side.BUY else used.price < last.price
