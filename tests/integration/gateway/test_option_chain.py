"""Option chains and order books of 30 levels, from a simulated Upstox to a client."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import upstox_client

from services.simulator.settings import SIMULATED_TOKEN
from shared.runtime.mongo import Mongo
from shared.runtime.settings import MongoSettings
from tests.support.builders import KEY
from tests.support.gateway.in_process import InProcessGateway, running_gateway
from tests.support.gateway.python_client import next_of, python_client
from tests.support.gateway.rest import get
from tests.support.gateway.websocket import receive, subscribe
from tests.support.http import Reply
from tests.support.ingest import ingest, ingest_settings
from tests.support.persisters import answering_persister
from tests.support.sdk import SDK_SECS, sdk_call
from tests.support.servers import NatsServer
from tests.support.simulated import simulator
from tests.support.waiting import eventually
from tradedad_client import Chain, Depth, Outcome, Quote

NIFTY = "NSE_INDEX|Nifty 50"
CHAIN = "/v1/option-chain"
STRIKES_EACH_SIDE = 3


@asynccontextmanager
async def market(
    nats: NatsServer, mongo_settings: MongoSettings, **simulated: Any
) -> AsyncIterator[tuple[InProcessGateway, str]]:
    """A gateway with all services behind it, and the address of the simulated Upstox."""
    # Trades are rare, so that two readers have the time to read the same prices.
    options = {"universe": "full", "frame_interval_ms": 2_000} | simulated
    async with simulator(**options) as url:
        settings = ingest_settings(nats, url, None, plan=simulated.get("plan", "basic"))
        master_url = f"{url}/market-quote/instruments/exchange/complete.json.gz"
        async with (
            answering_persister(nats, mongo_settings, master_url=master_url),
            ingest(settings),
            running_gateway(nats) as gateway,
        ):
            yield gateway, url


async def loaded_chain(gateway: InProcessGateway) -> Any:
    """The contracts, once the instruments master is stored."""
    body: Any = {}

    async def is_loaded() -> bool:
        nonlocal body
        reply = await get(gateway, CHAIN, underlying=NIFTY)
        body = reply.body
        return reply.status == 200 and len(body["rows"]) == 21

    await eventually(is_loaded, what="the options of the instruments master")
    return body


def shown(side: Any) -> tuple[Any, ...]:
    """An option of our chain, in the units and digits of Upstox's."""
    greeks = side.get("greeks") or {}
    return (
        side["key"], side["ltp"], side.get("volume", 0), side.get("oi", 0), side["cp"],
        side["bid"], side["bid_qty"], side["ask"], side["ask_qty"],
        *(round(greeks.get(name, 0.0), digits) + 0.0 for name, digits in
          (("delta", 4), ("gamma", 6), ("theta", 4), ("vega", 4))),
        round(side["iv"] * 100, 2),
    )  # fmt: skip


async def sdk_chain(url: str, expiry: str) -> dict[float, Any]:
    """By strike, what the SDK reads of both sides."""
    answer = await sdk_call(
        url, SIMULATED_TOKEN,
        lambda client: upstox_client.OptionsApi(client).get_put_call_option_chain(
            NIFTY, expiry, _request_timeout=SDK_SECS
        ),
    )  # fmt: skip

    def side(option: Any) -> tuple[Any, ...]:
        data, greeks = option.market_data, option.option_greeks
        return (
            option.instrument_key, data.ltp, data.volume, data.oi, data.close_price,
            data.bid_price, data.bid_qty, data.ask_price, data.ask_qty,
            greeks.delta, greeks.gamma, greeks.theta, greeks.vega, greeks.iv,
        )  # fmt: skip

    return {
        row.strike_price: (side(row.call_options), side(row.put_options)) for row in answer.data
    }


