"""Publishes stored bars on the bus."""

from collections.abc import Iterable

from nats.errors import Error as NatsError

from shared.bus.connection import Bus
from shared.contracts.messages import Bar, encode
from shared.contracts.subjects import bar_subject


class BarPublisher:
    """Publishes on ``md.bar.5m.*``. A bar that is not published is still found in the store."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def publish(self, bars: Iterable[Bar]) -> None:
        """Publish stored bars; do nothing while NATS is unavailable."""
        for bar in bars:
            if not self._bus.can_publish:
                return
            try:
                await self._bus.client.publish(bar_subject(bar.key), encode(bar))
            except (NatsError, OSError):
                return
