"""A NATS client that publishes many messages at once."""

from asyncio import StreamWriter, WriteTransport
from collections.abc import Iterable

from nats.aio.client import Client
from nats.errors import ConnectionClosedError, OutboundBufferLimitError


class BatchClient(Client):
    """nats-py's client with a batch publish.

    `Client.publish` checks and formats each message and wakes the client's writer for it.
    That costs more than producing a quote. `publish_batch` does it once per batch.
    Subjects must be well formed and payloads within the server's limit; neither is checked.
    """

    async def publish_batch(self, messages: Iterable[tuple[bytes, bytes]]) -> None:
        """Publish (subject, payload) pairs in order: all of them, or none.

        Raises nats.errors.Error while there is no connection, like `publish` with a
        `pending_size` of zero.
        """
        if self.is_closed:
            raise ConnectionClosedError
        if not self.is_connected or self._has_ended():
            raise OutboundBufferLimitError
        commands = [b"PUB %b %d\r\n%b\r\n" % (to, len(data), data) for to, data in messages]
        if not commands:
            return
        batch = b"".join(commands)
        self.stats["out_msgs"] += len(commands)
        self.stats["out_bytes"] += len(batch)
        idle = self._idle_transport()
        if idle is not None:
            idle.write(batch)
            return
        self._pending.append(batch)
        self._pending_data_size += len(batch)
        if self._flush_queue is not None and self._flush_queue.empty():
            await self._flush_pending()

    def _has_ended(self) -> bool:
        """Whether the connection has ended, which the client has not noticed yet."""
        writer: StreamWriter | None = getattr(self._transport, "_io_writer", None)
        return writer is not None and writer.transport.is_closing()

    def _idle_transport(self) -> WriteTransport | None:
        """The connection, if its socket has taken all earlier data; a batch then need not wait.

        A batch that has to wait is left to the client's writer: `pending_data_size` counts it.
        """
        writer: StreamWriter | None = getattr(self._transport, "_io_writer", None)
        if self._pending or writer is None:
            return None
        transport = writer.transport
        return None if transport.get_write_buffer_size() else transport
