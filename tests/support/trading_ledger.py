"""Recomputes a paper account from its entries in a second way: share by share, in fractions.

Slow and simple. It has rates, rounding and matching of its own.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from services.trading.journal.entry import (
    AccountReset,
    ContractSettled,
    DayEnded,
    Entry,
    OrderChanged,
)
from services.trading.orders import events
from services.trading.orders.instrument import OrderInstrument
from shared.contracts.order_terms import Product, Side
from tests.support.trading_stories import LTP

# Percent: brokerage, tax on buys, tax on sales, exchange, IPFT, stamp on buys.
RATES = {
    "delivery": ("2.5", "0.1", "0.1", "0.00297", "0.0001", "0.015"),
    "intraday": ("0.1", "0", "0.025", "0.00297", "0.0001", "0.003"),
    "futures": ("0.05", "0", "0.05", "0.00173", "0.0001", "0.002"),
    "options": ("100000000", "0", "0.15", "0.03503", "0.0005", "0.003"),
    "commodity_futures": ("0.05", "0", "0.01", "0.0021", "0", "0.002"),
}


def rounded(amount: Fraction, parts_of_a_rupee: int = 100) -> Fraction:
    """Half up."""
    return Fraction((amount * parts_of_a_rupee + Fraction(1, 2)) // 1, parts_of_a_rupee)


@dataclass
class LedgerOrder:
    """An order and its fills of the day."""

    instrument: OrderInstrument
    product: Product
    side: Side
    quantity: int
    margin: Fraction
    is_open: bool = True
    filled: int = 0
    turnover: Fraction = Fraction(0)
    bears_dp: bool = False

    def reserved(self) -> Fraction:
        """The margin of what can still be filled."""
        if not self.is_open:
            return Fraction(0)
        return rounded(self.margin * (self.quantity - self.filled) / self.quantity)

    def charges(self) -> Fraction:
        """Of all fills of the day."""
        if not self.turnover:
            return Fraction(0)
        is_buy = self.side is Side.BUY
        percent = [Fraction(rate) / 100 for rate in RATES[self.instrument.charge_kind.value]]
        brokerage = min(Fraction(20), rounded(self.turnover * percent[0]))
        tax = rounded(self.turnover * percent[1 if is_buy else 2], 1)
        exchange, ipft = rounded(self.turnover * percent[3]), rounded(self.turnover * percent[4])
        sebi = rounded(self.turnover / 1_000_000)
        dp = Fraction("18.50") if self.bears_dp else Fraction(0)
        stamp = rounded(self.turnover * percent[5]) if is_buy else Fraction(0)
        gst = rounded((brokerage + exchange + ipft + sebi + dp) * 18 / 100)
        return brokerage + tax + exchange + ipft + sebi + dp + stamp + gst


@dataclass
class Pile:
    """The open units of one position: bought units are +1, sold ones -1."""

    instrument: OrderInstrument
    product: Product
    units: list[tuple[int, Fraction]] = field(default_factory=list)
    realised: Fraction = Fraction(0)

    @property
    def quantity(self) -> int:
        """Signed."""
        return sum(sign for sign, _ in self.units)


class Ledger:
    """The account after all entries."""

    def __init__(self, entries: Sequence[Entry], opening_cash: int) -> None:
        self.opening = self.cash = Fraction(opening_cash)
        self.orders: dict[str, LedgerOrder] = {}
        self.piles: dict[tuple[str, Product], Pile] = {}
        self.held: dict[str, list[Fraction]] = defaultdict(list)
        self.arriving: dict[str, list[Fraction]] = defaultdict(list)
        self.dp_keys: set[str] = set()
        self.exercise_taxes = Fraction(0)
        self.carried = Fraction(0)
        for entry in entries:
            match entry.body:
                case OrderChanged(order_id=order_id, event=event):
                    self._event(order_id, event)
                case ContractSettled(key=key, product=product, price=settled_at):
                    self._settle(self.piles[key, product], Fraction(settled_at))
                case DayEnded(marks=marks):
                    self._end_day()
                    self.carried = self.unrealised(marks)
                case AccountReset():
                    self.__init__([], opening_cash)  # type: ignore[misc]

    def _event(self, order_id: str, event: events.OrderEvent) -> None:
        if isinstance(event, events.Intended):
            assert event.instrument is not None
            self.orders[order_id] = LedgerOrder(
                event.instrument, event.terms.product, event.terms.side,
                event.terms.prices.quantity, Fraction(event.margin),
            )  # fmt: skip
        elif isinstance(event, events.Filled):
            self._fill(self.orders[order_id], event.quantity, Fraction(event.price))
        elif isinstance(event, events.Reported):
            self.orders[order_id].is_open = False

    def _fill(self, order: LedgerOrder, quantity: int, price: Fraction) -> None:
        key, multiplier = order.instrument.key, order.instrument.multiplier
        pile = self.piles.setdefault((key, order.product), Pile(order.instrument, order.product))
        sign = 1 if order.side is Side.BUY else -1
        for _ in range(quantity):
            if pile.units and pile.units[0][0] == -sign:
                _, opened_at = pile.units.pop(0)
                pile.realised += (opened_at - price) * sign * multiplier
            else:
                pile.units.append((sign, price))
        order.filled += quantity
        order.is_open = order.filled < order.quantity
        order.turnover += price * quantity * multiplier
        if sign < 0 and self.covered(pile) and key not in self.dp_keys:
            self.dp_keys.add(key)
            order.bears_dp = True

    def _settle(self, pile: Pile, price: Fraction) -> None:
        value = price * abs(pile.quantity) * pile.instrument.multiplier
        if pile.quantity > 0 and pile.instrument.charge_kind.value == "options":
            self.exercise_taxes += rounded(value * Fraction("0.0015"), 1)
        for sign, opened_at in pile.units:
            pile.realised += (price - opened_at) * sign * pile.instrument.multiplier
        pile.units = []

    def covered(self, pile: Pile) -> int:
        """Units of a delivery sale that the holdings deliver."""
        if pile.product is not Product.DELIVERY or not pile.instrument.is_share:
            return 0
        key = pile.instrument.key
        return min(max(0, -pile.quantity), len(self.held[key]) + len(self.arriving[key]))

    def _end_day(self) -> None:
        self.cash += self.realised() - self.charges()
        bought: dict[str, list[Fraction]] = defaultdict(list)
        for pile in self.piles.values():
            key = pile.instrument.key
            if pile.instrument.is_share and pile.product is not Product.INTRADAY:
                covered = self.covered(pile)
                for _ in range(covered):
                    self.cash += pile.units.pop(0)[1]
                    (self.held[key] or self.arriving[key]).pop(0)
                while pile.units and pile.quantity > 0:
                    price = pile.units.pop(0)[1]
                    self.cash -= price
                    bought[key].append(price)
            pile.realised = Fraction(0)
        for key, prices in self.arriving.items():
            self.held[key] += prices
        self.arriving = bought
        self.piles = {name: pile for name, pile in self.piles.items() if pile.units}
        self.orders = {name: order for name, order in self.orders.items() if order.is_open}
        for order in self.orders.values():
            order.turnover, order.bears_dp = Fraction(0), False
        self.dp_keys = set()
        self.exercise_taxes = Fraction(0)

    def realised(self) -> Fraction:
        """Of the day."""
        return sum((pile.realised for pile in self.piles.values()), Fraction(0))

    def charges(self) -> Fraction:
        """Of the day."""
        return sum((order.charges() for order in self.orders.values()), self.exercise_taxes)

    def reserved(self) -> Fraction:
        """For open orders."""
        return sum((order.reserved() for order in self.orders.values()), Fraction(0))

    def usable_proceeds(self) -> Fraction:
        """Four fifths of what was sold from the demat account, in whole paise."""
        sold = Fraction(0)
        for pile in self.piles.values():
            quantity = min(self.covered(pile), len(self.held[pile.instrument.key]))
            sold += sum((price for _, price in pile.units[:quantity]), Fraction(0))
        return Fraction(sold * 80 // 1, 100)

    def blocked(self) -> Fraction:
        """The margin of all positions."""
        return sum((self._margin(pile) for pile in self.piles.values()), Fraction(0))

    def _margin(self, pile: Pile) -> Fraction:
        units = pile.units[self.covered(pile) :]
        instrument = pile.instrument
        value = sum((price for _, price in units), Fraction(0)) * instrument.multiplier
        kind = instrument.charge_kind.value
        intraday = 20 if instrument.has_derivatives else 100
        percent = {"intraday": intraday, "futures": 15, "commodity_futures": 15}.get(kind, 100)
        if kind == "options" and pile.quantity < 0:
            assert instrument.strike is not None
            assert instrument.underlying_key is not None
            underlying = Fraction(LTP[instrument.underlying_key])
            beyond = max(Fraction(0), Fraction(instrument.strike) - underlying)
            each = max(underlying * 15 / 100 - beyond, underlying * 75 / 1000)
            return rounded(each * len(units))
        return rounded(value * percent / 100)

    def unrealised(self, prices: Mapping[str, Decimal]) -> Fraction:
        """Of all positions with a price."""
        total = Fraction(0)
        for pile in self.piles.values():
            ltp = prices.get(pile.instrument.key)
            if ltp is None:
                continue
            for sign, price in pile.units[self.covered(pile) :]:
                total += sign * (Fraction(ltp) - price) * pile.instrument.multiplier
        return total
