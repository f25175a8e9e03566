"""The trading side of the bus for requests of administrators: answers with fixed values."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec

from shared.bus.requests import send_request_encoded
from shared.bus.responder import Handler, Responder
from shared.contracts import trading_admin as contract
from shared.contracts.trading_admin import (
    AdminOperation,
    UserAdminOperation,
    admin_subject,
    user_admin_subject,
)
from shared.contracts.trading_replies import SwitchScope
from shared.errors import RequestError, Unavailable
from tests.support.builders import KEY, MONDAY_10_00
from tests.support.buses import bus_of
from tests.support.gateway.fake_trading import CLOCK, LIMITS
from tests.support.servers import NatsServer
from tests.support.services import running_components
from tests.support.waiting import eventually

SWITCH: Final = contract.Switch(
    scope=SwitchScope.INSTRUMENT, is_on=True, by="root", reason="halted", at=MONDAY_10_00, key=KEY
)
SWITCHES: Final = contract.Switches(switches=[SWITCH])


class FakeTradingAdmin:
    """The requests that it got; `error`, if set, is its answer to all further ones."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, Any]] = []
        """Subject and request."""
        self.error: RequestError | None = None

    def handlers(self, partitions: int) -> dict[str, Handler[Any]]:
        """A handler of each operation, by subject."""
        of_users = {
            user_admin_subject(partition, operation): request_type
            for partition in range(partitions)
            for operation, request_type in (
                (UserAdminOperation.SET_USER_SWITCH, contract.SetUserSwitchRequest),
                (UserAdminOperation.LIFT_LOSS_LOCK, contract.LiftLossLockRequest),
            )
        }
        of_all: dict[str, tuple[type[msgspec.Struct], msgspec.Struct]] = {
            admin_subject(AdminOperation.SET_SWITCH): (contract.SetSwitchRequest, SWITCH),
            admin_subject(AdminOperation.SWITCHES): (contract.SwitchesQuery, SWITCHES),
        }
        rows = {**{name: (kind, LIMITS) for name, kind in of_users.items()}, **of_all}
        return {
            subject: Handler(kind, self._handler(subject, answer))
            for subject, (kind, answer) in rows.items()
        }

    def _handler(
        self, subject: str, answer: msgspec.Struct
    ) -> Callable[[Any], Awaitable[msgspec.Struct]]:
        async def handle(request: Any) -> msgspec.Struct:
            self.requests.append((subject, request))
            if self.error is not None:
                raise self.error
            return answer

        return handle


@asynccontextmanager
async def answering_trading_admin(
    nats: NatsServer, *, partitions: int = 1
) -> AsyncIterator[FakeTradingAdmin]:
    """A trading service that answers administrators for all `partitions`."""
    fake = FakeTradingAdmin()
    async with bus_of(nats, "trading") as bus, bus_of(nats, "gateway") as gateway:
        responder = Responder(
            bus, CLOCK, fake.handlers(partitions),
            queue_group="trading-admin", max_concurrent=4, max_queued=64,
        )  # fmt: skip

        async def answers() -> bool:
            # The responder subscribes to this subject last.
            subject = admin_subject(AdminOperation.SWITCHES)
            query = contract.SwitchesQuery()
            try:
                await send_request_encoded(gateway, CLOCK, subject, query, timeout_secs=0.1)
            except Unavailable:
                return False
            return True

        async with running_components([responder]):
            await eventually(answers, what="trading answers administrators")
            fake.requests.clear()
            yield fake
