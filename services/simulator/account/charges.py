"""Charges of broker, exchange and state on a trade, at plausible rates.

Brokerage is Rs 20 per order, or 0.1 % of the value (intraday and futures 0.05 %) if that is
less. The other charges are parts per million of the value: see `_RATES`. GST is 18 % of
brokerage, exchange charges and SEBI charges.
"""

from dataclasses import dataclass
from typing import Final

from services.simulator.market.instruments import InstrumentType, ListedInstrument
from services.simulator.orders.order import Product, Side

_MAX_BROKERAGE_PAISE: Final = 2_000
_MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class _Rates:
    """Parts per million of a trade's value."""

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
_SEBI_RATE: Final = 1
_GST_PERCENT: Final = 18


@dataclass(frozen=True, slots=True)
class Charges:
    """Charges by kind, in paise."""

    brokerage: int = 0
    gst: int = 0
    stt: int = 0
    stamp_duty: int = 0
    transaction: int = 0
    sebi_turnover: int = 0

    @property
    def total(self) -> int:
        """The sum of all charges."""
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


def order_charges(
    instrument: ListedInstrument, product: Product, side: Side, quantity: int, price_paise: int
) -> Charges:
    """The charges of one order that is filled at this price."""
    value = quantity * instrument.multiplier * price_paise
    rates = _RATES[_rate_class(instrument, product)]
    brokerage = min(_MAX_BROKERAGE_PAISE, _share(value, rates.brokerage))
    transaction, sebi = _share(value, rates.exchange), _share(value, _SEBI_RATE)
    is_buy = side is Side.BUY
    return Charges(
        brokerage=brokerage,
        gst=(brokerage + transaction + sebi) * _GST_PERCENT // 100,
        stt=_share(value, rates.stt_buy if is_buy else rates.stt_sell),
        stamp_duty=_share(value, rates.stamp_buy) if is_buy else 0,
        transaction=transaction,
        sebi_turnover=sebi,
    )


def _rate_class(instrument: ListedInstrument, product: Product) -> str:
    if instrument.instrument_type is InstrumentType.EQUITY:
        return "delivery" if product.is_delivery else "intraday"
    return "option" if instrument.is_option else "future"


def _share(value: int, parts_per_million: int) -> int:
    return value * parts_per_million // _MILLION
