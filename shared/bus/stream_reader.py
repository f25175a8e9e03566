"""Reads a stream in order, from any position, through every reconnect.

A pull consumer without acknowledgements: the reader asks for as much as it can hold,
so its memory is bounded and a slow reader slows nobody down. The reader itself keeps
the position; the server's consumer is thrown away and made again whenever it is lost.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Self, TypeVar

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from shared.bus.connection import Bus
from shared.contracts.subjects import TICKS_STREAM
from shared.errors import StreamUnavailable
from shared.runtime.backoff import Backoff
from shared.runtime.logs import get_logger

log = get_logger(__name__)

_EXPIRES_SECS: Final = 2.0
_SILENCE_SECS: Final = 2 * _EXPIRES_SECS
_INACTIVE_SECS: Final = 30.0
_NS: Final = 1_000_000_000
_MOST_ATTEMPTS: Final = 8

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Entry:
    """One message of the stream."""

    position: int
    """Its place in the stream; rises by one from message to message, but for retention."""
    subject: str
    data: bytes


class StreamReader:
    """Reads entries in batches; use as an async context manager.

    `js_api` is where the stream's JetStream answers this user. `start` is the first
    position wanted; None means the newest entry of each subject.
    """

    def __init__(
        self,
        bus: Bus,
        stream: str,
        js_api: str,
        *,
        start: int | None,
        subject: str = ">",
        batch_size: int = 1_000,
    ) -> None:
        self._bus = bus
        self._js = bus.js if js_api == bus.js_api else bus.jetstream(js_api)
        self._js_api = js_api
        self._stream = stream
        self._next = start
        self._subject = subject
        self._batch_size = batch_size
        self._received: list[Entry] = []
        self._arrived = asyncio.Event()
        self._subscription: Subscription | None = None
        self._consumer: str | None = None
        self._generation = 0
        self._outstanding = 0
        self.behind = 0
        """Entries that the stream held beyond the last one received."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._discard()

    async def open(self) -> int:
        """Begin; how many entries the stream holds for us now. Waits and raises as `batch`."""
        return await self._persist(self._open)

    async def batch(self) -> list[Entry]:
        """The next entries; none if nothing came for some seconds.

        Waits out a lost connection or server, with a backoff. Raises StreamUnavailable
        only if a server that answers has not let us read for several attempts.
        """
        return await self._persist(self._receive)

    async def _persist(self, call: Callable[[], Awaitable[T]]) -> T:
        backoff = Backoff()
        while True:
            try:
                return await call()
            except (NatsError, TimeoutError, OSError) as error:
                log.debug("stream interrupted", stream=self._stream, error=repr(error))
                await self._discard()
                if backoff.attempt >= _MOST_ATTEMPTS and self._bus.is_connected:
                    raise StreamUnavailable(repr(error)) from error
                await asyncio.sleep(backoff.next_secs())

    async def _open(self) -> int:
        if self._next is None:
            config = ConsumerConfig(deliver_policy=DeliverPolicy.LAST_PER_SUBJECT)
        else:
            config = ConsumerConfig(
                deliver_policy=DeliverPolicy.BY_START_SEQUENCE, opt_start_seq=max(1, self._next)
            )
        config.ack_policy = AckPolicy.NONE
        config.filter_subject = self._subject
        config.inactive_threshold = _INACTIVE_SECS
        config.mem_storage = True
        info = await self._js.add_consumer(self._stream, config)
        self._consumer = info.name
        inbox = self._bus.client.new_inbox()
        self._subscription = await self._bus.client.subscribe(inbox, cb=self._receiver())
        return info.num_pending or 0

    def _receiver(self) -> Callable[[Msg], Awaitable[None]]:
        generation = self._generation

        async def on_message(message: Msg) -> None:
            if generation != self._generation:
                return
            if message.headers is not None and not message.data:
                self._outstanding = 0  # 404, 408 or 409: the request has ended
            else:
                self._outstanding -= 1
                position, self.behind = _place(message.reply)
                self._received.append(Entry(position, message.subject, message.data))
            self._arrived.set()

        return on_message

    async def _receive(self) -> list[Entry]:
        if self._consumer is None:
            await self._open()
        deadline = asyncio.get_running_loop().time() + _SILENCE_SECS
        while not self._received:
            if self._outstanding <= 0:
                await self._request()
            self._arrived.clear()
            async with asyncio.timeout_at(deadline):
                await self._arrived.wait()
            if not self._received and self._outstanding <= 0:
                return []
        entries, self._received = self._received, []
        if self._next is not None:
            self._next = entries[-1].position + 1
        return entries

    async def _request(self) -> None:
        if self._subscription is None or self._consumer is None:
            raise StreamUnavailable("not open")
        self._outstanding = self._batch_size
        body = f'{{"batch":{self._batch_size},"expires":{int(_EXPIRES_SECS * _NS)}}}'
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
        self._received.clear()
        try:
            if subscription is not None:
                await subscription.unsubscribe()
            if consumer is not None and self._bus.is_connected:
                await self._js.delete_consumer(self._stream, consumer)
        except (NatsError, TimeoutError, OSError) as error:
            log.debug("consumer left to expire", error=repr(error))


class TickReader(StreamReader):
    """Reads TICKS."""

    def __init__(
        self, bus: Bus, *, start: int | None, subject: str = ">", batch_size: int = 1_000
    ) -> None:
        super().__init__(
            bus, TICKS_STREAM, bus.js_api, start=start, subject=subject, batch_size=batch_size
        )


async def stream_identity(bus: Bus) -> str:
    """Tells this TICKS from one that was lost and made anew: the moment it was made.

    Raises nats.errors.Error if the server does not answer, or has no such stream.
    """
    info = await bus.js.stream_info(TICKS_STREAM)
    return "" if info.created is None else info.created.isoformat()


def _place(reply: str) -> tuple[int, int]:
    """Position, and how many entries are still to come after it, of
    ``$JS.ACK.<stream>.<consumer>.<delivered>.<position>.<order>.<time>.<pending>``.

    Servers may put a domain and an account before the stream, and more behind (ADR-15 of NATS).
    """
    fields = reply.split(".")
    place = 5 if len(fields) == 9 else 7
    return int(fields[place]), int(fields[place + 3])
