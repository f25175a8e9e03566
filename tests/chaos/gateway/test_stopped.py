"""A gateway process that stands still for seconds, and then goes on."""

import asyncio
import signal
import time

import aiohttp

from services.gateway.settings import GatewaySettings
from tests.support.builders import KEY
from tests.support.gateways import fresh, gateway_process, receive, subscribe
from tests.support.servers import NatsServer

LIMIT_SECS = GatewaySettings.model_fields["max_quote_age_secs"].default
STOPPED_SECS = 5.0
PER_SEC = 100
# Between the gateway's look at a quote's age and ours.
SLACK_SECS = 0.5


async def test_what_is_older_than_its_limit_is_not_sent_as_live(nats: NatsServer) -> None:
    """In a snapshot it is; and the newest state comes in the end, nothing going back in time."""
    async with gateway_process(nats) as gateway, gateway.connect() as socket:
        await subscribe(socket, KEY)
        last = 0

        async def publish(secs: float) -> None:
            nonlocal last
            for _ in range(int(secs * PER_SEC)):
                last += 1
                await gateway.publish(fresh(seq=last))
                await asyncio.sleep(1 / PER_SEC)

        reading = asyncio.create_task(read_until_quiet(socket))
        await publish(1)
        gateway.process.send(signal.SIGSTOP)
        await publish(STOPPED_SECS)
        gateway.process.send(signal.SIGCONT)
        await publish(2)
        await gateway.publish(fresh(seq=last + 1, ltp=1.0))
        live, snapshots = await reading
    ages = [received - sent for received, sent, _ in live]
    print(f"oldest live quote: {max(ages):.3f} s; snapshots: {len(snapshots)}")
    assert max(ages) < LIMIT_SECS + SLACK_SECS
    assert snapshots, "what was published meanwhile came as a snapshot"
    seqs = [seq for _, _, seq in sorted(live + snapshots)]
    assert seqs == sorted(seqs)
    assert seqs[-1] == last + 1


Seen = list[tuple[float, float, int]]


async def read_until_quiet(socket: aiohttp.ClientWebSocketResponse) -> tuple[Seen, Seen]:
    """Receive and sending time and seq of each quote up to the one that costs 1: live, late."""
    live: Seen = []
    snapshots: Seen = []
    while True:
        batch = await receive(socket, "quotes")
        seen = snapshots if batch.get("snapshot") else live
        for one in batch["data"]:
            seen.append((time.time(), one["rt"] / 1e6, one["seq"]))
            if one["ltp"] == 1.0:
                return live, snapshots
