"""The charges of one trading day: of each order, from all its fills of the day."""

from datetime import date
from decimal import Decimal

import msgspec

from services.trading.charges.charges import Leg, charges_of, exercise_tax
from services.trading.charges.rates import rates_on
from services.trading.orders.instrument import OrderInstrument


class ChargedOrder(msgspec.Struct):
    """Charges for the fills of one order."""

    day: date
    """Of its first fill; decides the rates."""
    turnover: Decimal
    is_first_demat_sale: bool
    total: Decimal
    """All charges in rupees."""


class DayCharges(msgspec.Struct):
    """Charges are per order, since brokerage has a maximum and each amount is rounded."""

    orders: dict[str, ChargedOrder] = {}
    """By order id."""
    total: Decimal = Decimal(0)
    sold_from_demat: list[str] = []
    """Keys of shares that were sold from the demat account today."""

    def of(self, order_id: str) -> Decimal:
        """The charges of an order today; 0 without a fill."""
        charged = self.orders.get(order_id)
        return Decimal(0) if charged is None else charged.total

    def add_exercise(self, instrument: OrderInstrument, value: Decimal, on: date) -> None:
        """Count the tax of options that have expired at this value, for their holder."""
        self.total += exercise_tax(instrument.charge_kind, value, rates_on(on))

    def add(
        self,
        order_id: str,
        instrument: OrderInstrument,
        turnover: Decimal,
        *,
        is_buy: bool,
        is_demat_sale: bool,
        on: date,
    ) -> None:
        """Count one more fill of an order.

        The first sale of a share from the demat account bears the DP charge of its day, also if
        the shares are bought back later.
        """
        charged = self.orders.setdefault(order_id, ChargedOrder(on, Decimal(0), False, Decimal(0)))
        charged.turnover += turnover
        if is_demat_sale and instrument.key not in self.sold_from_demat:
            self.sold_from_demat.append(instrument.key)
            charged.is_first_demat_sale = True
        leg = Leg(
            instrument.charge_kind,
            instrument.exchange,
            is_buy,
            charged.turnover,
            charged.is_first_demat_sale,
        )
        before, charged.total = charged.total, charges_of(leg, rates_on(charged.day)).total
        self.total += charged.total - before
