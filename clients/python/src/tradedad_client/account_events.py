"""Follows the user's events without a gap: live ones of the stream, missed ones by REST."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Final, NoReturn, Self

import msgspec

from tradedad_client.backoff import Backoff
from tradedad_client.errors import EventsMissing, NotUnderstood, Unavailable, Unreachable
from tradedad_client.messages import Gap, OrderEvent
from tradedad_client.subscription import Subscription
from tradedad_client.trading_messages import AccountEvent, Events

log = logging.getLogger("tradedad_client")

ReadPage = Callable[[int], Awaitable[Events]]
"""Reads a page of events after a sequence number."""

_MAX_SEQ: Final = 2**53 - 1
"""No event comes after this one, so the page after it has `last_seq` only."""
_MAX_EMPTY_PAGES: Final = 5


class AccountEvents:
    """Each event of the user once, in order of `seq`: an async iterator.

    It subscribes to the channel first, then reads all events after `last_seq`. It reads them
    again after a reconnect and when a `seq` is skipped. While Trade Dad does not answer, the
    iteration waits. It ends as a subscription does, or with EventsMissing.
    """

    def __init__(
        self,
        subscription: Subscription[OrderEvent | Gap],
        read_page: ReadPage,
        after: int | None,
        backoff: Backoff | None = None,
    ) -> None:
        self._subscription = subscription
        self._read_page = read_page
        self._backoff = backoff or Backoff()
        self._read_events: deque[AccountEvent] = deque()
        self._is_subscribed = False
        self._is_behind = True
        self._empty_pages = 0
        self._newest_seq = 0
        """Number of the newest event that came live."""
        self.last_seq = after
        """Number of the last event that the program received: follow after it to go on. None
        until it is known which event is the newest, if the iteration begins after that one."""

    def __aiter__(self) -> Self:
        return self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Unsubscribe; events that were received can still be read, then the iteration ends."""
        self._subscription.close()

    async def __anext__(self) -> AccountEvent:
        await self.ready()
        while True:
            if self._read_events:
                return self._next(self._read_events.popleft())
            if self._is_behind:
                if self._subscription.is_closed:
                    await self._end()
                await self._read()
                continue
            message = await anext(self._subscription)
            if isinstance(message, Gap):
                self._is_behind = True
                continue
            event = _decoded(message)
            last_seq = self.last_seq or 0
            if event.seq == last_seq + 1:
                return self._next(event)
            if event.seq > last_seq:
                self._newest_seq = event.seq
                self._is_behind = True

    async def ready(self) -> None:
        """Wait until no later event can be missed; raises as `Subscription.ready`."""
        if not self._is_subscribed:
            await self._subscription.ready()
            self._is_subscribed = True
        while self.last_seq is None and not self._subscription.is_closed:
            await self._read()

    def _next(self, event: AccountEvent) -> AccountEvent:
        self.last_seq = event.seq
        return event

    async def _end(self) -> NoReturn:
        """Raise what ends the subscription; its messages cannot be joined to the events."""
        async for _ in self._subscription:
            pass
        raise StopAsyncIteration

    async def _read(self) -> None:
        """Read the next page of events, or pause if that is not possible now."""
        try:
            page = await self._read_page(_MAX_SEQ if self.last_seq is None else self.last_seq)
        except (Unavailable, Unreachable) as error:
            retry_after_secs = error.retry_after_secs if isinstance(error, Unavailable) else None
            await self._pause(str(error), retry_after_secs)
            return
        if self.last_seq is None:
            self.last_seq = page.last_seq
        _check_order(page, self.last_seq)
        newest_seq = max(page.last_seq, self._newest_seq)
        read_seq = page.events[-1].seq if page.events else self.last_seq
        self._read_events.extend(page.events)
        self._is_behind = read_seq < newest_seq
        if page.events or not self._is_behind:
            self._empty_pages = 0
            self._backoff.reset()
            return
        # An event is counted just before it can be read.
        self._empty_pages += 1
        detail = f"event {newest_seq} exists, but none after {self.last_seq} can be read"
        if self._empty_pages > _MAX_EMPTY_PAGES:
            raise EventsMissing(detail, after=self.last_seq)
        await self._pause(detail)

    async def _pause(self, reason: str, retry_after_secs: float | None = None) -> None:
        pause_secs = self._backoff.next_secs(retry_after_secs)
        log.info("events cannot be read: %s; trying again in %.1f s", reason, pause_secs)
        await asyncio.sleep(pause_secs)


def _check_order(page: Events, after: int) -> None:
    """Raise EventsMissing unless the page has the events from `after` on, one by one."""
    if page.last_seq < after:
        detail = f"the newest event is {page.last_seq}, so there was none with {after}"
        raise EventsMissing(detail, after=after)
    for expected, event in enumerate(page.events, after + 1):
        if event.seq != expected:
            detail = f"event {expected} is not stored any more; the next one is {event.seq}"
            raise EventsMissing(detail, after=after)


def _decoded(message: OrderEvent) -> AccountEvent:
    try:
        return msgspec.convert(message.data, AccountEvent)
    except msgspec.ValidationError as error:
        raise NotUnderstood(f"the gateway sent an invalid order event: {error}") from None
