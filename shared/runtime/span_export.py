"""Sends finished spans to a collector by OTLP over HTTP, in the background and in batches.

No request waits for it: a span that finds the queue full is lost, and counted.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from importlib import import_module
from typing import Final

import aiohttp
from google.protobuf.message import DecodeError
from prometheus_client import Counter

from shared.runtime.backoff import Backoff
from shared.runtime.build_info import installed_version
from shared.runtime.logs import get_logger
from shared.runtime.settings import OtlpSettings
from shared.runtime.tasks import stop
from shared.runtime.tracing import Span, export_to

log = get_logger(__name__)

MAX_QUEUED: Final = 2_048
PATH: Final = "/v1/traces"
_MESSAGES: Final = "shared.runtime.otlp_messages"

_MAX_BATCH: Final = 128  # encoding it occupies the event loop for about a millisecond
_COLLECT_SECS: Final = 1.0
_FLUSH_SECS: Final = 2.0
_MAX_ANSWER_BYTES: Final = 65_536
_HEADERS: Final = {"Content-Type": "application/x-protobuf"}
_RETRYABLE: Final = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)  # fmt: skip

EXPORTED_SPANS: Final = Counter("tradedad_exported_spans_total", "Spans that the collector took.")
LOST_SPANS: Final = Counter(
    "tradedad_lost_spans_total",
    "Spans that the collector did not get, by reason: queue_full, refused, not_encoded or shutdown.",
    ["reason"],
)


class _NotDelivered(Exception):
    """The collector did not take a batch, and may take it later."""


class SpanExport:
    """The queue of one process; `run` sends what `take` was given."""

    def __init__(
        self, http: aiohttp.ClientSession, settings: OtlpSettings, service: str, version: str
    ) -> None:
        self._http = http
        self._url = settings.endpoint + PATH
        self._timeout = aiohttp.ClientTimeout(total=settings.timeout_secs)
        self._resource = {
            "service.name": f"tradedad-{service}",
            "service.version": version,
            "service.instance.id": socket.gethostname(),
        }
        self._queue: asyncio.Queue[Span] = asyncio.Queue(MAX_QUEUED)
        self._batch: list[Span] = []
        self._is_failing = False

    def take(self, span: Span) -> None:
        """Queue a finished span."""
        try:
            self._queue.put_nowait(span)
        except asyncio.QueueFull:
            LOST_SPANS.labels("queue_full").inc()

    async def run(self) -> None:
        """Send until cancelled; a batch that was not taken is sent again after a pause."""
        backoff = Backoff(base_secs=1.0, cap_secs=30.0)
        while True:
            if not self._batch:
                self._batch.append(await self._queue.get())
                await asyncio.sleep(_COLLECT_SECS)
                self._fill()
            try:
                await self._send()
            except _NotDelivered:
                await asyncio.sleep(backoff.next_secs())
            else:
                backoff.reset()

    async def flush(self, within_secs: float) -> None:
        """Send what is queued once more, without repetitions; count what is left as lost."""
        try:
            async with asyncio.timeout(within_secs):
                while self._batch or not self._queue.empty():
                    self._fill()
                    await self._send()
        except (_NotDelivered, TimeoutError) as error:
            left = len(self._batch) + self._queue.qsize()
            LOST_SPANS.labels("shutdown").inc(left)
            log.info("spans are lost at the end", spans=left, cause=str(error) or "too slow")

    def _fill(self) -> None:
        while len(self._batch) < _MAX_BATCH and not self._queue.empty():
            self._batch.append(self._queue.get_nowait())

    async def _send(self) -> None:
        """Send the batch. It stays if it may be taken later; _NotDelivered is raised then."""
        # Only processes that export need protobuf; `exporting_spans` has loaded it.
        from shared.runtime.otlp_messages import encode

        try:
            body = encode(self._batch, self._resource)
        except Exception:
            log.exception("spans cannot be encoded", spans=len(self._batch))
            self._lose("not_encoded")
            return
        try:
            async with self._http.post(
                self._url, data=body, headers=_HEADERS, timeout=self._timeout, allow_redirects=False
            ) as answer:
                text = await answer.content.read(_MAX_ANSWER_BYTES)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self._report(str(error) or f"no answer within {self._timeout.total:g} s")
            raise _NotDelivered(repr(error)) from None
        if answer.status in _RETRYABLE:
            self._report(f"status {answer.status}")
            raise _NotDelivered(f"status {answer.status}")
        if answer.status != HTTPStatus.OK:
            self._report(f"status {answer.status}")
            self._lose("refused")
            return
        self._count(text)

    def _count(self, answer: bytes) -> None:
        """Count the spans of a batch that the collector has accepted, or a part of it."""
        from shared.runtime.otlp_messages import rejected_spans

        try:
            rejected, cause = rejected_spans(answer)
        except DecodeError:
            rejected, cause = 0, ""  # the status says that all were taken
        rejected = max(0, min(rejected, len(self._batch)))
        if rejected:
            LOST_SPANS.labels("refused").inc(rejected)
            self._report(f"{rejected} of {len(self._batch)} spans rejected: {cause[:200]}")
        elif self._is_failing:
            self._is_failing = False
            log.info("spans are exported again", endpoint=self._url)
        EXPORTED_SPANS.inc(len(self._batch) - rejected)
        self._batch.clear()

    def _lose(self, reason: str) -> None:
        LOST_SPANS.labels(reason).inc(len(self._batch))
        self._batch.clear()

    def _report(self, cause: str) -> None:
        """Log the first failure after a success."""
        if not self._is_failing:
            self._is_failing = True
            log.warning("spans cannot be exported", endpoint=self._url, cause=cause)


def _prepare() -> str:
    """Load what an export needs, and return the version of Trade Dad. Blocks."""
    import_module(_MESSAGES)
    return installed_version()


@asynccontextmanager
async def exporting_spans(
    settings: OtlpSettings, service: str, *, shutdown_secs: float
) -> AsyncIterator[None]:
    """Export the spans of this process during the block, if there is an endpoint.

    The end takes at most two seconds, and at most a quarter of `shutdown_secs`.
    """
    if not settings.endpoint:
        yield
        return
    version = await asyncio.to_thread(_prepare)
    async with aiohttp.ClientSession() as http:
        export = SpanExport(http, settings, service, version)
        sending = asyncio.create_task(export.run(), name="span-export")
        export_to(export.take, settings.sample_ratio)
        try:
            yield
        finally:
            export_to(None)
            await stop([sending])
            await export.flush(min(_FLUSH_SECS, shutdown_secs / 4))
