"""A gateway process that is stopped for seconds (SIGSTOP) and continued."""

import asyncio
import time
from typing import Final, NamedTuple

from tests.support.builders import KEY, fresh_quote
from tests.support.figures import Figures
from tests.support.gateway.process import GatewayProcess, gateway_process
from tests.support.gateway.websocket import Socket, receive, subscribe
from tests.support.servers import NatsServer

MAX_AGE_SECS: Final = 2.0
STOPPED_SECS: Final = 5.0
PER_SEC: Final = 100
LAST_PRICE: Final = 1.0


class Received(NamedTuple):
    """One quote as the client received it."""

    seq: int
    at: float
    """When it was received, Unix seconds."""
    ingested_at: float
    """When ingest received it, Unix seconds."""
    is_snapshot: bool


async def test_quotes_above_the_age_limit_arrive_as_a_snapshot_and_the_newest_state_follows(
    nats: NatsServer, figures: Figures
) -> None:
    async with (
        gateway_process(nats, MAX_QUOTE_AGE_SECS=str(MAX_AGE_SECS)) as gateway,
        gateway.connect() as socket,
    ):
        await subscribe(socket, KEY)
        reading = asyncio.create_task(read_until_last_price(socket))
        before_stop = await publish(gateway, secs=1, after=0)
        gateway.process.pause()
        last_seq = await publish(gateway, secs=STOPPED_SECS, after=before_stop)
        resumed_at = time.time()
        gateway.process.resume()
        last_seq = await publish(gateway, secs=2, after=last_seq)
        await gateway.publish(fresh_quote(seq=last_seq + 1, ltp=LAST_PRICE))
        received = await reading
    # Too old already when the process was continued, so too old whenever it was sent.
    too_old = [
        quote
        for quote in received
        if quote.seq > before_stop and quote.ingested_at < resumed_at - MAX_AGE_SECS
    ]
    assert all(quote.is_snapshot for quote in too_old)
    live = [quote for quote in received if not quote.is_snapshot]
    figures.note("oldest_live_quote_secs", max(quote.at - quote.ingested_at for quote in live))
    assert any(quote.is_snapshot for quote in received), "the stop was too short to matter"
    seqs = [quote.seq for quote in received]
    assert seqs == sorted(seqs), "quotes go back in time"
    assert seqs[-1] == last_seq + 1


async def publish(gateway: GatewayProcess, *, secs: float, after: int) -> int:
    """Publish quotes for at least this long, with the seqs after `after`; the last seq."""
    seq = after
    end = time.monotonic() + secs
    while time.monotonic() < end:
        seq += 1
        await gateway.publish(fresh_quote(seq=seq))
        await asyncio.sleep(1 / PER_SEC)
    return seq


async def read_until_last_price(socket: Socket) -> list[Received]:
    """The quotes in the order of their arrival, up to the one of LAST_PRICE."""
    received: list[Received] = []
    while True:
        batch = await receive(socket, "quotes")
        is_snapshot = bool(batch.get("snapshot"))
        for quote in batch["data"]:
            received.append(Received(quote["seq"], time.time(), quote["rt"] / 1e6, is_snapshot))
            if quote["ltp"] == LAST_PRICE:
                return received
