"""Ingest, from the simulated Upstox to what arrives on a real bus."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from services.ingest import metrics
from services.ingest.app import build
from services.ingest.settings import IngestSettings
from services.simulator.app import open_simulator
from services.simulator.settings import SimulatorSettings
from shared.bus import Bus
from shared.clock import SystemClock
from shared.health import Readiness
from shared.messages import FeedState, Quote, decode_clock, decode_quote, decode_status
from shared.settings import NatsSettings, UpstoxSettings
from shared.stream import TickReader
from shared.subjects import quote_key, quote_subject
from tests.support.builders import KEY, OTHER_KEY
from tests.support.buses import bus_of
from tests.support.servers import PASSWORD, NatsServer
from tests.support.services import is_ready, running
from tests.support.waiting import eventually

TOKEN = "simulated-token"


class Listener:
    """Keeps all that is published on md.>, in order."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.messages: list[Msg] = []

    async def listen(self) -> None:
        async def keep(message: Msg) -> None:
            self.messages.append(message)

        await self.client.subscribe("md.>", cb=keep)
        await self.client.flush()

    def quotes(self, key: str = KEY) -> list[Quote]:
        found = [m for m in self.messages if m.subject.startswith("md.quote.")]
        return [decode_quote(m.data) for m in found if quote_key(m.subject) == key]

    def states(self) -> list[FeedState]:
        return [decode_status(m.data).state for m in self.messages if m.subject == "md.status"]

    async def wait_for_quotes(self, count: int, key: str = KEY) -> list[Quote]:
        async def enough() -> list[Quote]:
            seen = self.quotes(key)
            return seen if len(seen) >= count else []

        return await eventually(enough, what=f"{count} quotes of {key}")


@pytest.fixture
async def listener(nats: NatsServer) -> AsyncIterator[Listener]:
    client = await nats.connect("observer")
    listener = Listener(client)
    await listener.listen()
    yield listener
    await client.close()


@asynccontextmanager
async def simulator(**settings: Any) -> AsyncIterator[str]:
    """A running simulator; its address."""
    options = {"port": 0, "ops_port": 0, "speed": 10, "frame_interval_ms": 500} | settings
    async with open_simulator(SimulatorSettings.model_validate(options)) as opened:
        driving = asyncio.create_task(opened.driver.run())
        try:
            yield f"http://127.0.0.1:{opened.port}"
        finally:
            driving.cancel()
            await asyncio.gather(driving, return_exceptions=True)


def ingest_settings(
    nats: NatsServer, url: str, watchlist: Path, *, lease_ttl_secs: float = 1, **more: Any
) -> IngestSettings:
    options = {
        "ops_port": 0,
        "nats_password": PASSWORD,
        "watchlist_file": watchlist,
        "clock_every_secs": 0.1,
        "max_ahead_secs": 1e9,  # the simulated exchange runs ten times as fast as our clock
        "nats": NatsSettings.model_validate({"url": nats.url, "lease_ttl_secs": lease_ttl_secs}),
        "upstox": UpstoxSettings.model_validate({"api_url": url, "access_token": TOKEN}),
    } | more
    return IngestSettings.model_validate(options)


@pytest.fixture
def watchlist(tmp_path: Path) -> Path:
    path = tmp_path / "watchlist.txt"
    path.write_text(f"{KEY}\n{OTHER_KEY}\n")
    return path


@asynccontextmanager
async def ingest(settings: IngestSettings) -> AsyncIterator[Readiness]:
    readiness = Readiness("ingest")
    async with running(build(settings, readiness)):
        yield readiness


async def test_quotes_on_the_bus_are_as_the_design_says(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    async with simulator() as url, ingest(ingest_settings(nats, url, watchlist)) as readiness:
        stock = await listener.wait_for_quotes(5)
        index = await listener.wait_for_quotes(5, OTHER_KEY)
        assert readiness.is_ready()
    message = next(m for m in listener.messages if m.subject == "md.quote.NSE_EQ.INE002A01018")
    first = json.loads(message.data)
    assert first["key"] == KEY
    assert first["snap"] is True
    assert set(first) >= {
        "epoch", "seq", "ts", "rt", "ltt", "ltp", "ltq", "cp", "volume", "atp",
        "bid", "bid_qty", "ask", "ask_qty", "tbq", "tsq",
    }  # fmt: skip
    assert "oi" not in first, "a share has no open interest: absent, not zero"
    assert [q.seq for q in stock] == list(range(1, len(stock) + 1))
    assert all(not q.snap for q in stock[1:])
    assert all(a.ts < b.ts and (a.volume or 0) <= (b.volume or 0)
               for a, b in pairwise(stock[1:]))  # fmt: skip
    assert all(q.ltt is not None and q.ltt <= q.ts for q in stock)
    assert all(q.volume is None and q.ltq is None and q.bid is None for q in index)
    subjects = {m.subject for m in listener.messages}
    assert "md.quote.NSE_INDEX.Nifty%2050" in subjects


async def test_every_quote_that_was_sent_arrives_with_its_values(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    import aiohttp

    async with simulator() as url, ingest(ingest_settings(nats, url, watchlist)):
        arrived = (await listener.wait_for_quotes(30))[:30]
        query = {"key": KEY}
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"{url}/simulator/v1/sent", params=query) as response,
        ):
            sent = (await response.json())[:30]
    assert [(q.ts, q.ltp, q.ltt, q.ltq, q.volume, q.atp, q.snap) for q in arrived] == [
        (r["ts"], r["ltp"], r["ltt"], r["ltq"], r["vtt"], r["atp"], r["kind"] == "snapshot")
        for r in sent
    ]


