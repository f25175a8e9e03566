"""Quotes agree with the market, and the official SDK parses all of them."""

from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
import upstox_client

from tests.support.sdk import SDK_SECS
from tests.support.waiting import eventually

Sdk = Callable[[Callable[[Any], Any]], Awaitable[Any]]

RELIANCE = "NSE_EQ|INE002A01018"
SBIN = "NSE_EQ|INE062A01020"
NIFTY = "NSE_INDEX|Nifty 50"
KEYS = f"{RELIANCE},{NIFTY}"
NAMES = {"NSE_EQ:RELIANCE", "NSE_INDEX:Nifty 50"}


@pytest.fixture
def speed() -> float:
    """Some tests wait for minutes of exchange time."""
    return 60.0


async def get(http: aiohttp.ClientSession, path: str, **query: str) -> tuple[int, Any]:
    async with http.get(path, params=query) as response:
        return response.status, await response.json()


def paise(rupees: float) -> int:
    """The price in paise, which is exact because prices are whole paise."""
    assert round(rupees * 100) / 100 == rupees
    return round(rupees * 100)


async def test_answers_are_keyed_by_symbol_and_contain_the_instrument_key(
    http: aiohttp.ClientSession,
) -> None:
    status, body = await get(http, "/v3/market-quote/ltp", instrument_key=KEYS)
    assert status == 200
    assert set(body["data"]) == NAMES
    assert body["data"]["NSE_EQ:RELIANCE"]["instrument_token"] == RELIANCE
    assert body["data"]["NSE_INDEX:Nifty 50"]["volume"] == 0


async def test_a_quote_agrees_with_the_trades(http: aiohttp.ClientSession) -> None:
    _, body = await get(http, "/v3/market-quote/quotes", instrument_key=RELIANCE)
    quote = body["data"]["NSE_EQ:RELIANCE"]
    query = {"key": RELIANCE, "to_ms": str(int(quote["last_trade_time"]) + 1)}
    _, trades = await get(http, "/simulator/v1/trades", **query)
    assert quote["last_price"] == trades[-1]["price"]
    assert quote["volume"] == sum(trade["quantity"] for trade in trades)
    assert quote["ohlc"]["volume"] == quote["volume"]
    prices = [trade["price"] for trade in trades]
    assert (quote["ohlc"]["open"], quote["ohlc"]["close"]) == (prices[0], prices[-1])
    assert (quote["ohlc"]["low"], quote["ohlc"]["high"]) == (min(prices), max(prices))
    assert quote["year_low"] <= min(prices) <= max(prices) <= quote["year_high"]
    assert paise(quote["net_change"]) == paise(quote["last_price"]) - paise(
        quote["prev_close_price"]
    )
    assert quote["lower_circuit_limit"] < quote["last_price"] < quote["upper_circuit_limit"]
    buys, sells = quote["depth"]["buy"], quote["depth"]["sell"]
    assert (len(buys), len(sells)) == (5, 5)
    assert [level["price"] for level in buys] == sorted((b["price"] for b in buys), reverse=True)
    assert [level["price"] for level in sells] == sorted(level["price"] for level in sells)
    assert buys[0]["price"] < sells[0]["price"]
    assert set(buys[0]) == {"quantity", "price", "orders"}


async def test_a_running_candle_closes_at_the_last_price(http: aiohttp.ClientSession) -> None:
    for interval in ("1d", "I30"):
        query = {"instrument_key": RELIANCE, "interval": interval}
        _, body = await get(http, "/v3/market-quote/ohlc", **query)
        quote = body["data"]["NSE_EQ:RELIANCE"]
        assert quote["prev_ohlc"] is None  # the market is younger than half an hour
        assert quote["live_ohlc"]["close"] == quote["last_price"]


async def test_the_running_minute_follows_the_completed_one(http: aiohttp.ClientSession) -> None:
    query = {"instrument_key": SBIN, "interval": "I1"}

    async def quote_with_a_completed_minute() -> Any:
        _, body = await get(http, "/v3/market-quote/ohlc", **query)
        quote = body["data"]["NSE_EQ:SBIN"]
        return quote if quote["prev_ohlc"] else None

    quote = await eventually(quote_with_a_completed_minute, what="a completed minute")
    previous = quote["prev_ohlc"]
    assert previous["ts"] % 60_000 == 0
    if quote["live_ohlc"] is not None:
        assert quote["live_ohlc"]["ts"] > previous["ts"]


@pytest.mark.parametrize("parameter", ["instrument_key", "symbol"])
@pytest.mark.parametrize("call", ["ltp", "quotes", "ohlc"])
async def test_v2_calls_accept_the_documented_parameter_and_the_one_of_the_sdk(
    http: aiohttp.ClientSession, call: str, parameter: str
) -> None:
    query = {parameter: KEYS, "interval": "1d"}
    status, body = await get(http, f"/v2/market-quote/{call}", **query)
    assert (status, set(body["data"])) == (200, NAMES)


