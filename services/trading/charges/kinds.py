"""Chooses the kind of charges where an instrument has more than one."""

from typing import Final

from services.trading.charges.rates import ChargeKind, Exchange
from shared.contracts.order_terms import Product

_SHARE_KINDS: Final = {
    Product.DELIVERY: ChargeKind.DELIVERY,
    Product.INTRADAY: ChargeKind.INTRADAY,
    Product.MTF: ChargeKind.MTF,
}
_BSE_INDICES: Final = frozenset({"BSE_INDEX|SENSEX", "BSE_INDEX|BANKEX"})
"""BSE charges more for options on these."""


def share_charge_kind(product: Product) -> ChargeKind:
    """The kind of a share order of this product."""
    return _SHARE_KINDS[product]


def option_charge_kind(exchange: Exchange, underlying_key: str | None) -> ChargeKind:
    """The kind of an option on a share or on an index of shares."""
    if exchange is Exchange.BSE and underlying_key not in _BSE_INDICES:
        return ChargeKind.BSE_OTHER_OPTIONS
    return ChargeKind.OPTIONS
