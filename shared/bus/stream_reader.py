"""Reads a JetStream stream in order, from any position, across reconnects.

The reader uses a pull consumer without acknowledgements and requests no more entries than it
can hold, so its memory is bounded and a slow reader slows down no other. The reader itself
keeps the position: when its consumer on the server is lost, it creates another one there.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Self, TypeVar

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from shared.bus.connection import Bus
from shared.errors import StreamNotFound, StreamPutBack, StreamUnavailable
from shared.runtime.backoff import Backoff
from shared.runtime.logs import get_logger

log = get_logger(__name__)

_EXPIRES_SECS: Final = 2.0
_SILENCE_SECS: Final = 2 * _EXPIRES_SECS
_INACTIVE_SECS: Final = 30.0
_NS_PER_SEC: Final = 1_000_000_000
_MAX_RETRIES: Final = 8
# nats-server ends a pull request by a message with this header: 404 and 408 when there are no
# more entries for now, 409 and 503 when the consumer is gone or cannot serve the request.
_STATUS_HEADER: Final = "Status"
_NO_MORE_ENTRIES: Final = frozenset({"404", "408"})

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Entry:
    """One message of the stream."""

    position: int
    """Stream sequence; rises by one per message, with gaps where messages were removed."""
    subject: str
    data: bytes
    stored_ns: int = 0
    """When the server stored it, epoch ns; with `position` it identifies an entry. 0 if not known."""


class StreamReader:
    """Reads entries in batches; use as an async context manager.

    `js_api` is the API prefix under which this user reaches the stream's JetStream. `start` is
    the position of the first entry to read; None starts with the last entry of each subject.
    `stored_ns` is that of the entry at `start` - 1, if it is known.

    The reader compares the entry before the one to read next with the one it has read there. If
    they differ, the stream has lost its end and was continued, and entries are missing.

    With `retry`, the reader waits without limit for a lost connection, and retries 8 times while
    connected before it raises StreamUnavailable. Without, it raises at the first failure.
    """

    def __init__(
        self,
        bus: Bus,
        stream: str,
        js_api: str,
        *,
        start: int | None,
        stored_ns: int = 0,
        subject: str = ">",
        batch_size: int = 1_000,
        retry: bool = True,
    ) -> None:
        self._bus = bus
        self._js = bus.js if js_api == bus.js_api else bus.jetstream(js_api)
        self._js_api = js_api
        self._stream = stream
        self._next = start
        self._stored_ns = stored_ns
        self._compares_next = False
        self._is_put_back = False
        self._subject = subject
        self._batch_size = batch_size
        self._retry = retry
        self._received: list[Entry] = []
        self._arrived = asyncio.Event()
        self._subscription: Subscription | None = None
        self._consumer: str | None = None
        self._generation = 0
        self._outstanding = 0
        self._failed_status: str | None = None
        self._is_cut = False
        """The server has taken an entry without content for the end of its response."""
        self._backlog = 0
        self.behind = 0
        """Number of entries that the stream held after the last one received."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._discard()

    async def open(self) -> int:
        """Create the consumer; returns how many entries it has to read now.

        Optional before `batch`. Raises StreamUnavailable, StreamNotFound, or StreamPutBack.
        """
        await self._persist(self._open)
        return self._backlog

    async def batch(self) -> list[Entry]:
        """The next entries; an empty list if none came for 2 seconds.

        Raises StreamUnavailable, StreamNotFound, or StreamPutBack.
        """
        return await self._persist(self._receive)

    async def backlog(self) -> AsyncIterator[list[Entry]]:
        """Open the reader and yield, in batches, the entries that the stream holds now.

        Ends after as many entries as there were at the start, or earlier if the stream has no
        more entries because some were removed. Raises StreamUnavailable, or StreamNotFound.
        """
        await self.open()
        while self._backlog > 0:
            entries = await self.batch()
            if not entries:
                return
            self._backlog -= len(entries)
            yield entries

    async def _persist(self, call: Callable[[], Awaitable[T]]) -> T:
        backoff = Backoff()
        while True:
            try:
                return await call()
            except (NatsError, TimeoutError, OSError) as error:
                log.debug("stream read failed", stream=self._stream, error=repr(error))
                await self._discard()
                is_last = backoff.attempt >= _MAX_RETRIES and self._bus.is_connected
                if is_last or not self._retry:
                    kind = StreamNotFound if isinstance(error, NotFoundError) else StreamUnavailable
                    raise kind(f"{self._stream}: {error!r}") from error
                await asyncio.sleep(backoff.next_secs())

    async def _open(self) -> None:
        self._compares_next = self._next is not None and self._next > 1 and self._stored_ns > 0
        if self._next is None:
            config = ConsumerConfig(deliver_policy=DeliverPolicy.LAST_PER_SUBJECT)
        else:
            config = ConsumerConfig(
                deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
                opt_start_seq=max(1, self._next - self._compares_next),
            )
        config.ack_policy = AckPolicy.NONE
        config.filter_subject = self._subject
        config.inactive_threshold = _INACTIVE_SECS
        config.mem_storage = True
        if self._next is not None:
            await self._check_position(self._next)
        info = await self._js.add_consumer(self._stream, config)
        self._consumer = info.name
        self._backlog = max(0, (info.num_pending or 0) - self._compares_next)
        inbox = self._bus.client.new_inbox()
        self._subscription = await self._bus.client.subscribe(inbox, cb=self._receiver())

    async def _check_position(self, position: int) -> None:
        """Raises StreamPutBack if the stream has never reached the position before this one."""
        last = (await self._js.stream_info(self._stream)).state.last_seq
        if position > last + 1:
            raise StreamPutBack(f"{self._stream} ends at {last}, and {position} is to be read")

    def _receiver(self) -> Callable[[Msg], Awaitable[None]]:
        generation = self._generation

        async def on_message(message: Msg) -> None:
            if generation != self._generation:
                return
            status = (message.headers or {}).get(_STATUS_HEADER)
            if status is not None:
                self._outstanding = 0
                self._failed_status = None if status in _NO_MORE_ENTRIES else status
            else:
                self._outstanding -= 1
                position, stored_ns, self.behind = _from_reply(message.reply)
                if not message.data and not message.headers:
                    # Between accounts nothing comes after it, and so it cannot be compared later.
                    self._is_cut, stored_ns = True, 0
                if not self._compares_next or not self._compare(position, stored_ns):
                    entry = Entry(position, message.subject, message.data, stored_ns)
                    self._received.append(entry)
            self._arrived.set()

        return on_message

    def _compare(self, position: int, stored_ns: int) -> bool:
        """Compare the first entry with the one that was read there; False if it is a later one."""
        self._compares_next = False
        if self._next is None or position != self._next - 1:
            return False  # the stream has removed the entry that was read
        self._is_put_back = stored_ns != self._stored_ns
        return True

    async def _receive(self) -> list[Entry]:
        if self._consumer is None:
            await self._open()
        deadline = asyncio.get_running_loop().time() + _SILENCE_SECS
        while not self._received and not self._is_put_back:
            if self._failed_status is not None:
                raise NatsError(f"pull request ended with status {self._failed_status}")
            if self._outstanding <= 0:
                await self._request()
            self._arrived.clear()
            async with asyncio.timeout_at(deadline):
                await self._arrived.wait()
            if not self._received and self._outstanding <= 0 and self._failed_status is None:
                break
        if self._is_put_back:
            raise StreamPutBack(f"{self._stream} has another entry before {self._next}")
        entries, self._received = self._received, []
        if entries and self._next is not None:
            self._next, self._stored_ns = entries[-1].position + 1, entries[-1].stored_ns
            if self._is_cut:
                await self._discard()
        return entries

    async def _request(self) -> None:
        if self._subscription is None or self._consumer is None:
            raise StreamUnavailable("the reader is not open")
        self._outstanding = self._batch_size
        body = f'{{"batch":{self._batch_size},"expires":{int(_EXPIRES_SECS * _NS_PER_SEC)}}}'
        await self._bus.client.publish(
            f"{self._js_api}.CONSUMER.MSG.NEXT.{self._stream}.{self._consumer}",
            body.encode(),
            reply=self._subscription.subject,
        )

    async def _discard(self) -> None:
        subscription, self._subscription = self._subscription, None
        consumer, self._consumer = self._consumer, None
        self._generation += 1
        self._outstanding = 0
        self._failed_status = None
        self._is_cut = False
        self._received.clear()
        try:
            if subscription is not None:
                await subscription.unsubscribe()
            if consumer is not None and self._bus.is_connected:
                await self._js.delete_consumer(self._stream, consumer)
        except (NatsError, TimeoutError, OSError) as error:
            log.debug("consumer left to expire", stream=self._stream, error=repr(error))


def _from_reply(reply: str) -> tuple[int, int, int]:
    """The entry's position, when it was stored (epoch ns), and how many entries come after it.

    All are in the reply subject,
    ``$JS.ACK.<stream>.<consumer>.<delivered>.<position>.<order>.<time>.<pending>``. Newer
    servers put a domain and an account before the stream, and a token at the end (NATS ADR-15).
    """
    fields = reply.split(".")
    at = 5 if len(fields) == 9 else 7
    return int(fields[at]), int(fields[at + 2]), int(fields[at + 3])
