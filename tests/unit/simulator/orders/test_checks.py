"""Orders are validated by the order service, the exchange and the closing auction."""

from dataclasses import replace

import pytest

from services.simulator.errors import ApiError, ErrorCode
from services.simulator.market.instruments import INDICES
from services.simulator.market.state import SimulatedState
from services.simulator.orders.checks import (
    auction_rejection,
    check_request,
    exchange_rejection,
    limit_paise,
)
from services.simulator.orders.order import OrderRequest, OrderType, Product, Side, Validity
from tests.support.order_managers import KEY, OrderManagerHarness

HARNESS = OrderManagerHarness()
STATE = HARNESS.state
INDEX = SimulatedState(INDICES[0], None)
LIMIT = OrderRequest(KEY, Side.BUY, 10, Product.I, OrderType.LIMIT, price_paise=9_990)
MARKET = OrderRequest(KEY, Side.BUY, 10, Product.I, OrderType.MARKET)
STOP_LOSS = replace(LIMIT, order_type=OrderType.SL, trigger_paise=10_050, price_paise=10_060)


def check(request: OrderRequest, *, needs_protection: bool = False) -> None:
    states = {KEY: STATE, INDEX.instrument.key: INDEX}
    check_request(request, states, needs_protection=needs_protection)


@pytest.mark.parametrize("request_", [LIMIT, MARKET, STOP_LOSS], ids=["LIMIT", "MARKET", "SL"])
def test_a_valid_request_is_accepted(request_: OrderRequest) -> None:
    check(request_)
    assert exchange_rejection(request_, STATE) is None


@pytest.mark.parametrize(
    ("request_", "code", "path"),
    [
        (
            replace(LIMIT, instrument_key="X"),
            ErrorCode.UNKNOWN_INSTRUMENT_KEY,
            "instrument_token",
        ),
        (
            replace(LIMIT, instrument_key=INDEX.instrument.key),
            ErrorCode.UNKNOWN_INSTRUMENT_KEY,
            "instrument_token",
        ),
        (replace(LIMIT, quantity=-1), ErrorCode.ZERO_QUANTITY, "quantity"),
        (replace(LIMIT, tag="x" * 41), ErrorCode.TAG_TOO_LONG, "tag"),
        (replace(LIMIT, price_paise=0), ErrorCode.MISSING_PRICE, "price"),
        (replace(STOP_LOSS, trigger_paise=0), ErrorCode.MISSING_TRIGGER_PRICE, "trigger_price"),
        (replace(LIMIT, disclosed_quantity=11), ErrorCode.INVALID_INPUT, "disclosed_quantity"),
        (replace(LIMIT, disclosed_quantity=-1), ErrorCode.INVALID_INPUT, "disclosed_quantity"),
        (replace(MARKET, protection_percent=25.1), ErrorCode.INVALID_INPUT, "market_protection"),
        (replace(MARKET, protection_percent=-0.5), ErrorCode.INVALID_INPUT, "market_protection"),
    ],
)
def test_an_invalid_request_is_refused(request_: OrderRequest, code: ErrorCode, path: str) -> None:
    with pytest.raises(ApiError) as error:
        check(request_)
    assert (error.value.code, error.value.path) == (code, path)


def test_market_orders_can_require_protection() -> None:
    with pytest.raises(ApiError) as error:
        check(MARKET, needs_protection=True)
    assert error.value.code == ErrorCode.MARKET_ORDER_BLOCKED
    check(replace(MARKET, protection_percent=-1.0), needs_protection=True)
    check(LIMIT, needs_protection=True)


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (replace(LIMIT, quantity=1_001), "freeze quantity 1000"),
        (replace(LIMIT, price_paise=9_991), "tick size 0.05"),
        (replace(LIMIT, price_paise=12_005), "circuit limits"),
        (replace(STOP_LOSS, trigger_paise=10_000), "must be above the last price"),
        (replace(STOP_LOSS, price_paise=10_045), "must be above its trigger price"),
        (
            replace(STOP_LOSS, side=Side.SELL, trigger_paise=10_005),
            "must be below the last price",
        ),
        (
            replace(STOP_LOSS, side=Side.SELL, trigger_paise=9_950, price_paise=9_955),
            "must be below its trigger price",
        ),
    ],
)
def test_the_exchange_rejects_an_order_with_a_reason(request_: OrderRequest, reason: str) -> None:
    rejection = exchange_rejection(request_, STATE)
    assert rejection is not None
    assert reason in rejection


def test_the_exchange_rejects_a_part_of_a_lot() -> None:
    state = OrderManagerHarness(lot_size=75).state
    assert exchange_rejection(replace(LIMIT, quantity=150), state) is None
    assert "lot size 75" in (exchange_rejection(replace(LIMIT, quantity=100), state) or "")


def test_the_closing_auction_rejects_stop_loss_and_ioc_orders() -> None:
    assert auction_rejection(LIMIT) is None
    assert "Stop-loss" in (auction_rejection(STOP_LOSS) or "")
    assert "IOC" in (auction_rejection(replace(LIMIT, validity=Validity.IOC)) or "")


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (LIMIT, 9_990),
        (STOP_LOSS, 10_060),
        (MARKET, 0),
        (replace(MARKET, protection_percent=1.0), 10_100),
        (replace(MARKET, protection_percent=-1.0), 10_300),
        (replace(MARKET, side=Side.SELL, protection_percent=1.0), 9_900),
        (replace(MARKET, protection_percent=0.01), 10_000),
    ],
)
def test_the_limit_of_a_working_order(request_: OrderRequest, expected: int) -> None:
    assert limit_paise(request_, STATE) == expected
