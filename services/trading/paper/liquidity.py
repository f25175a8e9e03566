"""The shown quantities that one user's paper orders have not used yet.

A quantity that is shown again by the next book cannot be taken twice:
available = min(shown, left + increase since the last book).
"""

from decimal import Decimal

from services.trading.paper.market import Level, Quote
from shared.contracts.order_terms import Side


class Liquidity:
    """Of both sides of one order book, for one user."""

    def __init__(self) -> None:
        self._shown: dict[Side, dict[Decimal, int]] = {side: {} for side in Side}
        self._left: dict[Side, dict[Decimal, int]] = {side: {} for side in Side}

    def update(self, quote: Quote) -> None:
        """Take over the order book of a newer quote."""
        for side in Side:
            shown = {level.price: level.quantity for level in quote.opposite(side)}
            before, left = self._shown[side], self._left[side]
            self._left[side] = {
                price: min(
                    quantity,
                    left.get(price, 0) + max(0, quantity - before.get(price, 0)),
                )
                for price, quantity in shown.items()
            }
            self._shown[side] = shown

    def levels(self, side: Side, limit: Decimal) -> list[Level]:
        """What an order of this side may take up to its limit, the best price first."""
        left = self._left[side]
        prices = sorted(left, reverse=side is Side.SELL)
        return [
            Level(price, left[price])
            for price in prices
            if left[price] > 0 and (price <= limit if side is Side.BUY else price >= limit)
        ]

    def take(self, side: Side, price: Decimal, quantity: int) -> None:
        """Use some of a level."""
        self._left[side][price] -= quantity
