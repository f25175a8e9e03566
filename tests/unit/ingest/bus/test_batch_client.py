"""A batch is published as a whole, or not at all."""

from types import SimpleNamespace
from typing import Any

import pytest
from nats.aio.client import Client
from nats.errors import OutboundBufferLimitError

from services.ingest.bus.batch_client import BatchClient

BATCH = [(b"a", b"1"), (b"b", b"2")]


class Transport:
    """A connection with a number of unsent bytes."""

    def __init__(self, *, unsent_bytes: int = 0, is_closing: bool = False) -> None:
        self.written: list[bytes] = []
        self.write = self.written.append
        self.get_write_buffer_size = lambda: unsent_bytes
        self.is_closing = lambda: is_closing


def client_with(transport: Transport) -> BatchClient:
    client = BatchClient()
    client._status = Client.CONNECTED
    made: Any = SimpleNamespace(_io_writer=SimpleNamespace(transport=transport))
    client._transport = made
    return client


async def test_a_batch_is_written_at_once_if_nothing_waits() -> None:
    transport = Transport()
    client = client_with(transport)
    await client.publish_batch(BATCH)
    assert transport.written == [b"PUB a 1\r\n1\r\nPUB b 1\r\n2\r\n"]
    assert client.stats["out_msgs"] == 2


async def test_a_batch_waits_behind_unsent_bytes() -> None:
    transport = Transport(unsent_bytes=1)
    client = client_with(transport)
    await client.publish_batch(BATCH)
    assert (transport.written, len(client._pending)) == ([], 1)


async def test_nothing_waits_for_a_connection_that_has_ended_unnoticed() -> None:
    transport = Transport(is_closing=True)
    client = client_with(transport)
    with pytest.raises(OutboundBufferLimitError):
        await client.publish_batch(BATCH)
    assert (transport.written, client._pending) == ([], [])
