"""Settings of trading have defaults, exact amounts and bounds."""

from decimal import Decimal

import pytest

from services.trading.settings import TradingSettings
from shared.errors import ConfigError
from shared.runtime.settings import load

PASSWORD = {"TRADEDAD_TRADING_NATS_PASSWORD": "n" * 8}


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> type[TradingSettings]:
    for name, value in PASSWORD.items():
        monkeypatch.setenv(name, value)
    return TradingSettings


def test_all_settings_but_the_password_have_defaults(loaded: type[TradingSettings]) -> None:
    settings = load(loaded, PASSWORD)
    assert (settings.ops_port, settings.partitions) == (7471, 1)
    assert settings.opening_cash_rupees == Decimal(1_000_000)


def test_amounts_are_exact(loaded: type[TradingSettings], monkeypatch: pytest.MonkeyPatch) -> None:
    name = "TRADEDAD_TRADING_MAX_DAILY_LOSS_RUPEES"
    monkeypatch.setenv(name, "12345.67")
    settings = load(loaded, PASSWORD | {name: "12345.67"})
    assert settings.max_daily_loss_rupees == Decimal("12345.67")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PARTITIONS", "0"),
        ("PARTITIONS", "1025"),
        ("OPENING_CASH_RUPEES", "0"),
        ("OPENING_CASH_RUPEES", "1.005"),
        ("OPENING_CASH_RUPEES", "inf"),
        ("OPENING_CASH_RUPEES", "NaN"),
        ("MAX_ORDER_QUANTITY", "10000001"),
        ("PAPER_LATENCY_MS", "-1"),
        ("COMMANDS_AT_ONCE", "0"),
    ],
)
def test_a_value_beyond_its_bounds_is_named(
    loaded: type[TradingSettings], monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    full = f"TRADEDAD_TRADING_{name}"
    monkeypatch.setenv(full, value)
    with pytest.raises(ConfigError) as caught:
        load(loaded, PASSWORD | {full: value})
    (problem,) = caught.value.problems
    assert problem.startswith(f"{full}: {value!r}: ")


@pytest.mark.parametrize("name", ["CLIENT_ID", "CLIENT_SECRET"])
def test_an_app_has_an_id_and_a_secret(
    loaded: type[TradingSettings], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    variable = f"TRADEDAD_TRADING_UPSTOX_{name}"
    monkeypatch.setenv(variable, "only-one")
    with pytest.raises(ConfigError, match="must be set together") as caught:
        load(loaded, PASSWORD | {variable: "only-one"})
    assert "only-one" not in str(caught.value)


def test_no_order_is_sent_to_upstox_unless_the_operator_says_so(
    loaded: type[TradingSettings],
) -> None:
    assert not load(loaded, PASSWORD).live_orders


@pytest.mark.parametrize(
    ("api_url", "order_api_url", "expected"),
    [
        ("https://api.upstox.com", "", "https://api-hft.upstox.com"),
        ("http://127.0.0.1:7440", "", "http://127.0.0.1:7440"),
        ("https://api.upstox.com", "https://orders.example", "https://orders.example"),
    ],
)
def test_orders_of_another_api_never_reach_the_real_one(
    loaded: type[TradingSettings],
    monkeypatch: pytest.MonkeyPatch,
    api_url: str,
    order_api_url: str,
    expected: str,
) -> None:
    variables = {
        "TRADEDAD_UPSTOX_API_URL": api_url,
        "TRADEDAD_TRADING_ORDER_API_URL": order_api_url,
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert load(loaded, PASSWORD | variables).order_url == expected
