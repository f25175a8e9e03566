"""The order book of one stock: thirty levels a side, one tick apart."""

from collections.abc import Callable
from typing import Final, NamedTuple

LEVELS: Final = 30
"""Kept per side; `full` mode shows the best five, `full_d30` all."""


class Level(NamedTuple):
    """One row of market depth; prices in paise."""

    bid_quantity: int
    bid_paise: int
    ask_quantity: int
    ask_paise: int


class OrderBook:
    """Quantities by distance from the spread, which is always one tick.

    A taken or cancelled best level moves both sides by a tick, so prices change only
    as trades and cancellations make them. `fresh_quantity` gives the size of a level
    that comes into sight.
    """

    __slots__ = ("_fresh_quantity", "asks", "best_bid_paise", "bids", "tick_paise")

    def __init__(
        self, best_bid_paise: int, tick_paise: int, fresh_quantity: Callable[[], int]
    ) -> None:
        self.best_bid_paise = best_bid_paise
        self.tick_paise = tick_paise
        self._fresh_quantity = fresh_quantity
        self.bids = [fresh_quantity() for _ in range(LEVELS)]
        self.asks = [fresh_quantity() for _ in range(LEVELS)]

    def take(self, *, buy: bool, quantity: int) -> tuple[int, int]:
        """Trade up to `quantity` against the best level: price in paise, quantity done."""
        side = self.asks if buy else self.bids
        price_paise = self.best_bid_paise + self.tick_paise if buy else self.best_bid_paise
        done = min(quantity, side[0])
        side[0] -= done
        if side[0] == 0:
            self._move(up=buy)
        return price_paise, done

    def revise(self, *, bid: bool, level: int) -> None:
        """Orders come and go at one level: its quantity becomes a fresh one."""
        side = self.bids if bid else self.asks
        side[level] = self._fresh_quantity()

    def depth(self, levels: int) -> list[Level]:
        """The best levels, best first."""
        bid, tick = self.best_bid_paise, self.tick_paise
        return [
            Level(self.bids[i], bid - i * tick, self.asks[i], bid + (i + 1) * tick)
            for i in range(min(levels, LEVELS))
        ]

    def _move(self, *, up: bool) -> None:
        gone, grown = (self.asks, self.bids) if up else (self.bids, self.asks)
        del gone[0]
        gone.append(self._fresh_quantity())
        grown.insert(0, self._fresh_quantity())
        del grown[-1]
        self.best_bid_paise += self.tick_paise if up else -self.tick_paise
