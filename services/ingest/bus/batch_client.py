"""A NATS client that publishes many messages at once."""

from collections.abc import Iterable

from nats.aio.client import Client
from nats.errors import ConnectionClosedError, OutboundBufferLimitError


class BatchClient(Client):
    """nats-py's client spends more on publishing a quote than we do on making one: checks,
    text formatting, and a wake-up of its writer, for each message. Here, once a batch.

    Subjects are trusted to be well formed, payloads to be within the server's limit.
    """

    async def publish_batch(self, messages: Iterable[tuple[bytes, bytes]]) -> None:
        """Publish (subject, payload) pairs in order: all of them, or none.

        Raises nats.errors.Error while there is no connection, like `publish` with a
        `pending_size` of zero.
        """
        if self.is_closed:
            raise ConnectionClosedError
        if not self.is_connected:
            raise OutboundBufferLimitError
        commands = [b"PUB %b %d\r\n%b\r\n" % (to, len(data), data) for to, data in messages]
        if not commands:
            return
        batch = b"".join(commands)
        self._pending.append(batch)
        self._pending_data_size += len(batch)
        self.stats["out_msgs"] += len(commands)
        self.stats["out_bytes"] += len(batch)
        if self._flush_queue is not None and self._flush_queue.empty():
            await self._flush_pending()
