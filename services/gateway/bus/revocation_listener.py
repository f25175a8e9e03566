"""Keeps the revocations that the gateway checks, and ends the streams that they concern."""

import asyncio
import hashlib
from typing import Final

from nats.aio.msg import Msg

from services.gateway import metrics
from services.gateway.stream.registry import StreamRegistry
from shared.bus.connection import Bus
from shared.bus.stream_reader import StreamReader
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
from shared.errors import StreamNotFound, StreamUnavailable
from shared.runtime.clock import Clock
from shared.runtime.health import Readiness
from shared.runtime.limited_log import LimitedLog
from shared.runtime.logs import get_logger

log = get_logger(__name__)

DEPENDENCY: Final = "revocations"
# A message on the bus can be lost, so the bucket is also read at this interval, and at once when
# messages may have been lost.
_READ_INTERVAL_SECS: Final = 10.0
_RETRY_SECS: Final = 0.5


class RevocationListener:
    """A component: receives revocations as auth publishes them, and reads those in the bucket."""

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
        self._log = LimitedLog(log, clock)
        self._again = asyncio.Event()
        readiness.down(DEPENDENCY, "not read yet")

    def read_again(self) -> None:
        """Read the bucket now: revocations may have been lost on the bus."""
        self._readiness.down(DEPENDENCY, "messages may have been lost")
        self._again.set()

    async def run(self) -> None:
        """Listen until cancelled."""
        subscription = await self._bus.client.subscribe(ALL_REVOCATIONS, cb=self._on_message)
        try:
            while True:
                self._again.clear()
                is_read = await self._read()
                self._known.remove_expired(self._clock.now_ms() // 1_000)
                try:
                    async with asyncio.timeout(_READ_INTERVAL_SECS if is_read else _RETRY_SECS):
                        await self._again.wait()
                except TimeoutError:
                    continue
        finally:
            if not self._bus.client.is_closed:
                await subscription.unsubscribe()

    async def _on_message(self, message: Msg) -> None:
        self._take(message.subject, message.data)

    def _take(self, subject: str, data: bytes) -> None:
        if not data:
            return  # the deletion of a key; a revocation ends only by its expiry
        try:
            revocation = decode(subject, data)
        except ValueError as error:
            metrics.MALFORMED_MESSAGES.labels("revocation").inc()
            log.warning("malformed revocation", subject=subject, error=str(error))
            return
        is_new = self._known.add(revocation)
        concerned = self._end_streams(revocation)
        if is_new:
            self._log.info("revocation applied", streams=concerned, **_described(revocation))

    def _end_streams(self, revocation: Revocation) -> int:
        """End the streams of a revocation; returns the number of streams of the session or user."""
        match revocation:
            case SessionRevoked(session_id=session_id):
                streams, issued_before = self._streams.of_session(session_id), None
            case UserRevoked(user_id=user_id, before=before):
                streams, issued_before = self._streams.of_user(user_id), before
        for stream in streams:
            stream.revoke(issued_before)
        return len(streams)

    async def _read(self) -> bool:
        """Read the whole bucket; returns False if that failed."""
        try:
            await self._read_bucket()
        except StreamNotFound:
            log.debug("no bucket of revocations yet, so nothing is revoked")
        except StreamUnavailable as error:
            self._readiness.down(DEPENDENCY, f"cannot be read: {error}")
            return False
        self._known.are_read = True
        if not self._again.is_set():
            self._readiness.up(DEPENDENCY)
        return True

    async def _read_bucket(self) -> None:
        reader = StreamReader(
            self._bus,
            STREAM,
            AUTH_JETSTREAM_API,
            start=None,
            subject=ALL_REVOCATIONS,
            retry=False,
        )
        async with reader:
            async for entries in reader.backlog():
                for entry in entries:
                    self._take(entry.subject, entry.data)


def _described(revocation: Revocation) -> dict[str, str]:
    """The log fields of a revocation. A session id is hashed, as in the audit log of auth."""
    match revocation:
        case SessionRevoked(session_id=session_id):
            return {"session": hashlib.sha256(session_id.encode()).hexdigest()[:32]}
        case UserRevoked(user_id=user_id):
            return {"user": user_id}
