"""The kind of charges of shares and options."""

import pytest

from services.trading.charges.kinds import option_charge_kind, share_charge_kind
from services.trading.charges.rates import ChargeKind, Exchange
from shared.contracts.order_terms import Product


@pytest.mark.parametrize(
    ("product", "kind"),
    [
        (Product.DELIVERY, ChargeKind.DELIVERY),
        (Product.INTRADAY, ChargeKind.INTRADAY),
        (Product.MTF, ChargeKind.MTF),
    ],
)
def test_the_charges_of_a_share_depend_on_the_product(product: Product, kind: ChargeKind) -> None:
    assert share_charge_kind(product) is kind


@pytest.mark.parametrize(
    ("exchange", "underlying_key", "kind"),
    [
        (Exchange.NSE, "NSE_INDEX|Nifty 50", ChargeKind.OPTIONS),
        (Exchange.BSE, "BSE_INDEX|SENSEX", ChargeKind.OPTIONS),
        (Exchange.BSE, "BSE_INDEX|BANKEX", ChargeKind.OPTIONS),
        (Exchange.BSE, "BSE_INDEX|SNSX50", ChargeKind.BSE_OTHER_OPTIONS),
        (Exchange.BSE, "BSE_EQ|INE002A01018", ChargeKind.BSE_OTHER_OPTIONS),
        (Exchange.BSE, None, ChargeKind.BSE_OTHER_OPTIONS),
    ],
)
def test_bse_charges_less_for_options_on_other_underlyings(
    exchange: Exchange, underlying_key: str | None, kind: ChargeKind
) -> None:
    assert option_charge_kind(exchange, underlying_key) is kind
