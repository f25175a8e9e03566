"""Positions: the effect of fills on each instrument and product."""

from dataclasses import dataclass, field

from services.simulator.orders.order import Fill, Product, Side


@dataclass(slots=True)
class Position:
    """The position in one instrument and product; amounts in paise.

    Averages include the day's fills and the overnight quantity. The realised profit is the
    smaller of the bought and the sold quantity, valued at the difference of the two averages.
    """

    instrument_key: str
    product: Product
    multiplier: int = 1
    """Price units in one unit of quantity."""
    overnight_quantity: int = 0
    overnight_paise: int = 0
    """Value of the overnight quantity, with the same sign."""
    day_buy_quantity: int = 0
    day_buy_paise: int = 0
    day_sell_quantity: int = 0
    day_sell_paise: int = 0

    @property
    def buy_quantity(self) -> int:
        """Bought quantity, the overnight quantity included."""
        return self.day_buy_quantity + max(self.overnight_quantity, 0)

    @property
    def buy_paise(self) -> int:
        """Value of the bought quantity."""
        return self.day_buy_paise + max(self.overnight_paise, 0)

    @property
    def sell_quantity(self) -> int:
        """Sold quantity, the overnight quantity included."""
        return self.day_sell_quantity - min(self.overnight_quantity, 0)

    @property
    def sell_paise(self) -> int:
        """Value of the sold quantity."""
        return self.day_sell_paise - min(self.overnight_paise, 0)

    @property
    def quantity(self) -> int:
        """Open quantity: positive if long, negative if short."""
        return self.buy_quantity - self.sell_quantity

    @property
    def open_paise(self) -> int:
        """Value at which the open quantity was bought or sold, always positive."""
        if self.quantity > 0:
            return _share(self.buy_paise, self.quantity, self.buy_quantity)
        return _share(self.sell_paise, -self.quantity, self.sell_quantity)

    @property
    def realised_paise(self) -> int:
        """Profit of the closed quantity."""
        return self.sell_paise - self.buy_paise + self._signed_open_paise

    def unrealised_paise(self, ltp_paise: int) -> int:
        """Profit of the open quantity at this price."""
        return self.quantity * self.multiplier * ltp_paise - self._signed_open_paise

    def add(self, side: Side, price_paise: int, quantity: int) -> None:
        """Add a fill."""
        if side is Side.BUY:
            self.day_buy_quantity += quantity
            self.day_buy_paise += price_paise * quantity * self.multiplier
        else:
            self.day_sell_quantity += quantity
            self.day_sell_paise += price_paise * quantity * self.multiplier

    @property
    def _signed_open_paise(self) -> int:
        return self.open_paise if self.quantity > 0 else -self.open_paise


@dataclass(slots=True)
class Positions:
    """All positions of one user."""

    by_key: dict[tuple[str, Product], Position] = field(default_factory=dict)

    def of(self, instrument_key: str, product: Product, multiplier: int) -> Position:
        """The position, created if there is none."""
        key = (instrument_key, product)
        if key not in self.by_key:
            self.by_key[key] = Position(instrument_key, product, multiplier)
        return self.by_key[key]

    def quantity(self, instrument_key: str, product: Product) -> int:
        """The open quantity; zero if there is no such position."""
        position = self.by_key.get((instrument_key, product))
        return position.quantity if position is not None else 0

    def record(self, fill: Fill, multiplier: int) -> Position:
        """Add a fill; returns its position."""
        request = fill.order.request
        position = self.of(request.instrument_key, request.product, multiplier)
        position.add(request.side, fill.price_paise, fill.quantity)
        return position

    def convert(self, old: Position, new_product: Product, side: Side, quantity: int) -> None:
        """Move part of an open position to another product, at its average price."""
        open_quantity = abs(old.quantity)
        value = _share(old.open_paise, quantity, open_quantity)
        new = self.of(old.instrument_key, new_product, old.multiplier)
        if side is Side.BUY:
            old.day_buy_quantity -= quantity
            old.day_buy_paise -= value
            new.day_buy_quantity += quantity
            new.day_buy_paise += value
        else:
            old.day_sell_quantity -= quantity
            old.day_sell_paise -= value
            new.day_sell_quantity += quantity
            new.day_sell_paise += value

    def realised_paise(self) -> int:
        """Realised profit of all positions."""
        return sum(position.realised_paise for position in self.by_key.values())


def _share(value: int, part: int, whole: int) -> int:
    """`value` times `part` over `whole`, rounded to a paisa; zero if `whole` is zero."""
    return (2 * value * part + whole) // (2 * whole) if whole else 0
