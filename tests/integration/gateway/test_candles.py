"""Completed minutes on the stream: from the simulated Upstox to the Python client."""

from pathlib import Path
from urllib.parse import quote as quoted

import aiohttp

from shared.contracts.messages import Candle, encode
from shared.contracts.subjects import candle_subject
from shared.market.exchange_time import IST, MINUTE_MS, to_datetime
from tests.support.builders import KEY, MONDAY_10_00, OTHER_KEY
from tests.support.buses import flushed
from tests.support.gateway.in_process import InProcessGateway, running_gateway
from tests.support.gateway.python_client import next_of, python_client
from tests.support.gateway.websocket import receive, subscribe
from tests.support.ingest import ingest, ingest_settings, simulator
from tests.support.servers import NatsServer
from tradedad_client import Candle as ClientCandle


async def publish_minute(gateway: InProcessGateway, number: int) -> None:
    candle = Candle(
        key=KEY, start=MONDAY_10_00 + number * MINUTE_MS, open=1.0, high=2.0, low=1.0, close=2.0,
        volume=5, epoch=1, ts=MONDAY_10_00 + (number + 1) * MINUTE_MS + 700,
    )  # fmt: skip
    await gateway.ingest.publish(candle_subject(KEY), encode(candle))
    await flushed(gateway.ingest)


async def test_candles_begin_with_the_last_one_also_after_a_restart_of_the_gateway(
    nats: NatsServer,
) -> None:
    async with running_gateway(nats) as gateway:
        await publish_minute(gateway, 0)
        await publish_minute(gateway, 1)
        await gateway.stop()
        await gateway.start()
        async with gateway.connect() as socket:
            await subscribe(socket, KEY, channel="candles")
            batch = await receive(socket, "candles")
            assert batch["snapshot"]
            assert [candle["start"] for candle in batch["data"]] == [MONDAY_10_00 + MINUTE_MS]
            await publish_minute(gateway, 1)
            await publish_minute(gateway, 2)
            batch = await receive(socket, "candles")
            assert "snapshot" not in batch
            assert [candle["start"] for candle in batch["data"]] == [MONDAY_10_00 + 2 * MINUTE_MS]


async def test_the_client_receives_the_minutes_that_upstox_computes(
    nats: NatsServer, tmp_path: Path
) -> None:
    watchlist = tmp_path / "watchlist"
    watchlist.write_text(f"{KEY}\n{OTHER_KEY}\n")
    async with (
        running_gateway(nats) as gateway,
        python_client(gateway) as client,
        simulator(speed=60) as url,
        ingest(ingest_settings(nats, url, watchlist)),
    ):
        candles = client.candles([KEY])
        assert (await candles.ready()).keys() == {KEY}
        received = [await next_of(candles, ClientCandle) for _ in range(3)]
        path = f"/v3/historical-candle/intraday/{quoted(KEY)}/minutes/1"
        async with aiohttp.ClientSession() as http, http.get(url + path) as response:
            rows = (await response.json())["data"]["candles"]
    assert [a.start + MINUTE_MS for a in received[:-1]] == [b.start for b in received[1:]]
    by_start = {row[0]: tuple(row[1:6]) for row in rows}
    for candle in received:
        start = to_datetime(candle.start).astimezone(IST).isoformat()
        prices = (candle.open, candle.high, candle.low, candle.close)
        assert by_start[start] == (*prices, candle.volume)
