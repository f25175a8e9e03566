"""Rows of orders and trades are read exactly, or refused with the field that is wrong."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings

from services.trading.orders.broker_report import UPSTOX_STATES, BrokerReport, BrokerState
from services.trading.upstox.order_rows import order_row, trade_row
from services.trading.upstox.row_fields import BadRow
from services.trading.upstox.rows import OrderRow, TradeRow
from shared.contracts.order_terms import OrderType, Prices, Product, Side, Validity
from shared.market.exchange_time import IST
from tests.support.upstox_rows import ORDER, TRADE, damaged, wrong_field


def ms(*parts: int) -> int:
    return round(datetime(*parts, tzinfo=IST).timestamp()) * 1_000  # type: ignore[misc, arg-type]


def test_an_order_has_its_report_and_terms() -> None:
    assert order_row(ORDER) == OrderRow(
        report=BrokerReport(
            broker_order_id="251128000000001",
            state=BrokerState.WORKING,
            at_ms=ms(2025, 11, 28, 10, 0, 1),
            prices=Prices(10, OrderType.LIMIT, Validity.DAY, Decimal("1400.05")),
        ),
        tag="o-1",
        key="NSE_EQ|INE002A01018",
        side=Side.BUY,
        product=Product.INTRADAY,
        filled_quantity=4,
        is_at_exchange=True,
    )


@pytest.mark.parametrize("status", UPSTOX_STATES)
def test_every_documented_status_is_known(status: str) -> None:
    assert order_row(ORDER | {"status": status}).report.state is UPSTOX_STATES[status]


@pytest.mark.parametrize("status", ["modify validation pending", "modify pending", "not modified"])
def test_a_modification_under_way_says_nothing_about_the_terms(status: str) -> None:
    report = order_row(ORDER | {"status": status}).report
    assert report.prices is None
    assert report.is_not_modified == (status == "not modified")


def test_an_order_that_is_not_at_the_exchange_has_the_time_of_placing() -> None:
    row = order_row(ORDER | {"exchange_order_id": None, "exchange_timestamp": None})
    assert row.report.at_ms == ms(2025, 11, 28, 10, 0, 0)
    assert not row.is_at_exchange
    assert not order_row(ORDER | {"exchange_order_id": "NA"}).is_at_exchange
    assert order_row(ORDER | {"exchange_order_id": 1300000012345678}).is_at_exchange


def test_the_later_time_is_that_of_the_state() -> None:
    row = order_row(ORDER | {"order_timestamp": "2025-11-28 10:00:09"})
    assert row.report.at_ms == ms(2025, 11, 28, 10, 0, 9)


def test_an_order_of_another_program_has_no_tag() -> None:
    for tag in (None, "", "NA"):
        assert order_row(ORDER | {"tag": tag}).tag is None
    assert order_row({name: ORDER[name] for name in ORDER if name != "tag"}).tag is None


def test_the_words_of_upstox_are_kept() -> None:
    assert order_row(ORDER | {"status_message": "no\nfunds"}).report.detail == "no funds"
    raw = {"status_message": None, "status_message_raw": "RMS: no funds" + "x" * 400}
    assert order_row(ORDER | raw).report.detail == ("RMS: no funds" + "x" * 400)[:300]


def test_the_key_of_the_stream_may_be_beside_a_token() -> None:
    row = ORDER | {"instrument_token": "151064324", "instrument_key": "NSE_EQ|INE002A01018"}
    assert order_row(row).key == "NSE_EQ|INE002A01018"
    assert order_row(ORDER | {"instrument_token": "151064324"}).key == "151064324"


@pytest.mark.parametrize(
    ("order_type", "price", "trigger", "expected"),
    [
        ("MARKET", 1410.5, 0, (None, None)),
        ("MARKET", None, None, (None, None)),
        ("SL", 9.9, 10, (Decimal("9.9"), Decimal(10))),
        ("SL", 9.9, 0, (Decimal("9.9"), None)),
        ("SL-M", 0, 95.05, (None, Decimal("95.05"))),
        ("LIMIT", 1310.3000000000002, 0, (Decimal("1310.3"), None)),
    ],
)
def test_prices_are_those_of_the_order_type(
    order_type: str, price: Any, trigger: Any, expected: tuple[Decimal | None, Decimal | None]
) -> None:
    row = ORDER | {"order_type": order_type, "price": price, "trigger_price": trigger}
    prices = order_row(row).report.prices
    assert prices is not None
    assert (prices.price, prices.trigger_price) == expected


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("status", "paused"), ("status", None), ("status", 5), ("order_id", None),
        ("order_id", ""), ("order_id", True), ("order_id", "x" * 201), ("order_id", "a\nb"),
        ("transaction_type", "HOLD"), ("product", "CO"), ("order_type", "ICEBERG"),
        ("validity", "GTD"), ("quantity", 0), ("quantity", 1.5), ("quantity", "10"),
        ("quantity", True), ("quantity", float("nan")), ("quantity", 10**12),
        ("quantity", 10**400), ("filled_quantity", -1), ("filled_quantity", None),
        ("price", -1), ("price", float("inf")), ("price", Decimal("1e999999")), ("price", 0),
        ("price", 1.00001), ("price", "1"), ("trigger_price", []), ("tag", 5),
        ("disclosed_quantity", -1), ("instrument_token", {}), ("status_message", 5),
        ("order_timestamp", "28-11-2025 10:00"), ("order_timestamp", "2025-02-30 10:00:00"),
        ("order_timestamp", "1970-01-01 00:00:00"), ("exchange_timestamp", 1764304200),
        ("exchange_order_id", 0.5),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named(field: str, value: object) -> None:
    with pytest.raises(BadRow) as raised:
        order_row(ORDER | {field: value})
    assert raised.value.field == field


@pytest.mark.parametrize("times", [(None, None), ("", "NA")])
def test_an_order_without_a_time_is_refused(times: tuple[object, object]) -> None:
    order_timestamp, exchange_timestamp = times
    with pytest.raises(BadRow, match="order_timestamp: is missing"):
        order_row(
            ORDER | {"order_timestamp": order_timestamp, "exchange_timestamp": exchange_timestamp}
        )


def test_the_documented_trade_is_read() -> None:
    assert trade_row(TRADE) == TradeRow(
        broker_order_id="221013001021539",
        trade_id="50091502",
        key="151064324",
        side=Side.BUY,
        product=Product.DELIVERY,
        quantity=1,
        price=Decimal("299.4"),
        traded_at_ms=ms(2017, 8, 3, 15, 3, 42),
    )


def test_a_trade_without_a_time_of_the_exchange_has_that_of_its_order() -> None:
    row = trade_row(TRADE | {"exchange_timestamp": None})
    assert row.traded_at_ms == ms(2021, 4, 23, 14, 22, 6)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("trade_id", None), ("order_id", None), ("quantity", 0), ("average_price", 0),
        ("average_price", None), ("average_price", -1), ("average_price", "299.4"),
        ("instrument_token", None), ("exchange_timestamp", "03-Aux-2017 15:03:42"),
    ],
)  # fmt: skip
def test_a_wrong_field_of_a_trade_is_named(field: str, value: object) -> None:
    with pytest.raises(BadRow) as raised:
        trade_row(TRADE | {field: value})
    assert raised.value.field == field


@settings(max_examples=300)
@given(damaged(ORDER))
def test_no_order_raises_another_error(row: object) -> None:
    assert wrong_field(order_row, row) in {*ORDER, "row", None}


@settings(max_examples=300)
@given(damaged(TRADE))
def test_no_trade_raises_another_error(row: object) -> None:
    assert wrong_field(trade_row, row) in {*TRADE, "row", None}
