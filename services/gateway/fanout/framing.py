"""The interface by which a client protocol turns messages into bytes for the socket."""

from collections.abc import Sequence
from typing import Protocol

from services.gateway.fanout.channels import Channel


class Framing(Protocol):
    """One encoding of the stream. It has no state, so all clients that use it share one object."""

    def reply(self, message: bytes) -> bytes:
        """One reply of the protocol, ready to be written."""
        ...

    def live(self, channel: Channel, messages: Sequence[bytes]) -> bytes:
        """One batch of live messages, oldest first, in the encoding of their publisher."""
        ...

    def snapshot(self, channel: Channel, messages: Sequence[bytes]) -> bytes:
        """One batch with the last message of each of some topics, however old it is."""
        ...
