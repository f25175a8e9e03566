"""Measures ingest's ticks per CPU-second, beside the SDK's decoding of the same frames.

``make bench-ingest``. The frames are those of the simulated market, with 50 instruments in
full mode. The stages are wire > normalise > encode > publish, to a real nats-server.
"""

import asyncio
from typing import Final

import uvloop
from google.protobuf.json_format import MessageToDict
from upstox_client.feeder.proto import MarketDataFeedV3_pb2

from bench.harness import measure, report
from services.ingest.bus.batch_client import BatchClient
from services.ingest.bus.quote_publisher import QuotePublisher
from services.ingest.feed import wire
from services.ingest.market.exchange_clock import ExchangeClock
from services.ingest.normalise.instrument_state import encode_quote
from services.ingest.normalise.normaliser import Normaliser
from services.simulator.feed.frames import FrameBuilder, snapshot
from services.simulator.feed.modes import Mode
from services.simulator.market.instruments import INSTRUMENTS
from services.simulator.market.market import Market
from shared.bus.connection import Bus, connect_bus
from shared.bus.lease import Term
from shared.bus.resources import ensure_ticks_stream
from shared.runtime.clock import SystemClock
from shared.runtime.health import Readiness
from shared.runtime.settings import NatsSettings
from tests.support.buses import flushed
from tests.support.servers import PASSWORD, run_nats

FRAMES: Final = 400
FRAMES_PER_SEC: Final = 4
START_MS: Final = 1_795_408_200_000


def record(count: int = FRAMES) -> list[bytes]:
    """`count` frames of the simulator at most; the first is a snapshot."""
    stocks = [instrument for instrument in INSTRUMENTS if instrument.key.startswith("NSE_EQ")]
    market = Market(stocks, seed=1, start_ms=START_MS, trades_per_sec=20.0)
    modes = dict.fromkeys(market.states, Mode.FULL)
    frames = [snapshot(market, modes)]
    for number in range(1, count):
        market.advance(START_MS + number * 1_000 // FRAMES_PER_SEC)
        live = FrameBuilder(market, market.take_changes()).live(modes)
        if live is not None:
            frames.append(live[0])
    return frames


async def decode_all(frames: list[bytes]) -> None:
    for data in frames:
        wire.decode(data)


async def normalise_all(frames: list[bytes], *, encoded: bool) -> None:
    normaliser = Normaliser(epoch=1)
    for data in frames:
        message = wire.decode(data)
        merged = normaliser.apply(
            message.feeds,
            ts=message.currentTs,
            received_us=1,
            snapshot=message.type == wire.INITIAL_FEED,
        )
        if encoded:
            for instrument in merged.updated:
                encode_quote(instrument.quote)


async def sdk_decode_all(frames: list[bytes]) -> None:
    """Decode each frame as the SDK's streamer does before it calls its listeners."""
    for data in frames:
        MessageToDict(MarketDataFeedV3_pb2.FeedResponse.FromString(data))


async def publish_all(frames: list[bytes], bus: Bus, client: BatchClient) -> None:
    clock = SystemClock()
    term = Term(1, clock, clock.monotonic() + 3_600)
    exchange_clock = ExchangeClock()
    publisher = QuotePublisher(bus, client, term, exchange_clock, clock_every_quotes=200)
    normaliser = Normaliser(epoch=1)
    for number, data in enumerate(frames):
        message = wire.decode(data)
        merged = normaliser.apply(
            message.feeds,
            ts=message.currentTs,
            received_us=1,
            snapshot=message.type == wire.INITIAL_FEED,
        )
        exchange_clock.receive(message.currentTs, clock.monotonic())
        await publisher.publish(merged, frozenset())
        if number % FRAMES_PER_SEC == 0:
            normaliser.pack_books()
        await asyncio.sleep(0)  # between two frames the event loop reads the socket
    await flushed(bus.client)


async def main() -> None:
    """Run the benchmark and print its report."""
    frames = record()
    ticks = sum(len(wire.decode(data).feeds) for data in frames)
    client = BatchClient()
    with run_nats() as server:
        async with connect_bus(
            NatsSettings.model_validate({"url": server.url}),
            user="ingest",
            password=PASSWORD,
            readiness=Readiness("bench"),
            own_client=client,
        ) as bus:
            await ensure_ticks_stream(bus, max_age_secs=600, max_bytes=1 << 28)
            stages = await measure(
                ticks,
                {
                    "wire": lambda: decode_all(frames),
                    "wire > normalise": lambda: normalise_all(frames, encoded=False),
                    "wire > normalise > encode": lambda: normalise_all(frames, encoded=True),
                    "whole path, published on NATS": lambda: publish_all(frames, bus, client),
                    "the SDK's decode path": lambda: sdk_decode_all(frames),
                },
            )
    whole, sdk = stages[-2], stages[-1]
    report(
        "ingest",
        "ticks",
        stages,
        {
            "ticks_per_cpu_s": whole.per_cpu_s,
            "vs_sdk_decode": whole.per_cpu_s / sdk.per_cpu_s,
        },
    )


if __name__ == "__main__":
    uvloop.run(main())
