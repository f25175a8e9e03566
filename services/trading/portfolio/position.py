"""A position as the lots that opened it, first in, first out. All amounts are in rupees.

With lots, every profit is a difference of traded prices times a quantity, so nothing is divided and
nothing is rounded.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from shared.contracts.order_terms import Side

_ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Lot:
    """The open part of one fill."""

    quantity: int
    price: Decimal


def take_oldest(lots: list[Lot], quantity: int) -> list[Lot]:
    """Remove this quantity, or all if there is less, and return it."""
    taken: list[Lot] = []
    while quantity and lots:
        lot = lots.pop(0)
        part = min(quantity, lot.quantity)
        quantity -= part
        taken.append(Lot(part, lot.price))
        if part < lot.quantity:
            lots.insert(0, Lot(lot.quantity - part, lot.price))
    return taken


def quantity_of(lots: list[Lot]) -> int:
    """The quantity of all lots."""
    return sum(lot.quantity for lot in lots)


def value_of(lots: list[Lot]) -> Decimal:
    """The sum of price times quantity."""
    return sum((lot.price * lot.quantity for lot in lots), _ZERO)


@dataclass(slots=True)
class Position:
    """The net position of one account in one instrument and product."""

    multiplier: int = 1
    """Price units in one unit of quantity."""
    lots: list[Lot] = field(default_factory=list)
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
        held = quantity_of(self.lots)
        return held if self.is_long else -held

    @property
    def open_value(self) -> Decimal:
        """Price times quantity of the open lots, never negative."""
        return value_of(self.lots) * self.multiplier

    @property
    def average_price(self) -> Decimal | None:
        """Of the open lots; None without any."""
        return value_of(self.lots) / quantity_of(self.lots) if self.lots else None

    def fill(self, side: Side, quantity: int, price: Decimal) -> None:
        """Apply a trade: close the oldest lots of the other side, then open a lot."""
        value = price * quantity * self.multiplier
        is_buy = side is Side.BUY
        if is_buy:
            self.buy_quantity += quantity
            self.buy_value += value
        else:
            self.sell_quantity += quantity
            self.sell_value += value
        if self.is_long is not is_buy:
            for lot in take_oldest(self.lots, quantity):
                profit = (price - lot.price) * lot.quantity * self.multiplier
                self.realised += profit if self.is_long else -profit
                quantity -= lot.quantity
        if quantity:
            self.is_long = is_buy
            self.lots.append(Lot(quantity, price))

    def unrealised(self, ltp: Decimal) -> Decimal:
        """Profit of the open lots at this price, before charges."""
        profit = ltp * self.quantity * self.multiplier
        return profit - self.open_value if self.is_long else profit + self.open_value

    def start_day(self) -> None:
        """Keep the open lots; the sums of the day begin at 0."""
        self.realised = self.buy_value = self.sell_value = _ZERO
        self.buy_quantity = self.sell_quantity = 0
