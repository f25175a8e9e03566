"""A user's streams never read: another user gets every quote, and memory stays bounded."""

import asyncio
from typing import Final

from tests.support.builders import fresh_quote
from tests.support.figures import Figures
from tests.support.gateway.process import GatewayProcess, gateway_process
from tests.support.gateway.quote_delays import LAST_PRICE, read_delays
from tests.support.gateway.websocket import open_raw_stream, send_raw, subscribe
from tests.support.servers import NatsServer

STREAMS: Final = 20
"""The number that a user may have."""
KEYS: Final = [f"NSE_EQ|{number}" for number in range(1_000)]
STREAM_BYTES: Final = 4_000_000
"""Far more than a stream may hold for a client, and far less than all that is published for it."""
_MIB: Final = 1 << 20
_PAST_SEQ: Final = 1
"""That of the snapshot that the reader gets first."""


async def publish_until_only_the_reader_is_left(gateway: GatewayProcess) -> tuple[int, float]:
    """Publish all quotes again and again. Returns the last seq and the largest memory, bytes."""
    seq, largest_bytes, is_left = _PAST_SEQ, 0.0, False
    while not is_left:
        seq += 1
        await gateway.publish(*(fresh_quote(key=key, seq=seq) for key in KEYS))
        resident_bytes = await gateway.metric("process_resident_memory_bytes")
        largest_bytes = max(largest_bytes, resident_bytes)
        is_left = await gateway.metric("tradedad_gateway_streams") == 1
    await gateway.publish(fresh_quote(key=KEYS[0], seq=seq + 1, ltp=LAST_PRICE))
    return seq + 1, largest_bytes


async def test_clients_that_never_read_cost_another_no_quote_and_bounded_memory(
    nats: NatsServer, figures: Figures
) -> None:
    past = tuple(fresh_quote(key=key, seq=_PAST_SEQ) for key in KEYS)
    async with (
        gateway_process(nats, past=past, BLOCKED_SECS="3") as gateway,
        gateway.connect(gateway.issuer.token(sub="another user")) as reader,
    ):
        await subscribe(reader, KEYS[0])
        stuck = [await open_raw_stream(gateway) for _ in range(STREAMS)]
        for _, writer in stuck:
            send_raw(
                writer, {"op": "subscribe", "id": 1, "channel": "quotes", "keys": ["NSE_EQ|*"]}
            )
        before_bytes = await gateway.metric("process_resident_memory_bytes")
        reading = asyncio.create_task(read_delays(reader))
        last_seq, largest_bytes = await publish_until_only_the_reader_is_left(gateway)
        seqs, delays = await reading
        for _, writer in stuck:
            writer.transport.abort()
    assert seqs == list(range(_PAST_SEQ, last_seq + 1))
    assert largest_bytes - before_bytes < STREAMS * STREAM_BYTES
    figures.note("memory_growth_mib", (largest_bytes - before_bytes) / _MIB)
    figures.note("quotes", last_seq)
    figures.note("longest_quote_delay_secs", max(delays[1:]))
