"""The facts of an instrument that an order needs, kept in the order's first event.

An order is charged and margined by the facts of its own day, whatever the instrument master says
later.
"""

from datetime import date
from decimal import Decimal
from typing import Final

import msgspec

from services.trading.charges.kinds import option_charge_kind, share_charge_kind
from services.trading.charges.rates import ChargeKind, Exchange, rates_on
from services.trading.margin.margin import UnderlyingKind
from shared.contracts.instruments import Instrument
from shared.contracts.order_terms import Product
from shared.errors import OrderRefused

_SHARE_SEGMENTS: Final = frozenset({"NSE_EQ", "BSE_EQ"})
_SHARE_TYPES: Final = frozenset(
    {"EQ", "BE", "BZ", "SM", "ST", "A", "B", "T", "X", "XT", "Z", "M", "MT"}
)
"""NSE's series and BSE's groups of shares and exchange-traded funds; bonds have others."""
_FUTURE: Final = "FUT"
_CALL: Final = "CE"
_DERIVATIVE_TYPES: Final = frozenset({_FUTURE, _CALL, "PE"})
_DERIVATIVE_KINDS: Final = {
    "NSE_FO": (ChargeKind.FUTURES, ChargeKind.OPTIONS),
    "BSE_FO": (ChargeKind.FUTURES, ChargeKind.OPTIONS),
    "MCX_FO": (ChargeKind.COMMODITY_FUTURES, ChargeKind.COMMODITY_OPTIONS),
    "NCD_FO": (ChargeKind.CURRENCY_FUTURES, ChargeKind.CURRENCY_OPTIONS),
}
_SETTLED_ON_UNDERLYING: Final = frozenset({UnderlyingKind.INDEX, UnderlyingKind.STOCK})
_COMMODITIES: Final = "MCX_FO"
_CURRENCIES: Final = "NCD_FO"


class OrderInstrument(msgspec.Struct, frozen=True, kw_only=True):
    """One instrument as one order sees it; prices in rupees."""

    key: str
    symbol: str
    segment: str
    exchange: Exchange
    type: str
    """Upstox's type: ``EQ``, ``FUT``, ``CE``, ``PE`` and others."""
    tick: Decimal
    lot: int
    charge_kind: ChargeKind
    """Of the order's product: a share has other charges intraday than for delivery."""
    freeze: int | None = None
    """Greatest quantity of one order; None if it is not known."""
    multiplier: int = 1
    """Price units in one unit of quantity; above 1 for commodities only, whose unit is a lot."""
    underlying_kind: UnderlyingKind | None = None
    """None for shares, as are the following facts of derivatives."""
    strike: Decimal | None = None
    expiry: str | None = None
    """``YYYY-MM-DD``."""
    is_call: bool = False
    underlying_key: str | None = None
    has_derivatives: bool = False
    """Whether futures or options on this share exist."""

    @property
    def is_share(self) -> bool:
        """Whether it is kept in a demat account when it is bought for delivery."""
        return self.underlying_kind is None

    def has_expired(self, on: date) -> bool:
        """Whether its expiry was before this day."""
        return self.expiry is not None and self.expiry < on.isoformat()

    @property
    def settlement_key(self) -> str | None:
        """The instrument whose closing price on the expiry day settles this contract.

        Its underlying; a future on a commodity or a currency is settled at its own price. None for
        a share, and for an option whose underlying is not known.
        """
        if self.is_share:
            return None
        if self.is_option or self.underlying_kind in _SETTLED_ON_UNDERLYING:
            return self.underlying_key
        return self.key

    def price_at_expiry(self, closing_price: Decimal) -> Decimal:
        """The value of one unit of this contract at that closing price of `settlement_key`."""
        if self.strike is None:
            return closing_price
        inside = closing_price - self.strike if self.is_call else self.strike - closing_price
        return max(Decimal(0), inside)

    @property
    def is_option(self) -> bool:
        """Whether it is a call or a put."""
        return self.strike is not None


def order_instrument(instrument: Instrument, product: Product, on: date) -> OrderInstrument:
    """The facts for an order of this product and day.

    Raises OrderRefused for an instrument that cannot be ordered.
    """
    multiplier = instrument.multiplier
    if instrument.segment in _SHARE_SEGMENTS and instrument.type in _SHARE_TYPES:
        kind = share_charge_kind(product)
        return _order_instrument(instrument, kind, on, has_derivatives=instrument.has_derivatives)
    if instrument.segment not in _DERIVATIVE_KINDS or instrument.type not in _DERIVATIVE_TYPES:
        raise _refused(f"{instrument.segment} {instrument.type} cannot be ordered", instrument)
    if instrument.expiry is None or instrument.expiry < on.isoformat():
        raise _refused(f"it expired on {instrument.expiry or 'an unknown day'}", instrument)
    if instrument.segment == _COMMODITIES and not multiplier:
        raise _refused("its quantity multiplier is not known", instrument)
    future, option = _DERIVATIVE_KINDS[instrument.segment]
    if instrument.type == _FUTURE:
        return _order_instrument(instrument, future, on, multiplier=multiplier or 1)
    if not instrument.strike:
        raise _refused("its strike price is not known", instrument)
    if option is ChargeKind.OPTIONS and instrument.exchange == Exchange.BSE:
        option = option_charge_kind(Exchange.BSE, instrument.underlying_key)
    return _order_instrument(
        instrument, option, on, multiplier=multiplier or 1, strike=_exact(instrument.strike)
    )


def _order_instrument(
    instrument: Instrument,
    kind: ChargeKind,
    on: date,
    *,
    multiplier: int = 1,
    strike: Decimal | None = None,
    has_derivatives: bool = False,
) -> OrderInstrument:
    try:
        exchange = Exchange(instrument.exchange)
    except ValueError:
        raise _refused(f"the exchange {instrument.exchange} is not known", instrument) from None
    if exchange not in rates_on(on).kinds[kind].exchange:
        raise _refused(f"{exchange} has no rates for {kind}", instrument)
    if not instrument.tick_size or not instrument.lot_size:
        raise _refused("its tick size or lot size is not known", instrument)
    freeze = instrument.freeze_quantity
    return OrderInstrument(
        key=instrument.key,
        symbol=instrument.symbol,
        segment=instrument.segment,
        exchange=exchange,
        type=instrument.type,
        tick=_exact(instrument.tick_size),
        lot=instrument.lot_size,
        charge_kind=kind,
        freeze=int(freeze) if freeze else None,
        multiplier=multiplier,
        underlying_kind=_underlying_kind(instrument),
        strike=strike,
        expiry=instrument.expiry,
        is_call=instrument.type == _CALL,
        underlying_key=instrument.underlying_key,
        has_derivatives=has_derivatives,
    )


def _underlying_kind(instrument: Instrument) -> UnderlyingKind | None:
    if instrument.segment in _SHARE_SEGMENTS:
        return None
    if instrument.segment == _COMMODITIES:
        return UnderlyingKind.COMMODITY
    if instrument.segment == _CURRENCIES:
        return UnderlyingKind.CURRENCY
    segment = (instrument.underlying_key or "").partition("|")[0]
    return UnderlyingKind.INDEX if segment.endswith("_INDEX") else UnderlyingKind.STOCK


def _exact(number: float) -> Decimal:
    """The shortest decimal number that is this float: 0.05 becomes 0.05."""
    return Decimal(str(number))


def _refused(detail: str, instrument: Instrument) -> OrderRefused:
    return OrderRefused(
        f"{instrument.key}: {detail}", field="key", rule="instrument", value=instrument.key
    )