async def test_the_clock_tells_how_many_quotes_there_were(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    async with simulator() as url, ingest(ingest_settings(nats, url, watchlist)):
        await listener.wait_for_quotes(50)
    quotes = 0
    ticks = 0
    for message in listener.messages:
        if message.subject.startswith("md.quote."):
            quotes += 1
        elif message.subject == "md.clock":
            ticks += 1
            assert decode_clock(message.data).seq == quotes
    assert ticks > 1


async def test_frames_of_the_future_are_not_believed_and_that_is_told(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    tomorrow_ms = SystemClock().now_ms() + 86_400_000
    async with (
        simulator(start_ms=tomorrow_ms) as url,
        ingest(ingest_settings(nats, url, watchlist, max_ahead_secs=60)) as readiness,
    ):

        async def told() -> bool:
            return "our clock" in readiness.missing.get("feed", "")

        await eventually(told, what="readiness saying why")
        assert listener.quotes() == []


async def test_a_refused_token_is_told_and_nothing_dies(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    async with (
        simulator(access_token="another") as url,
        ingest(ingest_settings(nats, url, watchlist)) as readiness,
    ):

        async def told() -> bool:
            return FeedState.UNAUTHORISED in listener.states()

        await eventually(told, what="md.status saying unauthorised")
        assert "feed" in readiness.missing


async def test_a_feed_that_comes_back_is_taken_up_again(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    from embedded.ports import free_ports

    (port,) = free_ports(1)
    async with simulator(port=port) as url:
        settings = ingest_settings(nats, url, watchlist)
        starting = ingest(settings)
        readiness = await starting.__aenter__()
        await listener.wait_for_quotes(3)
    try:

        async def unready() -> bool:
            return "feed" in readiness.missing

        await eventually(unready, what="ingest that knows the feed is away")
        seen = len(listener.quotes())
        async with simulator(port=port, start_ms=listener.quotes()[-1].ts + 1_000):
            after = (await listener.wait_for_quotes(seen + 3))[seen:]
            assert after[0].snap
            assert after[0].seq == seen + 1
            assert len({q.epoch for q in after}) == 1
            assert readiness.is_ready()
    finally:
        await starting.__aexit__(None, None, None)


async def test_a_standby_takes_over_with_a_higher_epoch(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    async with simulator() as url:
        settings = ingest_settings(nats, url, watchlist)
        async with ingest(settings):
            await listener.wait_for_quotes(3)
            standby = ingest(settings)
            readiness = await standby.__aenter__()
            await eventually(lambda: is_ready(readiness), what="a standby that is ready")
        seen = len(listener.quotes())
        after = (await listener.wait_for_quotes(seen + 3))[seen:]
        await standby.__aexit__(None, None, None)
    before = listener.quotes()[:seen]
    assert {q.epoch for q in before}.isdisjoint({q.epoch for q in after})
    assert after[0].epoch > before[-1].epoch
    assert (after[0].seq, after[0].snap) == (1, True)


async def test_after_an_outage_of_nats_only_the_newest_quotes_follow(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    # A lease that outlasts the outage: the same leader goes on.
    async with (
        simulator() as url,
        ingest(ingest_settings(nats, url, watchlist, lease_ttl_secs=60)) as readiness,
    ):
        last_before = (await listener.wait_for_quotes(3))[-1]
        nats.kill()

        async def unready() -> bool:
            return "nats" in readiness.missing

        await eventually(unready, what="ingest that knows NATS is away")
        replaced_before = replaced()

        async def much_was_replaced() -> bool:
            return replaced() > replaced_before + 10

        await eventually(much_was_replaced, what="quotes that were replaced by newer ones")
        nats.start()
        async with bus_of(nats, "gateway") as bus:
            kept: list[Quote] = []

            async def went_on() -> bool:
                kept[:] = await kept_quotes(bus)
                return kept[-1].ts > last_before.ts + 5_000

            await eventually(went_on, what="quotes after the outage", timeout_secs=20)
    assert [q.seq for q in kept] == list(range(1, len(kept) + 1)), "seq has no holes"
    pauses = [after.ts - before.ts for before, after in pairwise(kept)]
    assert max(pauses) > 1_000, "what was replaced meanwhile is not sent"


def replaced() -> float:
    (metric,) = metrics.HELD_QUOTES.collect()
    return metric.samples[0].value


async def kept_quotes(bus: Bus) -> list[Quote]:
    """All quotes of KEY that are in the stream."""
    subject = quote_subject(KEY)
    async with TickReader(bus, start=1, subject=subject) as reader:
        expected = await reader.open()
        quotes: list[Quote] = []
        while len(quotes) < expected:
            quotes += [decode_quote(entry.data) for entry in await reader.batch()]
        return quotes
