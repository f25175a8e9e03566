"""Computes the charges of one executed leg.

Each amount is rounded half up: STT and CTT to the rupee, all others to the paisa. GST is computed
from the rounded amounts, as contract notes do.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from services.trading.charges.rates import ChargeKind, Exchange, RateTable

_PAISA: Final = Decimal("0.01")
_RUPEE: Final = Decimal(1)
_HUNDRED: Final = Decimal(100)


@dataclass(frozen=True, slots=True)
class Leg:
    """The fills of one order on one day."""

    kind: ChargeKind
    exchange: Exchange
    is_buy: bool
    turnover: Decimal
    """Sum of price times quantity over all fills, in rupees; for options of the premium."""
    is_first_demat_sale: bool = False
    """Whether this is the first sale of the share from the demat account on its day."""


@dataclass(frozen=True, slots=True)
class Charges:
    """Charges in rupees."""

    brokerage: Decimal
    transaction_tax: Decimal
    """STT, or CTT for commodities."""
    exchange: Decimal
    investor_protection: Decimal
    sebi: Decimal
    stamp: Decimal
    dp: Decimal
    gst: Decimal

    @property
    def total(self) -> Decimal:
        """The sum of all charges."""
        return (
            self.brokerage + self.transaction_tax + self.exchange + self.investor_protection
            + self.sebi + self.stamp + self.dp + self.gst
        )  # fmt: skip


class UnknownExchangeError(ValueError):
    """The exchange does not trade this kind of instrument."""


def charges_of(leg: Leg, table: RateTable) -> Charges:
    """The charges of a leg. Raises UnknownExchangeError."""
    rates = table.kinds[leg.kind]
    exchange_percent = rates.exchange.get(leg.exchange)
    if exchange_percent is None:
        raise UnknownExchangeError(f"{leg.exchange} does not trade {leg.kind}")
    turnover = leg.turnover
    brokerage = table.brokerage_max_rupees
    if rates.brokerage_percent is not None:
        brokerage = min(brokerage, _percent(turnover, rates.brokerage_percent))
    tax_percent = rates.transaction_tax_buy if leg.is_buy else rates.transaction_tax_sell
    ipft_percent = rates.investor_protection if leg.exchange is Exchange.NSE else Decimal(0)
    exchange = _percent(turnover, exchange_percent)
    investor_protection = _percent(turnover, ipft_percent)
    sebi = _percent(turnover, table.sebi_percent)
    dp = table.dp_rupees if leg.is_first_demat_sale else Decimal(0)
    taxable = brokerage + exchange + investor_protection + sebi + dp
    return Charges(
        brokerage=brokerage,
        transaction_tax=_percent(turnover, tax_percent, _RUPEE),
        exchange=exchange,
        investor_protection=investor_protection,
        sebi=sebi,
        stamp=_percent(turnover, rates.stamp_buy) if leg.is_buy else Decimal(0),
        dp=dp,
        gst=_percent(taxable, table.gst_percent),
    )


def exercise_tax(kind: ChargeKind, value: Decimal, table: RateTable) -> Decimal:
    """STT of options that expire with this value in rupees; 0 for all other contracts."""
    return _percent(value, table.kinds[kind].exercise_tax, _RUPEE)


def _percent(amount: Decimal, percent: Decimal, unit: Decimal = _PAISA) -> Decimal:
    return (amount * percent / _HUNDRED).quantize(unit, ROUND_HALF_UP)
