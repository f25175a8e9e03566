"""Positions, holdings and funds; profit and loss are computed from quantities and values."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.trading.upstox.account_rows import funds_view, holding_view, position_view
from services.trading.upstox.row_fields import BadRow
from shared.contracts.order_terms import Account, Product
from shared.contracts.trading_replies import Funds, Holding, PositionView
from tests.support.upstox_rows import (
    ANY_JSON,
    FUNDS,
    HOLDING,
    OPTION_POSITION,
    SHARE_POSITION,
    damaged,
    wrong_field,
)


def test_the_documented_option_has_the_profit_of_its_quantity() -> None:
    assert position_view(OPTION_POSITION) == PositionView(
        key="NSE_FO|52618",
        product=Product.DELIVERY,
        quantity=15,
        buy_quantity=15,
        buy_value=Decimal("39.75"),
        sell_quantity=0,
        sell_value=Decimal(0),
        realised=Decimal(0),
        average_price=Decimal("2.65"),
        ltp=Decimal("1.75"),
        unrealised=Decimal("-13.5"),
    )


def test_an_average_price_of_null_is_computed() -> None:
    view = position_view(SHARE_POSITION)
    assert (view.average_price, view.unrealised) == (Decimal("0.8"), Decimal("0.01"))


def test_a_short_position_of_a_commodity_counts_its_multiplier() -> None:
    row = OPTION_POSITION | {
        "instrument_token": "MCX_FO|1", "multiplier": 100, "quantity": -2,
        "overnight_buy_quantity": 0, "overnight_buy_amount": 0, "day_buy_quantity": 1,
        "day_buy_value": 600_000, "day_sell_quantity": 3, "day_sell_value": 1_830_000,
        "last_price": 6_050,
    }  # fmt: skip
    view = position_view(row)
    assert view.average_price == 6_100
    assert view.realised == 10_000
    assert view.unrealised == 10_000


def test_a_closed_position_has_no_average_price() -> None:
    row = OPTION_POSITION | {"quantity": 0, "day_sell_quantity": 15, "day_sell_value": 45}
    view = position_view(row)
    assert (view.quantity, view.average_price, view.realised) == (0, None, Decimal("5.25"))
    assert view.unrealised == 0


def test_a_position_without_a_price_has_no_unrealised_profit() -> None:
    for price in (None, 0):
        view = position_view(OPTION_POSITION | {"last_price": price})
        assert (view.ltp, view.unrealised) == (None, None)


@given(
    bought=st.integers(0, 1_000),
    sold=st.integers(0, 1_000),
    buy_paise=st.integers(1, 10**7),
    sell_paise=st.integers(1, 10**7),
    ltp_paise=st.integers(1, 10**7),
)
def test_realised_and_unrealised_are_the_whole_profit(
    bought: int, sold: int, buy_paise: int, sell_paise: int, ltp_paise: int
) -> None:
    row = OPTION_POSITION | {
        "quantity": bought - sold, "overnight_buy_quantity": 0, "overnight_buy_amount": 0,
        "day_buy_quantity": bought, "day_buy_value": Decimal(bought * buy_paise) / 100,
        "day_sell_quantity": sold, "day_sell_value": Decimal(sold * sell_paise) / 100,
        "last_price": Decimal(ltp_paise) / 100,
    }  # fmt: skip
    view = position_view(row)
    assert view.unrealised is not None
    whole = sold * sell_paise - bought * buy_paise + (bought - sold) * ltp_paise
    assert Fraction(view.realised + view.unrealised) == Fraction(whole, 100)
    assert view.realised == Decimal(min(bought, sold) * (sell_paise - buy_paise)) / 100


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("quantity", 14), ("quantity", None), ("day_buy_quantity", -1), ("multiplier", 0),
        ("multiplier", float("nan")), ("overnight_buy_amount", "39.75"), ("product", "OCO"),
        ("day_sell_value", None), ("instrument_token", "52618"), ("last_price", -1),
        ("day_buy_value", -1),
    ],
)  # fmt: skip
def test_a_wrong_field_of_a_position_is_named(field: str, value: object) -> None:
    with pytest.raises(BadRow) as raised:
        position_view(OPTION_POSITION | {field: value})
    assert raised.value.field == field


def test_a_holding_has_its_quantities_and_prices() -> None:
    assert holding_view(HOLDING) == Holding(
        key="NSE_EQ|INE036A01016",
        quantity=3,
        t1_quantity=2,
        average_price=Decimal("192.55"),
        ltp=Decimal("174.25"),
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [("quantity", -1), ("average_price", None), ("average_price", -1), ("instrument_token", "")],
)
def test_a_wrong_field_of_a_holding_is_named(field: str, value: object) -> None:
    with pytest.raises(BadRow) as raised:
        holding_view(HOLDING | {field: value})
    assert raised.value.field == field


def test_funds_have_what_upstox_tells_and_nothing_else() -> None:
    assert funds_view(FUNDS) == Funds(
        account=Account.UPSTOX,
        cash=Decimal("5117.34"),
        available=Decimal("5379.03"),
        used=Decimal("1.8"),
    )


def test_funds_without_pledge_and_margin_have_cash_only() -> None:
    cash = {"available_to_trade": {"total": 5, "cash_available_to_trade": {"total": 5}}}
    assert funds_view(cash) == Funds(
        account=Account.UPSTOX, cash=Decimal(5), available=Decimal(5), used=Decimal(0)
    )


@settings(max_examples=300)
@given(damaged(OPTION_POSITION), damaged(HOLDING))
def test_no_row_raises_another_error(position: object, holding: object) -> None:
    assert wrong_field(position_view, position) in {*OPTION_POSITION, "row", None}
    assert wrong_field(holding_view, holding) in {*HOLDING, "row", None}


@given(ANY_JSON, ANY_JSON, ANY_JSON)
def test_no_funds_raise_another_error(whole: object, total: object, cash: object) -> None:
    for data in (
        whole,
        {"available_to_trade": whole},
        {"available_to_trade": {"total": total, "cash_available_to_trade": cash}},
        {"available_to_trade": {"total": 1, "cash_available_to_trade": {"total": total}}},
    ):
        assert wrong_field(funds_view, data) != ""
