"""The JSON encoding of the stream: one WebSocket text frame for each reply and each batch."""

from collections.abc import Sequence
from typing import Final

from services.gateway.fanout.channels import Channel
from services.gateway.stream.frames import batch_frame, text_frame
from services.gateway.stream.replies import batch_head, snapshot_head


class JsonFraming:
    """Implements `fanout.framing.Framing`. Messages are copied into the batch undecoded."""

    def __init__(self) -> None:
        self._live_heads: Final = {channel: batch_head(channel) for channel in Channel}
        self._snapshot_heads: Final = {channel: snapshot_head(channel) for channel in Channel}

    def reply(self, message: bytes) -> bytes:
        return text_frame(message)

    def live(self, channel: Channel, messages: Sequence[bytes]) -> bytes:
        return batch_frame(self._live_heads[channel], messages)

    def snapshot(self, channel: Channel, messages: Sequence[bytes]) -> bytes:
        return batch_frame(self._snapshot_heads[channel], messages)