@pytest.mark.parametrize(
    ("path", "missing", "unknown", "too_many"),
    [
        ("/v2/market-quote/ltp", "UDAPI1009", "UDAPI1087", "UDAPI100043"),
        ("/v2/market-quote/ohlc", "UDAPI1009", "UDAPI1087", "UDAPI100043"),
        ("/v2/market-quote/quotes", "UDAPI1009", "UDAPI1087", "UDAPI100042"),
        ("/v3/market-quote/ltp", "UDAPI1009", "UDAPI1087", "UDAPI100043"),
        ("/v3/market-quote/ohlc", "UDAPI1009", "UDAPI1087", "UDAPI100043"),
        ("/v3/market-quote/quotes", "UDAPI1009", "UDAPI100011", "UDAPI100042"),
        ("/v3/market-quote/option-greek", "UDAPI1009", "UDAPI1087", "UDAPI100076"),
    ],
)
async def test_keys_are_refused_with_the_documented_codes(
    http: aiohttp.ClientSession, path: str, missing: str, unknown: str, too_many: str
) -> None:
    many = ",".join(f"NSE_FO|{number}" for number in range(501))
    expected = {"": missing, f"{RELIANCE},NSE_EQ|NOBODY": unknown, many: too_many}
    for keys, code in expected.items():
        status, body = await get(http, path, instrument_key=keys, interval="1d")
        assert (status, body["errors"][0]["errorCode"]) == (400, code)
        assert body["errors"][0]["propertyPath"] == "instrument_key"


@pytest.mark.parametrize("version", ["v2", "v3"])
async def test_an_unknown_or_missing_interval_is_refused(
    http: aiohttp.ClientSession, version: str
) -> None:
    for interval, code in (("I5", "UDAPI1028"), ("", "UDAPI1027")):
        query = {"instrument_key": RELIANCE, "interval": interval}
        status, body = await get(http, f"/{version}/market-quote/ohlc", **query)
        assert (status, body["errors"][0]["propertyPath"]) == (400, "interval")
        assert body["errors"][0]["errorCode"] == code


async def test_quotes_require_a_token(base_url: str) -> None:
    async with aiohttp.ClientSession(base_url) as anonymous:
        status, body = await get(anonymous, "/v3/market-quote/ltp", instrument_key=RELIANCE)
    assert (status, body["errors"][0]["errorCode"]) == (401, "UDAPI100050")


@pytest.mark.parametrize("interval", ["1d", "I1", "I30"])
async def test_the_official_sdk_parses_candles_of_both_versions(sdk: Sdk, interval: str) -> None:
    answer = await sdk(
        lambda c: upstox_client.MarketQuoteV3Api(c).get_market_quote_ohlc(
            interval, instrument_key=KEYS, _request_timeout=SDK_SECS
        )
    )
    assert set(answer.data) == NAMES
    if interval != "I1":
        assert answer.data["NSE_EQ:RELIANCE"].live_ohlc.volume > 0
    answer = await sdk(
        lambda c: upstox_client.MarketQuoteApi(c).get_market_quote_ohlc(
            KEYS, interval, "2.0", _request_timeout=SDK_SECS
        )
    )
    assert answer.data["NSE_INDEX:Nifty 50"].ohlc.high > 0


async def test_the_official_sdk_parses_the_quotes_of_v3(sdk: Sdk) -> None:
    api = upstox_client.MarketQuoteV3Api
    answer = await sdk(lambda c: api(c).get_ltp(instrument_key=KEYS, _request_timeout=SDK_SECS))
    assert set(answer.data) == NAMES
    assert answer.data["NSE_EQ:RELIANCE"].ltq > 0
    answer = await sdk(
        lambda c: api(c).get_full_market_quote_v3(instrument_key=KEYS, _request_timeout=SDK_SECS)
    )
    assert answer.data["NSE_EQ:RELIANCE"].depth.buy[0].quantity > 0
    assert answer.data["NSE_INDEX:Nifty 50"].depth.sell[4].quantity == 0


async def test_the_official_sdk_parses_the_quotes_of_v2(sdk: Sdk) -> None:
    api = upstox_client.MarketQuoteApi
    answer = await sdk(lambda c: api(c).ltp(KEYS, "2.0", _request_timeout=SDK_SECS))
    assert answer.data["NSE_EQ:RELIANCE"].last_price > 0
    answer = await sdk(
        lambda c: api(c).get_full_market_quote(KEYS, "2.0", _request_timeout=SDK_SECS)
    )
    assert answer.data["NSE_EQ:RELIANCE"].symbol == "RELIANCE"
