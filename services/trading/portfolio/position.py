"""A position as the lots that opened it, first in, first out. All amounts are in rupees.

With lots, every profit is a difference of traded prices times a quantity, so nothing is divided and
nothing is rounded.
"""

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from shared.contracts.order_terms import Side

_ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Lot:
    """What is left of one fill."""

    quantity: int
    price: Decimal


@dataclass(slots=True)
class Position:
    """The net position of one account in one instrument and product."""

    lots: deque[Lot] = field(default_factory=deque)
    """All of the same side, oldest first."""
    is_long: bool = True
    realised: Decimal = _ZERO
    """Profit of closed lots, before charges."""
    buy_quantity: int = 0
    buy_value: Decimal = _ZERO
    sell_quantity: int = 0
    sell_value: Decimal = _ZERO

    @property
    def quantity(self) -> int:
        """Signed: negative for a short position."""
        held = sum(lot.quantity for lot in self.lots)
        return held if self.is_long else -held

    @property
    def average_price(self) -> Decimal | None:
        """Of the open lots; None without any."""
        held = sum(lot.quantity for lot in self.lots)
        if not held:
            return None
        return sum((lot.price * lot.quantity for lot in self.lots), _ZERO) / held

    def fill(self, side: Side, quantity: int, price: Decimal) -> None:
        """Apply a trade: close the oldest lots of the other side, then open a lot."""
        if side is Side.BUY:
            self.buy_quantity += quantity
            self.buy_value += price * quantity
        else:
            self.sell_quantity += quantity
            self.sell_value += price * quantity
        is_buy = side is Side.BUY
        while quantity and self.lots and self.is_long is not is_buy:
            lot = self.lots.popleft()
            closed = min(quantity, lot.quantity)
            profit = (price - lot.price) * closed
            self.realised += profit if self.is_long else -profit
            quantity -= closed
            if closed < lot.quantity:
                self.lots.appendleft(Lot(lot.quantity - closed, lot.price))
        if quantity:
            self.is_long = is_buy
            self.lots.append(Lot(quantity, price))

    def unrealised(self, ltp: Decimal) -> Decimal:
        """Profit of the open lots at this price, before charges."""
        profit = sum(((ltp - lot.price) * lot.quantity for lot in self.lots), _ZERO)
        return profit if self.is_long else -profit
