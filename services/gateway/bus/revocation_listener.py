"""Ends streams whose session or user was revoked, and knows whose tokens to refuse."""

import asyncio
from typing import Final

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from services.gateway import metrics
from services.gateway.stream.registry import StreamRegistry
from shared.bus.connection import Bus
from shared.contracts.revocations import (
    ALL_REVOCATIONS,
    STREAM,
    Revocation,
    Revocations,
    SessionRevoked,
    UserRevoked,
    decode,
)
from shared.contracts.subjects import AUTH_JETSTREAM_API
from shared.runtime.clock import Clock
from shared.runtime.health import Readiness
from shared.runtime.logs import get_logger

log = get_logger(__name__)

DEPENDENCY: Final = "revocations"
# What is told live may be lost on the way, so the bucket is read again so often, and at once
# when messages may have been missed.
_READ_AGAIN_SECS: Final = 10.0
_RETRY_SECS: Final = 0.5
_BATCH: Final = 500


class RevocationListener:
    """A component: hears of revocations as they happen, and reads those that are kept."""

    def __init__(
        self,
        bus: Bus,
        known: Revocations,
        streams: StreamRegistry,
        readiness: Readiness,
        clock: Clock,
    ) -> None:
        self._bus = bus
        self._known = known
        self._streams = streams
        self._readiness = readiness
        self._clock = clock
        self._again = asyncio.Event()
        readiness.down(DEPENDENCY, "not read yet")

    def read_again(self) -> None:
        """Some may have been missed."""
        self._readiness.down(DEPENDENCY, "some may have been missed")
        self._again.set()

    async def run(self) -> None:
        """Until cancelled."""
        subscription = await self._bus.client.subscribe(ALL_REVOCATIONS, cb=self._on_message)
        try:
            while True:
                self._again.clear()
                is_read = await self._read()
                self._known.forget(self._clock.now_ms() // 1_000)
                try:
                    async with asyncio.timeout(_READ_AGAIN_SECS if is_read else _RETRY_SECS):
                        await self._again.wait()
                except TimeoutError:
                    continue
        finally:
            if not self._bus.client.is_closed:
                await subscription.unsubscribe()

    async def _on_message(self, message: Msg) -> None:
        self._take(message)

    def _take(self, message: Msg) -> None:
        if not message.data:
            return  # a deletion; a revocation never ends but by time
        try:
            revocation = decode(message.subject, message.data)
        except ValueError as error:
            metrics.MALFORMED_MESSAGES.labels("revocation").inc()
            log.warning("not a revocation", subject=message.subject, error=str(error))
            return
        self._known.add(revocation)
        self._end_streams(revocation)

    def _end_streams(self, revocation: Revocation) -> None:
        match revocation:
            case SessionRevoked(session_id=session_id):
                for stream in self._streams.of_session(session_id):
                    stream.revoke()
            case UserRevoked(user_id=user_id, before=before):
                for stream in self._streams.of_user(user_id):
                    stream.revoke(issued_before=before)

    async def _read(self) -> bool:
        """Take all that are kept; False if that failed, and is to be tried again soon."""
        try:
            await self._read_bucket()
        except NotFoundError:
            log.debug("auth has made no bucket yet, so nothing is revoked")
        except (NatsError, TimeoutError, OSError) as error:
            self._readiness.down(DEPENDENCY, f"cannot be read: {error!r}")
            return False
        self._readiness.up(DEPENDENCY)
        return True

    async def _read_bucket(self) -> None:
        """Raises NotFoundError if there is no bucket, and what else NATS says."""
        timeout_secs = self._bus.settings.request_timeout_secs
        js = self._bus.jetstream(AUTH_JETSTREAM_API)
        config = ConsumerConfig(
            deliver_policy=DeliverPolicy.LAST_PER_SUBJECT,
            ack_policy=AckPolicy.NONE,
            filter_subject=ALL_REVOCATIONS,
            inactive_threshold=2 * timeout_secs,
            mem_storage=True,
        )
        info = await js.add_consumer(STREAM, config)
        subscription = await js.pull_subscribe_bind(consumer=info.name, stream=STREAM)
        try:
            left = info.num_pending or 0
            while left > 0:
                for message in await subscription.fetch(min(left, _BATCH), timeout=timeout_secs):
                    self._take(message)
                    left -= 1
        finally:
            await subscription.unsubscribe()
        await js.delete_consumer(STREAM, info.name)
