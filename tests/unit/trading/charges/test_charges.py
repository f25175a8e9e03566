"""Charges of legs, compared with legs that were worked out by hand and with published ones."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.trading.charges.charges import Leg, UnknownExchangeError, charges_of
from services.trading.charges.rates import ChargeKind, Exchange, rates_on

RATES = rates_on(date(2026, 11, 27))
DELIVERY, INTRADAY = ChargeKind.DELIVERY, ChargeKind.INTRADAY
FUTURES, OPTIONS = ChargeKind.FUTURES, ChargeKind.OPTIONS
MCX_FUTURES = ChargeKind.COMMODITY_FUTURES
NSE, MCX = Exchange.NSE, Exchange.MCX


@pytest.mark.parametrize(
    ("leg", "parts", "total"),
    [
        (Leg(DELIVERY, NSE, True, Decimal(100 * 500)), "20 50 1.49 .05 .05 7.50 0 3.89", "82.98"),
        (
            Leg(DELIVERY, NSE, False, Decimal(100 * 520), True),
            "20 52 1.54 .05 .05 0 18.50 7.23",
            "99.37",
        ),
        (Leg(INTRADAY, NSE, True, Decimal(400 * 1000)), "20 0 11.88 .40 .40 12 0 5.88", "50.56"),
        (Leg(INTRADAY, NSE, False, Decimal(400 * 1100)), "20 110 13.07 .44 .44 0 0 6.11", "150.06"),
        (
            Leg(FUTURES, NSE, True, Decimal(65 * 24800)),
            "20 0 27.89 1.61 1.61 32.24 0 9.20",
            "92.55",
        ),
        (Leg(FUTURES, NSE, False, Decimal(65 * 24900)), "20 809 28 1.62 1.62 0 0 9.22", "869.46"),
        (Leg(OPTIONS, NSE, True, Decimal(65 * 100)), "20 0 2.28 .03 .01 .20 0 4.02", "26.54"),
        (Leg(OPTIONS, NSE, False, Decimal(65 * 120)), "20 12 2.73 .04 .01 0 0 4.10", "38.88"),
        (Leg(MCX_FUTURES, MCX, False, Decimal(100 * 6040)), "20 60 12.68 0 .60 0 0 5.99", "99.27"),
    ],
)
def test_the_charges_of_a_leg_are_exact_to_the_paisa(leg: Leg, parts: str, total: str) -> None:
    charges = charges_of(leg, RATES)
    assert [
        charges.brokerage, charges.transaction_tax, charges.exchange, charges.investor_protection,
        charges.sebi, charges.stamp, charges.dp, charges.gst,
    ] == [Decimal(part) for part in parts.split()]  # fmt: skip
    assert charges.total == Decimal(total)


def test_a_small_order_pays_a_percentage_as_brokerage() -> None:
    assert charges_of(Leg(INTRADAY, NSE, True, Decimal(1_000)), RATES).brokerage == Decimal("1.00")


@pytest.mark.parametrize(
    ("kind", "exchange_charge", "ipft"),
    [(OPTIONS, "2.11", "0"), (ChargeKind.BSE_OTHER_OPTIONS, "0.33", "0")],
)
def test_bse_charges_options_by_their_underlying_and_takes_no_ipft(
    kind: ChargeKind, exchange_charge: str, ipft: str
) -> None:
    charges = charges_of(Leg(kind, Exchange.BSE, True, Decimal(65 * 100)), RATES)
    assert charges.exchange == Decimal(exchange_charge)
    assert charges.investor_protection == Decimal(ipft)


def test_the_margin_trading_facility_has_the_brokerage_of_intraday_and_the_taxes_of_delivery() -> (
    None
):
    charges = charges_of(Leg(ChargeKind.MTF, NSE, True, Decimal(10_000)), RATES)
    delivery = charges_of(Leg(DELIVERY, NSE, True, Decimal(10_000)), RATES)
    assert charges.brokerage == Decimal(10)
    assert (charges.transaction_tax, charges.stamp) == (delivery.transaction_tax, delivery.stamp)


def test_an_exchange_that_does_not_trade_the_kind_is_refused() -> None:
    with pytest.raises(UnknownExchangeError):
        charges_of(Leg(MCX_FUTURES, NSE, True, Decimal(1)), RATES)


@given(
    st.sampled_from(ChargeKind),
    st.booleans(),
    st.decimals(0, 10**9, places=2),
    st.decimals(0, 10**9, places=2),
)
def test_a_larger_turnover_never_costs_less(
    kind: ChargeKind, is_buy: bool, first: Decimal, second: Decimal
) -> None:
    exchange = next(iter(RATES.kinds[kind].exchange))
    low, high = sorted((first, second))
    cheaper, dearer = (
        charges_of(Leg(kind, exchange, is_buy, turnover), RATES).total for turnover in (low, high)
    )
    assert Decimal(0) <= cheaper <= dearer
