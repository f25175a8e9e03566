"""Positions: what fills have made of each instrument and product."""

from dataclasses import dataclass, field

from services.simulator.orders.order import Fill, Product, Side


@dataclass(slots=True)
class Position:
    """One instrument held for one product; values in paise.

    Averages are over the day's buys or sells and those carried overnight, so the
    realised profit is what the smaller side has made against the average of the other.
    """

    instrument_key: str
    product: Product
    multiplier: int = 1
    """What one of its quantity holds of what the price is for."""
    overnight_quantity: int = 0
    overnight_paise: int = 0
    """Value of the overnight quantity, as positive as it is."""
    day_buy_quantity: int = 0
    day_buy_paise: int = 0
    day_sell_quantity: int = 0
    day_sell_paise: int = 0

    @property
    def buy_quantity(self) -> int:
        """Bought in all."""
        return self.day_buy_quantity + max(self.overnight_quantity, 0)

    @property
    def buy_paise(self) -> int:
        """Value of all that was bought."""
        return self.day_buy_paise + max(self.overnight_paise, 0)

    @property
    def sell_quantity(self) -> int:
        """Sold in all."""
        return self.day_sell_quantity - min(self.overnight_quantity, 0)

    @property
    def sell_paise(self) -> int:
        """Value of all that was sold."""
        return self.day_sell_paise - min(self.overnight_paise, 0)

    @property
    def quantity(self) -> int:
        """What is open: positive if long."""
        return self.buy_quantity - self.sell_quantity

    @property
    def open_paise(self) -> int:
        """Value at which the open quantity was entered, always positive."""
        if self.quantity > 0:
            return _share(self.buy_paise, self.quantity, self.buy_quantity)
        return _share(self.sell_paise, -self.quantity, self.sell_quantity)

    @property
    def realised_paise(self) -> int:
        """Profit of what was both bought and sold."""
        signed_open = self.open_paise if self.quantity > 0 else -self.open_paise
        return self.sell_paise - self.buy_paise + signed_open

    def unrealised_paise(self, ltp_paise: int) -> int:
        """Profit of what is open, at this price."""
        signed_open = self.open_paise if self.quantity > 0 else -self.open_paise
        return self.quantity * self.multiplier * ltp_paise - signed_open

    def add(self, side: Side, price_paise: int, quantity: int) -> None:
        """A fill."""
        if side is Side.BUY:
            self.day_buy_quantity += quantity
            self.day_buy_paise += price_paise * quantity * self.multiplier
        else:
            self.day_sell_quantity += quantity
            self.day_sell_paise += price_paise * quantity * self.multiplier


@dataclass(slots=True)
class Positions:
    """All of one user's."""

    by_key: dict[tuple[str, Product], Position] = field(default_factory=dict)

    def of(self, instrument_key: str, product: Product, multiplier: int) -> Position:
        """The position, made empty if there is none."""
        key = (instrument_key, product)
        if key not in self.by_key:
            self.by_key[key] = Position(instrument_key, product, multiplier)
        return self.by_key[key]

    def quantity(self, instrument_key: str, product: Product) -> int:
        """What is open; zero if there is no such position."""
        position = self.by_key.get((instrument_key, product))
        return position.quantity if position is not None else 0

    def record(self, fill: Fill, multiplier: int) -> Position:
        """Take a fill in; the position as it then is."""
        request = fill.order.request
        position = self.of(request.instrument_key, request.product, multiplier)
        position.add(request.side, fill.price_paise, fill.quantity)
        return position

    def convert(self, old: Position, new_product: Product, side: Side, quantity: int) -> None:
        """Move so much of an open position to another product, at its average price."""
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
        """Profit of all that was both bought and sold."""
        return sum(position.realised_paise for position in self.by_key.values())


def _share(value: int, part: int, whole: int) -> int:
    """`part` of a value of `whole`, to the nearest paisa."""
    return (2 * value * part + whole) // (2 * whole) if whole else 0
