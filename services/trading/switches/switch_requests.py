"""Answers the requests of administrators that concern all users; every process of trading does."""

from typing import Any, Final

from nats.errors import Error as NatsError
from pymongo.errors import PyMongoError

from services.trading.switches.switch_store import SwitchStore
from shared.bus.connection import Bus
from shared.bus.refused_publishes import report_refused
from shared.bus.responder import Handler, Responder
from shared.contracts.subjects import SWITCHES_CHANGED, key_to_tokens
from shared.contracts.trading_admin import (
    AdminOperation,
    SetSwitchRequest,
    Switch,
    Switches,
    SwitchesQuery,
    admin_subject,
)
from shared.contracts.trading_replies import SwitchScope
from shared.errors import Unavailable
from shared.runtime.clock import Clock
from shared.runtime.logs import get_logger

log = get_logger(__name__)

_MAX_CONCURRENT: Final = 4
_MAX_QUEUED: Final = 64
_NO_ANSWER: Final = "the database does not answer; repeat the request"


class SwitchRequests:
    """A component: sets and lists the global kill switch and those of instruments."""

    def __init__(self, store: SwitchStore, bus: Bus, clock: Clock) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock

    async def run(self) -> None:
        """Serve until cancelled."""
        handlers: dict[str, Handler[Any]] = {
            admin_subject(AdminOperation.SET_SWITCH): Handler(SetSwitchRequest, self.set),
            admin_subject(AdminOperation.SWITCHES): Handler(SwitchesQuery, self.switches),
        }
        await Responder(
            self._bus,
            self._clock,
            handlers,
            queue_group="trading-admin",
            max_concurrent=_MAX_CONCURRENT,
            max_queued=_MAX_QUEUED,
        ).run()

    async def set(self, request: SetSwitchRequest) -> Switch:
        """Set or lift a switch, and tell all owners of partitions. Raises RequestError.

        The instrument is not looked up: the brake works without the persister.
        """
        if request.key is not None:
            key_to_tokens(request.key)
        switch = Switch(
            scope=SwitchScope.GLOBAL if request.key is None else SwitchScope.INSTRUMENT,
            is_on=request.is_on,
            by=request.by,
            reason=request.reason,
            at=self._clock.now_ms(),
            key=request.key,
        )
        try:
            await self._store.set(switch)
        except PyMongoError as error:
            log.warning("kill switch not set", error=str(error))
            raise Unavailable(_NO_ANSWER) from None
        log.warning(
            "kill switch set", scope=switch.scope.value, key=switch.key, is_on=switch.is_on,
            by=switch.by, reason=switch.reason,
        )  # fmt: skip
        try:
            await self._bus.client.publish(SWITCHES_CHANGED, b"")
        except (NatsError, OSError) as error:
            report_refused("kill switch", error)  # owners read it within a second
        return switch

    async def switches(self, _: SwitchesQuery) -> Switches:
        """The switches that are on. Raises Unavailable."""
        try:
            return Switches(switches=await self._store.active())
        except PyMongoError as error:
            log.warning("kill switches not read", error=str(error))
            raise Unavailable(_NO_ANSWER) from None
