"""Publishes stored entries on the channels of their users, with the trace of what caused each."""

from collections.abc import Sequence

from nats.errors import Error as NatsError

from services.trading.journal.record import Record
from shared.bus.connection import Bus
from shared.bus.refused_publishes import report_refused
from shared.contracts.subjects import order_subject
from shared.runtime.trace_context import read_context
from shared.runtime.tracing import Kind, Span


class EventPublisher:
    """After a lost event a client finds a gap in `seq`, and reads the events again."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def publish(self, records: Sequence[Record]) -> None:
        """Publish events in order; those that NATS does not take are counted and logged."""
        for record in records:
            cause = read_context([record.traceparent])
            if cause is None:
                await self._publish(record, None)
            else:
                with Span("orders publish", Kind.PRODUCER, parent=cause) as span:
                    await self._publish(record, span.context.headers())

    async def _publish(self, record: Record, headers: dict[str, str] | None) -> None:
        subject = order_subject(record.entry.user_id)
        try:
            await self._bus.client.publish(subject, record.event, headers=headers)
        except (NatsError, OSError) as error:
            report_refused("order event", error)
