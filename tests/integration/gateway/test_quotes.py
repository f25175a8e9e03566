"""Quotes from a simulated Upstox to all their readers, with the values that the SDK reads."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
import pytest
import upstox_client

from services.simulator.market.contracts import contracts
from services.simulator.settings import SIMULATED_TOKEN
from services.simulator.simulation.loop import SimulationLoop
from shared.market.exchange_time import IST
from tests.support.builders import KEY, MONDAY_10_00, OTHER_KEY
from tests.support.gateway.in_process import InProcessGateway, running_gateway
from tests.support.gateway.python_client import next_of, python_client
from tests.support.gateway.rest import get
from tests.support.gateway.websocket import Socket, receive, subscribe
from tests.support.ingest import ingest, ingest_settings
from tests.support.sdk import SDK_SECS, sdk_call
from tests.support.servers import NatsServer
from tests.support.simulated import stepped_simulator
from tests.support.waiting import eventually
from tradedad_client import Client, Quote, Subscription

FUTURE = next(
    contract.key
    for contract in contracts(MONDAY_10_00)
    if contract.underlying_key == KEY and contract.strike_paise is None
)
FIELDS = (
    "ltp", "ltq", "ltt", "cp", "open", "high", "low", "volume", "atp", "oi",
    "bid", "bid_qty", "ask", "ask_qty", "tbq", "tsq", "iep", "ieq",
)  # fmt: skip
FRAMES = 8

Values = dict[str, Any]
"""Values of a quote by our names, without those that are unknown."""


@pytest.fixture(autouse=True)
def whole_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every frame has the order book. Otherwise a quote keeps that of an earlier frame."""
    monkeypatch.setattr("services.simulator.feed.frames.SPARSE_EVERY", 1 << 32)


async def sdk_quotes(url: str, keys: Sequence[str]) -> dict[str, Values]:
    """By key, what the SDK reads. Upstox gives zero for a value that there is not."""

    def read(client: Any) -> tuple[Any, Any]:
        api = upstox_client.MarketQuoteV3Api(client)
        query = {"instrument_key": ",".join(keys), "_request_timeout": SDK_SECS}
        return api.get_full_market_quote_v3(**query).data, api.get_ltp(**query).data

    quotes, trades = await sdk_call(url, SIMULATED_TOKEN, read)
    values: dict[str, Values] = {}
    for name, quote in quotes.items():
        day, bid, ask = quote.ohlc, quote.depth.buy[0], quote.depth.sell[0]
        all_values = {
            "ltp": quote.last_price,
            "ltq": trades[name].ltq,
            "ltt": int(quote.last_trade_time),
            "cp": quote.prev_close_price,
            "open": day and day.open,
            "high": day and day.high,
            "low": day and day.low,
            "volume": quote.volume,
            "atp": quote.average_price,
            "oi": quote.oi,
            "bid": bid.price,
            "bid_qty": bid.quantity,
            "ask": ask.price,
            "ask_qty": ask.quantity,
            "tbq": quote.total_buy_quantity,
            "tsq": quote.total_sell_quantity,
            "iep": quote.indicative_equilibrium_price,
            "ieq": quote.indicative_equilibrium_quantity,
        }
        known = {name: value for name, value in all_values.items() if value}
        values[quote.instrument_token] = known
    return values


def shown(quote: Any) -> Values:
    """The values of a quote of ours."""
    return {name: quote[name] for name in FIELDS if name in quote}


