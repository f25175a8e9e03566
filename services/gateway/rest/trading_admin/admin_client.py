"""Sends the requests of administrators to the trading service over NATS."""

from typing import Final

import msgspec

from services.gateway.http.token_bucket import KeyedCounter
from shared.bus.connection import Bus
from shared.bus.requests import exchange, reply_body
from shared.contracts.trading import partition_of
from shared.contracts.trading_admin import (
    AdminOperation,
    LiftLossLockRequest,
    SetSwitchRequest,
    SetUserSwitchRequest,
    SwitchesQuery,
    UserAdminOperation,
    admin_subject,
    user_admin_subject,
)
from shared.errors import Overloaded, TimedOut, Unavailable
from shared.runtime.clock import Clock

_MAX_CONCURRENT: Final = 16
_UNKNOWN: Final = "whether it was done is not known; repeat the request"


class AdminClient:
    """Requests have a bound of their own: users' orders in flight do not hold back a brake."""

    def __init__(self, bus: Bus, clock: Clock, *, partitions: int, timeout_secs: float) -> None:
        self._bus = bus
        self._clock = clock
        self._partitions = partitions
        self._timeout_secs = timeout_secs
        self._in_flight = KeyedCounter(_MAX_CONCURRENT)

    async def send(
        self, operation: AdminOperation, request: SetSwitchRequest | SwitchesQuery
    ) -> bytes:
        """The response as JSON, undecoded, of any process of trading.

        Raises the RequestError of the trading service; Unavailable or TimedOut if it does not
        answer; Overloaded if too many requests are in flight.
        """
        return await self._send(admin_subject(operation), request)

    async def send_for_user(
        self, operation: UserAdminOperation, request: SetUserSwitchRequest | LiftLossLockRequest
    ) -> bytes:
        """The response of the owner of the user's partition. Raises as `send`."""
        partition = partition_of(request.user_id, self._partitions)
        return await self._send(user_admin_subject(partition, operation), request)

    async def _send(self, subject: str, request: msgspec.Struct) -> bytes:
        if not self._in_flight.acquire(subject):
            raise Overloaded("too many requests wait for the trading service; try again")
        try:
            answer = await exchange(
                self._bus, self._clock, subject, request, timeout_secs=self._timeout_secs
            )
        except TimedOut as error:
            raise TimedOut(f"{error.detail}; {_UNKNOWN}") from None
        except Unavailable as error:
            raise Unavailable(f"{error.detail}; {_UNKNOWN}") from None
        finally:
            self._in_flight.release(subject)
        return reply_body(subject, answer)
