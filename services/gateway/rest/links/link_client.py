"""Sends requests about links to the trading service over NATS, with bounds on those in flight."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from nats.aio.msg import Msg

from services.gateway.http.token_bucket import KeyedCounter
from shared.bus.connection import Bus
from shared.bus.requests import exchange, reply_body
from shared.contracts.trading import partition_of, trading_subject
from shared.contracts.upstox_links import (
    LinkBeginRequest,
    LinkFinishRequest,
    LinkHint,
    LinkOperation,
    LinkRequestRequest,
    LinkStatusRequest,
    UnlinkRequest,
)
from shared.errors import Overloaded, RequestError, Unavailable
from shared.runtime.clock import Clock
from shared.runtime.logs import get_logger

log = get_logger(__name__)

LinkRequest = (
    LinkBeginRequest | LinkFinishRequest | LinkRequestRequest | LinkStatusRequest | UnlinkRequest
)

# Bounds of their own, so that logins do not delay orders, and posts of anybody delay no login.
_MAX_REQUESTS: Final = 64
_MAX_HINTS: Final = 16
_CALLS_UPSTOX: Final = frozenset(
    (LinkOperation.LINK_FINISH, LinkOperation.LINK_REQUEST, LinkOperation.UNLINK)
)
_UNKNOWN: Final = "the trading service does not answer and the outcome is not known: look at the state of the link"


class LinkClient:
    """Sends each request to the partition of its user, one of `partitions`.

    `upstox_timeout_secs` is for requests that make the trading service call Upstox.
    """

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        *,
        partitions: int,
        timeout_secs: float,
        upstox_timeout_secs: float,
        hint_timeout_secs: float,
    ) -> None:
        self._bus = bus
        self._clock = clock
        self._partitions = partitions
        self._timeout_secs = timeout_secs
        self._upstox_timeout_secs = upstox_timeout_secs
        self._hint_timeout_secs = hint_timeout_secs
        self._requests = KeyedCounter(_MAX_REQUESTS)
        self._hints = KeyedCounter(_MAX_HINTS)

    async def call(self, operation: LinkOperation, request: LinkRequest) -> bytes:
        """The response as JSON, undecoded.

        Raises the RequestError of the trading service; Unavailable or TimedOut if it does not
        answer; Overloaded if too many requests are in flight.
        """
        calls_upstox = operation in _CALLS_UPSTOX
        timeout_secs = self._upstox_timeout_secs if calls_upstox else self._timeout_secs
        subject = self._subject(operation, request)
        try:
            answer = await self._send(self._requests, subject, request, timeout_secs)
        except Unavailable as error:
            if calls_upstox:
                raise type(error)(_UNKNOWN) from None
            raise
        return reply_body(subject, answer)

    async def hint(self, hint: LinkHint) -> bool:
        """Pass a hint on; whether the trading service has answered. Raises nothing.

        A hint that finds too many others in flight is dropped.
        """
        subject = self._subject(LinkOperation.LINK_HINT, hint)
        try:
            answer = await self._send(self._hints, subject, hint, self._hint_timeout_secs)
            reply_body(subject, answer)
        except RequestError as error:
            log.debug("hint of Upstox was not taken", user=hint.user_id, error=error.code.value)
            return False
        return True

    def _subject(self, operation: LinkOperation, request: LinkRequest | LinkHint) -> str:
        return trading_subject(partition_of(request.user_id, self._partitions), operation)

    async def _send(
        self,
        in_flight: KeyedCounter,
        subject: str,
        request: LinkRequest | LinkHint,
        timeout_secs: float,
    ) -> Msg:
        with _counted(in_flight, partition_of(request.user_id, self._partitions)):
            return await exchange(
                self._bus, self._clock, subject, request, timeout_secs=timeout_secs
            )


@contextmanager
def _counted(in_flight: KeyedCounter, partition: int) -> Iterator[None]:
    if not in_flight.acquire(partition):
        raise Overloaded("too many requests for links wait for the trading service; try again")
    try:
        yield
    finally:
        in_flight.release(partition)
