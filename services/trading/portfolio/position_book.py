"""The positions of one account, by instrument and product."""

from decimal import Decimal

import msgspec

from services.trading.orders.instrument import OrderInstrument
from services.trading.portfolio.holdings import Holdings
from services.trading.portfolio.position import Position, take_oldest
from shared.contracts.order_terms import Product, Side


class BookedPosition(msgspec.Struct):
    """A position with its instrument, as recorded in the newest order."""

    instrument: OrderInstrument
    product: Product
    position: Position
    settled_price: Decimal | None = None
    """At which the expired contract was settled in cash; None before."""

    @property
    def is_delivery(self) -> bool:
        """Whether shares change hands at the end of the day."""
        return self.instrument.is_share and self.product is not Product.INTRADAY

    def quantity_from(self, holdings: Holdings) -> int:
        """The quantity of a delivery sale that the holdings can deliver."""
        if self.product is not Product.DELIVERY or not self.is_delivery:
            return 0
        return min(max(0, -self.position.quantity), holdings.quantity(self.instrument.key))

    def exposure(self, holdings: Holdings) -> Position:
        """The part exposed to the price: the position without the sale of held shares."""
        covered = self.quantity_from(holdings)
        if not covered:
            return self.position
        lots = list(self.position.lots)
        take_oldest(lots, covered)
        return Position(self.position.multiplier, lots, is_long=False)


class PositionBook(msgspec.Struct):
    """All positions of the trading day, closed ones included."""

    booked: dict[str, BookedPosition] = {}

    def find(self, key: str, product: Product) -> BookedPosition | None:
        """The position in an instrument; None without a trade."""
        return self.booked.get(_name(key, product))

    def quantity(self, key: str, product: Product) -> int:
        """Signed; 0 without a position."""
        booked = self.find(key, product)
        return 0 if booked is None else booked.position.quantity

    def fill(
        self,
        instrument: OrderInstrument,
        product: Product,
        side: Side,
        quantity: int,
        price: Decimal,
    ) -> BookedPosition:
        """Apply a trade; returns the position after it."""
        name = _name(instrument.key, product)
        booked = self.booked.get(name)
        if booked is None:
            booked = BookedPosition(instrument, product, Position(instrument.multiplier))
            self.booked[name] = booked
        booked.instrument = instrument
        booked.settled_price = None
        booked.position.fill(side, quantity, price)
        return booked

    def start_day(self) -> None:
        """Carry the open lots; closed positions are gone."""
        for booked in self.booked.values():
            booked.position.start_day()
        self.booked = {name: booked for name, booked in self.booked.items() if booked.position.lots}


def _name(key: str, product: Product) -> str:
    return f"{product.value} {key}"
