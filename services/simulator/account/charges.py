"""Charges: what the broker, the exchange and the state take of a trade. Plausible rates.

Brokerage is Rs 20 an order, or 0.1 % (intraday 0.05 %) if that is less. The rest is per
value of the trade, in parts of a million: see `_RATES`. GST is 18 % of brokerage,
exchange and SEBI fees together.
"""

from dataclasses import dataclass
from typing import Final

from services.simulator.market.instruments import Kind, ListedInstrument
from services.simulator.orders.order import Product, Side

_BROKERAGE_PAISE: Final = 2_000
_MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class _Rates:
    """Parts of a million of a trade's value."""

    brokerage: int
    stt_buy: int
    stt_sell: int
    stamp_buy: int
    exchange: int


_RATES: Final = {
    "delivery": _Rates(1_000, 1_000, 1_000, 150, 30),
    "intraday": _Rates(500, 0, 250, 30, 30),
    "future": _Rates(500, 0, 200, 20, 18),
    "option": _Rates(_MILLION, 0, 1_000, 30, 355),
}
_SEBI: Final = 1
_GST_PERCENT: Final = 18


@dataclass(frozen=True, slots=True)
class Charges:
    """All in paise."""

    brokerage: int = 0
    gst: int = 0
    stt: int = 0
    stamp_duty: int = 0
    transaction: int = 0
    sebi_turnover: int = 0

    @property
    def total(self) -> int:
        """All together."""
        taxes = self.gst + self.stt + self.stamp_duty
        return self.brokerage + taxes + self.transaction + self.sebi_turnover

    def __add__(self, other: "Charges") -> "Charges":
        return Charges(
            self.brokerage + other.brokerage,
            self.gst + other.gst,
            self.stt + other.stt,
            self.stamp_duty + other.stamp_duty,
            self.transaction + other.transaction,
            self.sebi_turnover + other.sebi_turnover,
        )


def charges(
    instrument: ListedInstrument, product: Product, side: Side, quantity: int, price_paise: int
) -> Charges:
    """What one order filled at this price costs."""
    value = quantity * instrument.multiplier * price_paise
    rates = _RATES[_sort(instrument, product)]
    brokerage = min(_BROKERAGE_PAISE, _of(value, rates.brokerage))
    transaction, sebi = _of(value, rates.exchange), _of(value, _SEBI)
    buying = side is Side.BUY
    return Charges(
        brokerage=brokerage,
        gst=(brokerage + transaction + sebi) * _GST_PERCENT // 100,
        stt=_of(value, rates.stt_buy if buying else rates.stt_sell),
        stamp_duty=_of(value, rates.stamp_buy) if buying else 0,
        transaction=transaction,
        sebi_turnover=sebi,
    )


def _sort(instrument: ListedInstrument, product: Product) -> str:
    if instrument.kind is Kind.EQUITY:
        return "delivery" if product.is_delivery else "intraday"
    return "option" if instrument.is_option else "future"


def _of(value: int, parts: int) -> int:
    return value * parts // _MILLION