@dataclass
class Market:
    """A market that stands still, and all readers of its quotes."""

    url: str
    loop: SimulationLoop
    keys: Sequence[str]
    gateway: InProcessGateway
    client: Client
    followed: Subscription[Quote]
    socket: Socket
    now_ms: int
    _streamed: dict[str, Any] = field(default_factory=dict)
    _received: dict[str, Any] = field(default_factory=dict)

    def step(self, to_ms: int) -> None:
        """Move the market on, which sends one frame."""
        self.loop.step(to_ms)
        self.now_ms = to_ms

    async def assert_all_read_what_the_sdk_reads(self) -> dict[str, Values]:
        """Once all readers have the present frame; returns what they read."""
        await eventually(self._is_by_rest, what="the frame's quotes by REST")
        while not self._is_present(self._streamed):
            batch = await receive(self.socket, "quotes")
            self._streamed |= {quote["key"]: quote for quote in batch["data"]}
        while not self._is_present(self._received):
            received = await next_of(self.followed, Quote)
            self._received[received.key] = msgspec.to_builtins(received)
        last = await self.client.last_quotes(self.keys)
        assert last.missing == {}
        readers = {
            "/v1/quotes": await self._by_rest(),
            "the stream": self._streamed,
            "client.quotes": self._received,
            "client.last_quotes": {quote.key: msgspec.to_builtins(quote) for quote in last.quotes},
        }
        upstox = await sdk_quotes(self.url, self.keys)
        for reader, quotes in readers.items():
            assert quotes.keys() == upstox.keys(), reader
            for key, quote in quotes.items():
                assert shown(quote) == upstox[key], (reader, key)
        return upstox

    async def _by_rest(self) -> dict[str, Any]:
        reply = await get(self.gateway, "/v1/quotes", keys=list(self.keys))
        assert reply.status == 200, reply.text
        return {quote["key"]: quote for quote in reply.body["quotes"]}

    async def _is_by_rest(self) -> bool:
        return self._is_present(await self._by_rest())

    def _is_present(self, quotes: dict[str, Any]) -> bool:
        return all(key in quotes and quotes[key]["ts"] == self.now_ms for key in self.keys)


@asynccontextmanager
async def market(nats: NatsServer, keys: Sequence[str], **simulated: Any) -> AsyncIterator[Market]:
    """A market with these instruments; all readers follow them."""
    options: dict[str, Any] = {
        "universe": "full", "frame_interval_ms": 5_000, "start_ms": MONDAY_10_00, **simulated
    }  # fmt: skip
    async with (
        stepped_simulator(**options) as (url, loop),
        running_gateway(nats) as gateway,
        ingest(ingest_settings(nats, url, None)),
        python_client(gateway) as client,
        gateway.connect() as socket,
    ):
        await subscribe(socket, *keys)
        followed = client.quotes(keys)
        assert (await followed.ready()).keys() == set(keys)
        yield Market(url, loop, keys, gateway, client, followed, socket, options["start_ms"])


async def test_every_reader_of_quotes_has_the_values_that_the_sdk_reads(nats: NatsServer) -> None:
    async with market(nats, [KEY, FUTURE, OTHER_KEY]) as still:
        before = await still.assert_all_read_what_the_sdk_reads()
        assert set(FIELDS) - before[KEY].keys() == {"oi", "iep", "ieq"}
        assert set(FIELDS) - before[FUTURE].keys() == {"iep", "ieq"}
        assert before[OTHER_KEY].keys() == {"ltp", "ltt", "cp", "open", "high", "low"}
        for _ in range(FRAMES):
            still.step(still.loop.next_frame_ms())
            after = await still.assert_all_read_what_the_sdk_reads()
            assert after[KEY]["volume"] > before[KEY]["volume"]
            before = after


def monday_at(time: str) -> int:
    """Epoch ms of a time in India on a Monday."""
    moment = datetime.fromisoformat(f"2026-11-23T{time}").replace(tzinfo=IST)
    return int(moment.timestamp() * 1_000)


@pytest.mark.parametrize(
    ("before", "order_entry", "after"),
    [
        pytest.param("08:59", ("09:01", "09:05", "09:10"), "09:12", id="opening"),
        pytest.param("15:14", ("15:21", "15:25", "15:30"), "15:35", id="closing"),
    ],
)
async def test_an_auction_has_the_indicative_result_that_the_sdk_reads_until_its_match(
    nats: NatsServer, before: str, order_entry: Sequence[str], after: str
) -> None:
    # Few trades, so that a step of minutes is short.
    simulated = {"calendar": "exchange", "start_ms": monday_at(before), "trades_per_sec": 0.2}
    async with market(nats, [KEY], **simulated) as still:

        async def read() -> Values:
            return (await still.assert_all_read_what_the_sdk_reads())[KEY]

        quote = await read()
        assert quote.keys().isdisjoint({"iep", "ieq"})
        indicated = []
        for time in order_entry:
            still.step(monday_at(time))
            quote = await read()
            indicated.append((quote["iep"], quote["ieq"]))
        assert len(set(indicated)) == len(order_entry), "it follows the orders"
        still.step(monday_at(after))
        match = await read()
        assert match.keys().isdisjoint({"iep", "ieq"})
        assert (match["ltp"], match["ltq"]) == indicated[-1]
        assert match["volume"] == quote.get("volume", 0) + match["ltq"]
