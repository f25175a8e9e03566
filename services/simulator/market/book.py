"""The order book of one instrument: 30 levels on each side, one tick apart."""

from collections.abc import Callable
from typing import Final, NamedTuple

LEVELS: Final = 30
"""Levels of each side; mode `full` shows the best five, `full_d30` all."""


class Level(NamedTuple):
    """One row of market depth; prices in paise."""

    bid_quantity: int
    bid_paise: int
    ask_quantity: int
    ask_paise: int


class OrderBook:
    """Quantities by distance from the spread, which is always one tick.

    When a trade uses up the best level, both sides move by a tick. Only at the lowest price at
    which all bids are positive does the best bid stay, with a new quantity. `new_quantity`
    returns the quantity of a level that becomes visible.
    """

    __slots__ = ("_new_quantity", "asks", "best_bid_paise", "bids", "tick_paise")

    def __init__(
        self, best_bid_paise: int, tick_paise: int, new_quantity: Callable[[], int]
    ) -> None:
        self.best_bid_paise = best_bid_paise
        self.tick_paise = tick_paise
        self._new_quantity = new_quantity
        self.bids = [new_quantity() for _ in range(LEVELS)]
        self.asks = [new_quantity() for _ in range(LEVELS)]

    def take(self, *, buy: bool, quantity: int) -> tuple[int, int]:
        """Trade up to `quantity` at the best level; returns price (paise) and quantity."""
        side = self.asks if buy else self.bids
        price_paise = self.best_bid_paise + self.tick_paise if buy else self.best_bid_paise
        traded = min(quantity, side[0])
        side[0] -= traded
        if side[0] == 0:
            if buy or self.best_bid_paise > LEVELS * self.tick_paise:
                self._move(up=buy)
            else:
                side[0] = self._new_quantity()
        return price_paise, traded

    def revise(self, *, bid: bool, level: int) -> None:
        """Replace the quantity of one level, as if orders were placed and cancelled there."""
        side = self.bids if bid else self.asks
        side[level] = self._new_quantity()

    def clear(self) -> None:
        """Remove all orders, as while the instrument is halted."""
        self.bids, self.asks = [0] * LEVELS, [0] * LEVELS

    def refill(self) -> None:
        """Fill all levels after `clear`."""
        self.bids = [self._new_quantity() for _ in range(LEVELS)]
        self.asks = [self._new_quantity() for _ in range(LEVELS)]

    @property
    def is_empty(self) -> bool:
        """Whether there are no orders."""
        return not self.bids[0]

    def depth(self, levels: int) -> list[Level]:
        """The best levels, best first; zeros while the book is empty."""
        if self.is_empty:
            return [Level(0, 0, 0, 0)] * min(levels, LEVELS)
        bid, tick = self.best_bid_paise, self.tick_paise
        return [
            Level(self.bids[i], bid - i * tick, self.asks[i], bid + (i + 1) * tick)
            for i in range(min(levels, LEVELS))
        ]

    def _move(self, *, up: bool) -> None:
        used_side, other_side = (self.asks, self.bids) if up else (self.bids, self.asks)
        del used_side[0]
        used_side.append(self._new_quantity())
        other_side.insert(0, self._new_quantity())
        del other_side[-1]
        self.best_bid_paise += self.tick_paise if up else -self.tick_paise
