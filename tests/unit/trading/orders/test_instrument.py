"""Which instruments can be ordered, and the facts that their orders keep."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from services.trading.charges.rates import ChargeKind, Exchange
from services.trading.margin.margin import UnderlyingKind
from services.trading.orders.instrument import order_instrument
from shared.contracts.instruments import Instrument
from shared.contracts.order_terms import Product
from shared.errors import OrderRefused

TODAY = date(2026, 11, 27)
SHARE = Instrument(
    key="NSE_EQ|INE002A01018", symbol="RELIANCE", name="Reliance", segment="NSE_EQ",
    exchange="NSE", type="EQ", lot_size=1, tick_size=0.1, freeze_quantity=100_000.0,
)  # fmt: skip
CALL = Instrument(
    key="NSE_FO|2", symbol="NIFTY 24800 CE 27 NOV 26", name="NIFTY", segment="NSE_FO",
    exchange="NSE", type="CE", lot_size=65, tick_size=0.05, freeze_quantity=1800.0,
    expiry="2026-11-27", strike=24800.5, underlying_key="NSE_INDEX|Nifty 50",
)  # fmt: skip
CRUDE = Instrument(
    key="MCX_FO|3", symbol="CRUDEOIL FUT 18 DEC 26", name="CRUDEOIL", segment="MCX_FO",
    exchange="MCX", type="FUT", lot_size=1, tick_size=1.0, expiry="2026-12-18",
)  # fmt: skip


def changed(instrument: Instrument, **changes: Any) -> Instrument:
    return msgspec.structs.replace(instrument, **changes)


@pytest.mark.parametrize(
    ("product", "kind"),
    [
        (Product.DELIVERY, ChargeKind.DELIVERY),
        (Product.MTF, ChargeKind.MTF),
        (Product.INTRADAY, ChargeKind.INTRADAY),
    ],
)
def test_a_share_is_charged_by_its_product(product: Product, kind: ChargeKind) -> None:
    instrument = order_instrument(
        msgspec.structs.replace(SHARE, has_derivatives=True), product, TODAY
    )
    assert instrument.charge_kind is kind
    assert (instrument.tick, instrument.lot, instrument.freeze) == (Decimal("0.1"), 1, 100_000)
    assert instrument.is_share
    assert instrument.has_derivatives
    assert not instrument.is_option


def test_an_option_keeps_its_exact_contract_and_can_be_ordered_on_its_expiry_day() -> None:
    instrument = order_instrument(CALL, Product.INTRADAY, TODAY)
    assert instrument.charge_kind is ChargeKind.OPTIONS
    assert instrument.exchange is Exchange.NSE
    assert instrument.underlying_kind is UnderlyingKind.INDEX
    assert instrument.strike == Decimal("24800.5")
    assert (instrument.expiry, instrument.is_call) == ("2026-11-27", True)
    assert instrument.is_option
    assert not order_instrument(changed(CALL, type="PE"), Product.DELIVERY, TODAY).is_call


@pytest.mark.parametrize(
    ("changes", "kind", "charge_kind"),
    [
        ({"underlying_key": SHARE.key}, UnderlyingKind.STOCK, ChargeKind.FUTURES),
        (
            {"segment": "BSE_FO", "exchange": "BSE", "underlying_key": "BSE_INDEX|SENSEX"},
            UnderlyingKind.INDEX,
            ChargeKind.FUTURES,
        ),
        ({"segment": "NCD_FO"}, UnderlyingKind.CURRENCY, ChargeKind.CURRENCY_FUTURES),
    ],
)
def test_a_future_has_the_rates_of_its_underlying(
    changes: dict[str, str], kind: UnderlyingKind, charge_kind: ChargeKind
) -> None:
    future = changed(CALL, type="FUT", strike=None, **changes)
    instrument = order_instrument(future, Product.DELIVERY, TODAY)
    assert (instrument.underlying_kind, instrument.charge_kind) == (kind, charge_kind)
    assert instrument.strike is None


def test_a_commodity_needs_its_multiplier() -> None:
    instrument = order_instrument(
        msgspec.structs.replace(CRUDE, multiplier=100), Product.DELIVERY, TODAY
    )
    assert instrument.multiplier == 100
    assert instrument.underlying_kind is UnderlyingKind.COMMODITY
    assert instrument.freeze is None
    with pytest.raises(OrderRefused, match="multiplier"):
        order_instrument(CRUDE, Product.DELIVERY, TODAY)


@pytest.mark.parametrize(
    ("instrument", "detail"),
    [
        (changed(SHARE, segment="NSE_INDEX", type="INDEX"), "NSE_INDEX INDEX cannot be ordered"),
        (changed(SHARE, type="GS"), "NSE_EQ GS cannot be ordered"),
        (changed(CALL, type="XX"), "NSE_FO XX cannot be ordered"),
        (changed(CALL, expiry="2026-11-26"), "it expired on 2026-11-26"),
        (changed(CALL, expiry=None), "it expired on an unknown day"),
        (changed(CALL, strike=None), "its strike price is not known"),
        (changed(CALL, segment="NCD_FO", exchange="BSE"), "BSE has no rates for currency_options"),
        (changed(SHARE, exchange="MSEI"), "the exchange MSEI is not known"),
        (changed(SHARE, tick_size=None), "its tick size or lot size is not known"),
        (changed(SHARE, lot_size=0), "its tick size or lot size is not known"),
    ],
)
def test_an_instrument_that_cannot_be_ordered_is_refused_with_the_reason(
    instrument: Instrument, detail: str
) -> None:
    with pytest.raises(OrderRefused) as refused:
        order_instrument(instrument, Product.DELIVERY, TODAY)
    assert refused.value.detail == f"{instrument.key}: {detail}"
    assert refused.value.members == {"rule": "instrument", "value": instrument.key}


def test_a_contract_has_expired_from_the_day_after_its_expiry_on() -> None:
    call = order_instrument(CALL, Product.DELIVERY, TODAY)
    assert call.expiry is not None
    last = date.fromisoformat(call.expiry)
    assert [call.has_expired(last + timedelta(days=days)) for days in (-1, 0, 1)] == [
        False, False, True,
    ]  # fmt: skip
    assert not order_instrument(SHARE, Product.DELIVERY, TODAY).has_expired(date.max)
