"""Calls the trading service over NATS, with a bound on the calls in flight to each partition."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from nats.aio.msg import Msg

from services.gateway.http.token_bucket import KeyedCounter
from services.gateway.rest.trading.command_key import HEADER
from shared.bus.connection import Bus
from shared.bus.requests import exchange, reply_body
from shared.contracts.trading import (
    AccountCommand,
    AccountQuery,
    CancelRequest,
    EventsQuery,
    ExitRequest,
    ModifyRequest,
    Operation,
    OrderQuery,
    OrderRequest,
    OrdersQuery,
    PreviewChangesRequest,
    SetKillSwitchRequest,
    partition_of,
    trading_subject,
)
from shared.errors import Overloaded, RequestError, TimedOut, Unavailable
from shared.runtime.clock import Clock

Query = (
    AccountQuery | EventsQuery | OrderQuery | OrdersQuery | OrderRequest | PreviewChangesRequest
)  # fmt: skip
Command = (
    AccountCommand | CancelRequest | ExitRequest | ModifyRequest | OrderRequest
    | SetKillSwitchRequest
)  # fmt: skip

# REST inputs that have another name than the field of the bus request.
_REST_NAMES: Final = {"command_key": HEADER}
_UNKNOWN: Final = f"the outcome is not known: repeat the request with the same {HEADER}"


class TradingClient:
    """Sends each request to the partition of its user, one of `partitions`.

    At most `max_concurrent` calls to a partition are in flight; one more is refused at once. So a
    partition that does not answer delays no user of another one.
    """

    def __init__(
        self, bus: Bus, clock: Clock, *, partitions: int, timeout_secs: float, max_concurrent: int
    ) -> None:
        self._bus = bus
        self._clock = clock
        self._partitions = partitions
        self._timeout_secs = timeout_secs
        self._in_flight = KeyedCounter(max_concurrent)

    async def query(self, operation: Operation, request: Query) -> bytes:
        """The response as JSON, undecoded; nothing is changed.

        Raises the RequestError of the trading service with REST's field names; Unavailable or
        TimedOut if it does not answer; Overloaded if too many calls are in flight.
        """
        with self._admitted(operation, request) as subject:
            return reply_body(subject, await self._send(subject, request))

    async def command(self, operation: Operation, request: Command) -> bytes:
        """The response as JSON, undecoded. Raises as `query`.

        Without an answer, the command may have been executed. The error says how to find out.
        """
        with self._admitted(operation, request) as subject:
            try:
                answer = await self._send(subject, request)
            except TimedOut as error:
                raise TimedOut(f"{error.detail}; {_UNKNOWN}") from None
            except Unavailable as error:
                raise Unavailable(f"{error.detail}; {_UNKNOWN}") from None
            return reply_body(subject, answer)

    async def _send(self, subject: str, request: Query | Command) -> Msg:
        return await exchange(
            self._bus, self._clock, subject, request, timeout_secs=self._timeout_secs
        )

    @contextmanager
    def _admitted(self, operation: Operation, request: Query | Command) -> Iterator[str]:
        """The subject of a request that is in flight during the block.

        Errors that leave the block have REST's field names.
        """
        partition = partition_of(request.user_id, self._partitions)
        if not self._in_flight.acquire(partition):
            raise Overloaded("too many requests wait for the trading service; try again")
        try:
            yield trading_subject(partition, operation)
        except RequestError as error:
            if error.field in _REST_NAMES:
                error.field = _REST_NAMES[error.field]
            raise
        finally:
            self._in_flight.release(partition)
