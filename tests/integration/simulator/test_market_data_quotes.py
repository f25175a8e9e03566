"""Quotes agree with the market, and the official SDK parses all of them."""

from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
import upstox_client

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


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/v3/market-quote/ltp", "instrument_key"),
        ("/v3/market-quote/quotes", "instrument_key"),
        ("/v2/market-quote/ltp", "symbol"),
        ("/v2/market-quote/quotes", "symbol"),
    ],
)
async def test_one_unknown_key_fails_the_request(
    http: aiohttp.ClientSession, path: str, parameter: str
) -> None:
    for keys in (f"{RELIANCE},NSE_EQ|NOBODY", ""):
        status, body = await get(http, path, **{parameter: keys})
        assert status == 400
        assert body["errors"][0]["errorCode"] == "UDAPI100011"


async def test_too_many_keys_are_refused(http: aiohttp.ClientSession) -> None:
    keys = ",".join(str(number) for number in range(501))
    status, body = await get(http, "/v3/market-quote/ltp", instrument_key=keys)
    assert (status, body["errors"][0]["propertyPath"]) == (400, "instrument_key")


async def test_an_unknown_interval_is_refused(http: aiohttp.ClientSession) -> None:
    query = {"instrument_key": RELIANCE, "interval": "I5"}
    status, body = await get(http, "/v3/market-quote/ohlc", **query)
    assert (status, body["errors"][0]["propertyPath"]) == (400, "interval")


async def test_quotes_require_a_token(base_url: str) -> None:
    async with aiohttp.ClientSession(base_url) as anonymous:
        status, body = await get(anonymous, "/v3/market-quote/ltp", instrument_key=RELIANCE)
    assert (status, body["errors"][0]["errorCode"]) == (401, "UDAPI100050")


@pytest.mark.parametrize("interval", ["1d", "I1", "I30"])
async def test_the_official_sdk_parses_candles_of_both_versions(sdk: Sdk, interval: str) -> None:
    answer = await sdk(
        lambda c: upstox_client.MarketQuoteV3Api(c).get_market_quote_ohlc(
            interval, instrument_key=KEYS, _request_timeout=5
        )
    )
    assert set(answer.data) == NAMES
    if interval != "I1":
        assert answer.data["NSE_EQ:RELIANCE"].live_ohlc.volume > 0
    answer = await sdk(
        lambda c: upstox_client.MarketQuoteApi(c).get_market_quote_ohlc(
            KEYS, interval, "2.0", _request_timeout=5
        )
    )
    assert answer.data["NSE_INDEX:Nifty 50"].ohlc.high > 0


async def test_the_official_sdk_parses_the_quotes_of_v3(sdk: Sdk) -> None:
    api = upstox_client.MarketQuoteV3Api
    answer = await sdk(lambda c: api(c).get_ltp(instrument_key=KEYS, _request_timeout=5))
    assert set(answer.data) == NAMES
    assert answer.data["NSE_EQ:RELIANCE"].ltq > 0
    answer = await sdk(
        lambda c: api(c).get_full_market_quote_v3(instrument_key=KEYS, _request_timeout=5)
    )
    assert answer.data["NSE_EQ:RELIANCE"].depth.buy[0].quantity > 0
    assert answer.data["NSE_INDEX:Nifty 50"].depth.sell[4].quantity == 0


async def test_the_official_sdk_parses_the_quotes_of_v2(sdk: Sdk) -> None:
    api = upstox_client.MarketQuoteApi
    answer = await sdk(lambda c: api(c).ltp(KEYS, "2.0", _request_timeout=5))
    assert answer.data["NSE_EQ:RELIANCE"].last_price > 0
    answer = await sdk(lambda c: api(c).get_full_market_quote(KEYS, "2.0", _request_timeout=5))
    assert answer.data["NSE_EQ:RELIANCE"].symbol == "RELIANCE"