async def test_a_chain_is_that_which_the_sdk_reads(
    nats: NatsServer, mongo: Mongo, mongo_settings: MongoSettings
) -> None:
    async with market(nats, mongo_settings) as (gateway, url):
        contracts = await loaded_chain(gateway)
        expiry = contracts["expiry"]
        assert (contracts["expiries"], contracts["lot_size"]) == ([expiry], 65)
        upstox = await sdk_chain(url, expiry)
        assert [row["strike"] for row in contracts["rows"]] == list(upstox)
        assert [(row["call"]["key"], row["put"]["key"]) for row in contracts["rows"]] == [
            (call[0], put[0]) for call, put in upstox.values()
        ]
        async with python_client(gateway) as client:
            quotes = client.quotes([NIFTY])
            chain = client.chain(NIFTY, expiry, strikes=STRIKES_EACH_SIDE)
            outcomes = await chain.ready()
            first = await next_of(chain, Chain)
            assert list(outcomes) == [first.key]
            assert (first.underlying, first.expiry) == (NIFTY, expiry)
            assert len(first.rows) == 2 * STRIKES_EACH_SIDE + 1
            price = (await next_of(quotes, Quote)).ltp
            assert price is not None
            assert abs(first.atm - price) <= 60
            assert first.rows[STRIKES_EACH_SIDE].strike == first.atm
            await eventually(
                lambda: chain.outcomes[first.key] == Outcome.LIVE, what="the chain is live"
            )

            async def is_equal() -> bool:
                reply = await get(gateway, CHAIN, underlying=NIFTY, expiry=expiry)
                rows = {row["strike"]: row for row in reply.body["rows"] if "ltp" in row["call"]}
                upstox = await sdk_chain(url, expiry)
                return len(rows) == 2 * STRIKES_EACH_SIDE + 1 and all(
                    (shown(row["call"]), shown(row["put"])) == upstox[strike]
                    for strike, row in rows.items()
                )

            await eventually(is_equal, what="the prices, greeks and open interest of Upstox")
            options = [row.call.key for row in first.rows if row.call is not None]
            missing = (await get(gateway, "/v1/quotes", keys=options)).body["missing"]
            assert set(missing) == set(options), "options of a chain have no quotes of their own"
            read = await client.option_chain("Nifty 50")
            assert [row.strike for row in read.rows] == list(upstox)
            assert (read.expiry, read.ltp is not None) == (expiry, True)
            again = await get(gateway, CHAIN, underlying=NIFTY, expiry=expiry)
            assert again.headers["ETag"]
            assert again.headers["Cache-Control"] == "private, no-cache"


async def answered(gateway: InProcessGateway, **query: Any) -> Reply:
    """The answer, once the persister has had the time to give one."""

    async def look() -> Reply | None:
        reply = await get(gateway, CHAIN, **query)
        return reply if reply.status < 500 else None

    reply = await eventually(look, what="an answer of the persister")
    assert isinstance(reply, Reply)
    return reply


async def test_what_there_is_not_is_named(
    nats: NatsServer, mongo: Mongo, mongo_settings: MongoSettings
) -> None:
    async with market(nats, mongo_settings) as (gateway, _):
        await loaded_chain(gateway)
        queries: list[tuple[dict[str, Any], str, str]] = [
            ({"underlying": "NSE_EQ|NOBODY"}, "underlying", "no instrument"),
            ({"underlying": KEY}, "underlying", "no options"),
            ({"underlying": NIFTY, "expiry": "2020-01-02"}, "expiry", "but on"),
        ]
        for query, field, detail in queries:
            reply = await answered(gateway, **query)
            assert (reply.status, reply.body["code"], reply.body["field"]) == (
                404, "not_found", field,
            ), reply.text  # fmt: skip
            assert detail in reply.body["detail"]
        async with gateway.connect() as socket:
            unknown, deep = f"{NIFTY}|2020-01-02|5", f"{KEY}|30"
            await subscribe(socket, unknown, channel="chain")
            await subscribe(socket, deep, channel="depth")
            wanted = {unknown: "unknown", deep: "needs_plus"}
            while wanted:
                results = (await receive(socket, "outcomes"))["results"]
                for key, outcome in results.items():
                    if wanted.get(key) == outcome:
                        del wanted[key]


async def test_with_plus_a_book_has_30_levels_for_those_who_ask_for_them(
    nats: NatsServer, mongo: Mongo, mongo_settings: MongoSettings
) -> None:
    async with (
        market(nats, mongo_settings, plan="plus", frame_interval_ms=250) as (gateway, _),
        python_client(gateway) as client,
    ):
        deep, few = client.depth([KEY], levels=30), client.depth([KEY])
        book = await next_of(deep, Depth)
        assert (book.key, book.levels) == (KEY, 30)
        assert (len(book.bids), len(book.asks)) == (30, 30)
        await eventually(
            lambda: deep.outcomes[f"{KEY}|30"] == Outcome.LIVE, what="30 levels are live"
        )
        best = await next_of(few, Depth)
        assert (best.levels, len(best.bids), len(best.asks)) == (5, 5, 5)
