"""Rules by the instrument: kept at the limit, broken just beyond it."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from services.trading.charges.rates import Exchange
from services.trading.margin.margin import UnderlyingKind
from services.trading.orders.instrument import OrderInstrument
from services.trading.risk import instrument_rules
from shared.contracts.order_terms import OrderType, Product, Side
from tests.support.proposals import CRUDE, FUTURE, SHARE, at, intraday, proposal


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"type": "INDEX"}, "RELIANCE is an index and cannot be traded"),
        ({"segment": "NSE_INDEX"}, "RELIANCE is an index and cannot be traded"),
        ({"tick": Decimal(0)}, "the tick size and the lot size of RELIANCE are not known"),
        ({"lot": 0}, "the tick size and the lot size of RELIANCE are not known"),
        ({"exchange": Exchange.MCX}, "orders of NSE_EQ are not supported"),
    ],
)
def test_what_cannot_be_traded_is_refused(changes: dict[str, Any], detail: str) -> None:
    assert instrument_rules.instrument(proposal()).passed
    result = instrument_rules.instrument(proposal(msgspec.structs.replace(SHARE, **changes)))
    assert not result.passed
    assert result.detail == detail


@pytest.mark.parametrize(("day", "passed"), [("2026-12-29", True), ("2026-12-30", False)])
def test_an_instrument_is_traded_until_its_expiry_day(day: str, passed: bool) -> None:
    result = instrument_rules.instrument(proposal(FUTURE, at("11:00", day)))
    assert result.passed is passed
    if not passed:
        assert result.detail == "NIFTY FUT 24 DEC 26 expired on 2026-12-29; today is 2026-12-30"


@pytest.mark.parametrize(
    ("day", "closable", "passed"),
    [("2026-12-28", 0, True), ("2026-12-29", 0, False), ("2026-12-29", 65, True)],
)
def test_no_position_of_a_stock_derivative_is_opened_on_its_expiry_day(
    day: str, closable: int, passed: bool
) -> None:
    future = msgspec.structs.replace(FUTURE, underlying_kind=UnderlyingKind.STOCK)
    result = instrument_rules.instrument(proposal(future, at("11:00", day), closable=closable))
    assert result.passed is passed


def test_only_shares_have_the_margin_trading_facility() -> None:
    assert instrument_rules.product(proposal(product=Product.MTF)).passed
    assert not instrument_rules.product(proposal(FUTURE, product=Product.MTF)).passed


@pytest.mark.parametrize("product", [Product.INTRADAY, Product.DELIVERY])
def test_derivatives_are_held_for_the_day_or_carried_forward(product: Product) -> None:
    assert instrument_rules.product(proposal(FUTURE, product=product)).passed


def test_shares_of_the_trade_to_trade_series_are_for_delivery_only() -> None:
    share = msgspec.structs.replace(SHARE, type="BE")
    assert instrument_rules.product(proposal(share)).passed
    assert not instrument_rules.product(proposal(share, product=Product.INTRADAY)).passed


@pytest.mark.parametrize(
    ("instrument", "last", "first_refused"),
    [
        (intraday(SHARE), "15:11:59", "15:12:00"),
        (msgspec.structs.replace(SHARE, has_derivatives=True), "15:04:59", "15:05:00"),
        (FUTURE, "15:19:59", "15:20:00"),
        (CRUDE, "23:14:59", "23:15:00"),
    ],
)
def test_no_intraday_position_is_opened_from_the_square_off_on(
    instrument: OrderInstrument, last: str, first_refused: str
) -> None:
    def result(time: str, **changes: object) -> bool:
        order = proposal(instrument, at(time), product=Product.INTRADAY, **changes)
        return instrument_rules.product(order).passed

    assert result(last)
    assert not result(first_refused)
    assert result(first_refused, closable=100)


def test_the_refusal_of_a_late_intraday_order_names_both_times() -> None:
    result = instrument_rules.product(proposal(at_ms=at("15:14"), product=Product.INTRADAY))
    assert result.detail == (
        "intraday positions are opened before 15:12; the market's time is 15:14"
    )
    assert (result.limit, result.value) == ("15:12", "15:14")


@pytest.mark.parametrize(
    ("price", "passed"), [("89.95", False), ("90", True), ("110", True), ("110.05", False)]
)
def test_prices_lie_within_the_circuit_limits(price: str, passed: bool) -> None:
    limits: dict[str, Any] = {"lower_circuit": Decimal(90), "upper_circuit": Decimal(110)}
    limit = proposal(price=Decimal(price), **limits)
    stop = proposal(
        order_type=OrderType.SL_M, trigger_price=Decimal(price), side=Side.SELL, **limits
    )
    assert instrument_rules.band(limit).passed is passed
    assert instrument_rules.band(stop).passed is passed


def test_unknown_circuit_limits_refuse_nothing() -> None:
    assert instrument_rules.band(proposal(price=Decimal(100_000))).passed
