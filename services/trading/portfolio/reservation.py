"""The margin that is reserved for one order, until its quantity is filled or gone."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

import msgspec

from services.trading.orders import events
from services.trading.orders.order import Order
from shared.contracts.order_terms import Prices

_PAISA: Final = Decimal("0.01")


class ReservedTerms(msgspec.Struct, frozen=True):
    """A quantity and the margin of all of it."""

    quantity: int
    margin: Decimal

    def of(self, quantity: int) -> Decimal:
        """The margin of a part, to the paisa."""
        return (self.margin * quantity / self.quantity).quantize(_PAISA, ROUND_HALF_UP)


class Reservation(msgspec.Struct):
    """Of the terms in force; while a modification is pending, of the dearer terms."""

    terms: ReservedTerms
    asked: ReservedTerms | None = None
    """Of the pending modification."""

    def apply(self, event: events.OrderEvent) -> None:
        """Follow the order's modifications; `event` belongs to the pending one, if any."""
        match event:
            case events.CommandSending(prices=None):
                self.asked = None
            case events.CommandSending(prices=Prices(quantity=quantity), margin=margin):
                self.asked = ReservedTerms(
                    quantity, self.terms.of(quantity) if margin is None else margin
                )
            case events.CommandAnswered(code="") | events.CommandSettled(has_effect=True):
                self.terms, self.asked = self.asked or self.terms, None
            case events.CommandAnswered() | events.CommandSettled():
                self.asked = None

    def amount(self, order: Order) -> Decimal:
        """The margin of what can still be filled; nothing once the order is final."""
        if order.state.is_final:
            return Decimal(0)
        filled = order.filled_quantity
        all_terms = [self.terms] if self.asked is None else [self.terms, self.asked]
        return max(terms.of(max(0, terms.quantity - filled)) for terms in all_terms)
