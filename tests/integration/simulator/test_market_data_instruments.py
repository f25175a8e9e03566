"""Instruments, options and the calendar, with plain HTTP and with the official SDK."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
import upstox_client
from pydantic import SecretStr

from services.simulator.app import open_simulator
from services.simulator.settings import SimulatorSettings
from tests.support.sdk import SDK_SECS, sdk_call

START_MS = 1_767_607_200_000  # Monday 2026-01-05, 15:30 IST
AUCTION_DAY_MS = 1_785_954_600_000  # Thursday 2026-08-06, 00:00 IST
NIFTY = "NSE_INDEX|Nifty 50"
FILES = "/market-quote/instruments/exchange"


@asynccontextmanager
async def full_market(**options: Any) -> AsyncIterator[tuple[str, aiohttp.ClientSession]]:
    """A simulator with derivatives, and an HTTP client of it."""
    settings = SimulatorSettings(
        port=0,
        ops_port=0,
        access_token=SecretStr("t"),
        universe="full",
        **({"start_ms": START_MS} | options),
    )
    async with open_simulator(settings) as simulator:
        running = asyncio.create_task(simulator.simulation_loop.run())
        url = f"http://127.0.0.1:{simulator.port}"
        async with aiohttp.ClientSession(url, headers={"Authorization": "Bearer t"}) as http:
            yield url, http
        running.cancel()
        await asyncio.wait([running])


async def master(http: aiohttp.ClientSession, name: str) -> list[Any]:
    async with http.get(f"{FILES}/{name}.json.gz") as response:
        assert response.status == 200
        assert response.content_type == "application/gzip"
        rows: list[Any] = json.loads(gzip.decompress(await response.read()))
        return rows


async def test_the_instrument_master_is_a_gzip_file_per_exchange() -> None:
    async with full_market() as (_, http):
        complete = await master(http, "complete")
        nse, mcx = await master(http, "NSE"), await master(http, "MCX")
        assert (len(nse) + len(mcx), await master(http, "BSE")) == (len(complete), [])
        assert {row["exchange"] for row in mcx} == {"MCX"}
        margin = await master(http, "MTF")
        assert margin == [row for row in complete if row.get("mtf_enabled")]
        async with http.get(f"{FILES}/nothing.json.gz") as response:
            assert response.status == 404


async def test_a_master_file_is_sent_only_to_clients_that_have_another_version() -> None:
    async with full_market() as (_, http):
        async with http.get(f"{FILES}/complete.json.gz") as first:
            etag = first.headers["ETag"]
        async with http.get(f"{FILES}/NSE.json.gz", headers={"If-None-Match": etag}) as other:
            assert (other.status, other.headers["ETag"] == etag) == (200, False)
        known = {"If-None-Match": f'"another", {etag}'}
        async with http.get(f"{FILES}/complete.json.gz", headers=known) as same:
            assert (same.status, same.headers["ETag"]) == (304, etag)
            assert await same.read() == b""
    async with full_market() as (_, http), http.get(f"{FILES}/complete.json.gz") as restarted:
        assert restarted.headers["ETag"] == etag, "the content is the same"
    async with (
        full_market(synthetic=1) as (_, http),
        http.get(f"{FILES}/complete.json.gz") as changed,
    ):
        assert changed.headers["ETag"] != etag


async def test_a_quote_call_may_have_five_hundred_keys() -> None:
    async with full_market(synthetic=500) as (_, http):
        async with http.get("/simulator/v1/instruments") as response:
            keys = [instrument["key"] for instrument in await response.json()]
        query = {"instrument_key": ",".join(keys[:500])}
        async with http.get("/v3/market-quote/quotes", params=query) as response:
            assert len((await response.json())["data"]) == 500


async def test_a_search_has_pages() -> None:
    async with full_market() as (_, http):
        query = {"query": "nifty", "records": "30"}
        keys: list[str] = []
        for number in ("1", "2", "3"):
            async with http.get(
                "/v2/instruments/search", params=query | {"page_number": number}
            ) as response:
                body = await response.json()
            page = body["meta_data"]["page"]
            assert page["records"] == len(body["data"])
            keys += [row["instrument_key"] for row in body["data"]]
        assert page["total_pages"] == 3
        assert len(keys) == len(set(keys)) == page["total_records"]


async def test_a_chain_has_calls_and_puts_with_greeks() -> None:
    async with full_market() as (_, http):
        async with http.get("/v2/option/contract", params={"instrument_key": NIFTY}) as response:
            contracts = (await response.json())["data"]
        (expiry,) = {row["expiry"] for row in contracts}
        query = {"instrument_key": NIFTY, "expiry_date": expiry}
        async with http.get("/v2/option/chain", params=query) as response:
            strikes = (await response.json())["data"]
        assert 2 * len(strikes) == len(contracts) == 42
        prices = [strike["strike_price"] for strike in strikes]
        assert prices == sorted(prices)
        for strike in strikes:
            call, put = strike["call_options"], strike["put_options"]
            assert put["option_greeks"]["delta"] <= 0 <= call["option_greeks"]["delta"]
            data = call["market_data"]
            assert data["bid_price"] < data["ask_price"]
        keys = ",".join(row["instrument_key"] for row in contracts)
        path = "/v3/market-quote/option-greek"
        async with http.get(path, params={"instrument_key": keys}) as response:
            greeks = (await response.json())["data"]
        assert len(greeks) == 42
        assert all(0 < option["iv"] < 1 for option in greeks.values())


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("/v2/option/contract", {"instrument_key": "nothing"}, "instrument_key"),
        ("/v2/option/chain", {"instrument_key": NIFTY}, "expiry_date"),
        ("/v2/option/chain", {"instrument_key": NIFTY, "expiry_date": "soon"}, "expiry_date"),
        (
            "/v3/market-quote/option-greek",
            {"instrument_key": "NSE_FO|1," * 50 + "NSE_FO|2"},
            "instrument_key",
        ),
        ("/v2/instruments/search", {"query": "x" * 51}, "query"),
        ("/v2/market/status/XYZ", {}, "exchange"),
        ("/v2/market/timings/tomorrow", {}, "date"),
        ("/v2/market/holidays/tomorrow", {}, "date"),
    ],
)
async def test_an_invalid_query_is_refused_with_its_field(
    http: aiohttp.ClientSession, path: str, query: dict[str, str], field: str
) -> None:
    async with http.get(path, params=query) as response:
        assert response.status == 400
        assert (await response.json())["errors"][0]["propertyPath"] == field


async def test_an_instrument_without_options_has_an_empty_chain(
    http: aiohttp.ClientSession,
) -> None:
    query = {"instrument_key": "NSE_EQ|INE002A01018", "expiry_date": "2026-01-06"}
    for path in ("/v2/option/contract", "/v2/option/chain"):
        async with http.get(path, params=query) as response:
            assert (await response.json())["data"] == []


async def test_the_official_sdk_parses_options_and_search() -> None:
    async with full_market() as (url, _):
        contracts = await sdk_call(
            url,
            "t",
            lambda c: upstox_client.OptionsApi(c).get_option_contracts(
                NIFTY, _request_timeout=SDK_SECS
            ),
        )
        contract = contracts.data[0]
        assert contract.underlying_key == NIFTY
        assert contract.lot_size == contract.minimum_lot
        chain = await sdk_call(
            url,
            "t",
            lambda c: upstox_client.OptionsApi(c).get_put_call_option_chain(
                NIFTY, contract.expiry.date().isoformat(), _request_timeout=SDK_SECS
            ),
        )
        assert chain.data[0].call_options.market_data.ltp > 0
        assert chain.data[0].put_options.option_greeks.vega is not None
        greeks = await sdk_call(
            url,
            "t",
            lambda c: upstox_client.MarketQuoteV3Api(c).get_market_quote_option_greek(
                instrument_key=contract.instrument_key, _request_timeout=SDK_SECS
            ),
        )
        (option,) = greeks.data.values()
        assert option.instrument_token == contract.instrument_key
        search = await sdk_call(
            url,
            "t",
            lambda c: upstox_client.InstrumentsApi(c).search_instrument(
                "nifty", records=30, _request_timeout=SDK_SECS
            ),
        )
        assert len(search.data) == search.meta_data.page.records == 30


async def test_the_official_sdk_parses_the_calendar() -> None:
    api = upstox_client.MarketHolidaysAndTimingsApi
    async with full_market(calendar="exchange") as (url, _):
        status = await sdk_call(
            url, "t", lambda c: api(c).get_market_status("NSE", _request_timeout=SDK_SECS)
        )
        assert (status.data.exchange, status.data.status) == ("NSE", "NORMAL_CLOSE")
        status = await sdk_call(
            url, "t", lambda c: api(c).get_market_status("MCX", _request_timeout=SDK_SECS)
        )
        assert status.data.status == "NORMAL_OPEN"
        timings = await sdk_call(
            url, "t", lambda c: api(c).get_exchange_timings("2026-01-05", _request_timeout=SDK_SECS)
        )
        (nse,) = [timing for timing in timings.data if timing.exchange == "NSE"]
        assert nse.end_time == START_MS
        sunday = await sdk_call(
            url, "t", lambda c: api(c).get_exchange_timings("2026-01-04", _request_timeout=SDK_SECS)
        )
        assert sunday.data == []
        holidays = await sdk_call(
            url, "t", lambda c: api(c).get_holidays(_request_timeout=SDK_SECS)
        )
        assert {holiday._date.year for holiday in holidays.data} == {2026}
        (republic,) = (
            await sdk_call(
                url, "t", lambda c: api(c).get_holiday("2026-01-26", _request_timeout=SDK_SECS)
            )
        ).data
        assert republic.holiday_type == "TRADING_HOLIDAY"
        assert "NSE" in republic.closed_exchanges
        ordinary_day = await sdk_call(
            url, "t", lambda c: api(c).get_holiday("2026-01-05", _request_timeout=SDK_SECS)
        )
        assert ordinary_day.data == []


@pytest.mark.parametrize(
    ("minutes", "status", "auction"),
    [
        (9 * 60 + 2, "PRE_OPEN_START", None),
        (9 * 60 + 10, "PRE_OPEN_END", None),
        (9 * 60 + 20, "NORMAL_OPEN", None),
        (15 * 60 + 26, "NORMAL_OPEN", "CAS_M_STOP"),
    ],
)
async def test_the_status_follows_the_phases_of_the_day(
    minutes: int, status: str, auction: str | None
) -> None:
    start_ms = AUCTION_DAY_MS + minutes * 60_000
    async with full_market(calendar="exchange", start_ms=start_ms) as (_, http):
        async with http.get("/v2/market/status/NSE") as response:
            data = (await response.json())["data"]
        assert (data["status"], data.get("cas_eligible_status")) == (status, auction)
        async with http.get("/v2/market/status/MCX") as response:
            assert "cas_eligible_status" not in (await response.json())["data"]


async def test_an_always_open_market_is_open_at_any_time(http: aiohttp.ClientSession) -> None:
    async with http.get("/v2/market/status/NSE") as response:
        assert (await response.json())["data"]["status"] == "NORMAL_OPEN"


async def test_the_official_sdk_parses_the_address_of_the_feed(base_url: str, sdk: Any) -> None:
    answer = await sdk(
        lambda c: upstox_client.WebsocketApi(c).get_market_data_feed_authorize_v3(
            _request_timeout=SDK_SECS
        )
    )
    assert answer.data.authorized_redirect_uri.startswith(base_url.replace("http", "ws"))
