"""Publishes stored entries on the channels of their users."""

from collections.abc import Sequence

from nats.errors import Error as NatsError

from services.trading.journal.record import Record
from shared.bus.connection import Bus
from shared.bus.refused_publishes import report_refused
from shared.contracts.subjects import order_subject


class EventPublisher:
    """A user who misses an event sees a gap in `seq` and reads the events again."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def publish(self, records: Sequence[Record]) -> None:
        """Publish events in order; those that NATS does not take are counted and logged."""
        for record in records:
            try:
                await self._bus.client.publish(order_subject(record.entry.user_id), record.event)
            except (NatsError, OSError) as error:
                report_refused("order event", error)
