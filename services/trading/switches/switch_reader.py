"""Reads the kill switches every second, and at once after a change by this or another process."""

import asyncio
from typing import Final

import pymongo
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from pymongo.errors import PyMongoError

from services.trading import metrics
from services.trading.risk.switch_board import MAX_AGE_SECS, SwitchBoard
from services.trading.switches.switch_store import SwitchStore
from shared.bus.connection import Bus
from shared.contracts.subjects import SWITCHES_CHANGED
from shared.contracts.trading_admin import Switch
from shared.contracts.trading_replies import ActiveSwitch, SwitchScope, SwitchSetter
from shared.runtime.clock import Clock
from shared.runtime.logs import get_logger

log = get_logger(__name__)

_INTERVAL_SECS: Final = 1.0
_RETRY_SECS: Final = 0.2
"""After a read that failed."""
_TIMEOUT_SECS: Final = 2.0


class SwitchReader:
    """Keeps a board current while `run` is running."""

    def __init__(self, store: SwitchStore, bus: Bus, board: SwitchBoard, clock: Clock) -> None:
        self._store = store
        self._bus = bus
        self._board = board
        self._clock = clock
        self._has_changed = asyncio.Event()
        self._was_read = asyncio.Event()
        """Of the next read."""
        self._is_failing = False

    async def read(self) -> None:
        """Read once. Raises PyMongoError."""
        asked_at_secs = self._clock.monotonic()
        with pymongo.timeout(_TIMEOUT_SECS):
            switches = await self._store.active()
        self._board.update([_active(switch) for switch in switches], asked_at_secs)
        self._was_read.set()
        self._was_read = asyncio.Event()
        for scope in (SwitchScope.GLOBAL, SwitchScope.INSTRUMENT):
            metrics.SWITCHES.labels(scope.value).set(self._board.count(scope))
        metrics.SWITCHES_READ_TIMESTAMP.set(self._clock.now_ms() / 1_000)

    async def wait_current(self) -> None:
        """If the last read is too old, wait for the next one, at most two seconds.

        After an outage of the database, or of this process, a first order is not refused for that.
        """
        if self._board.is_current(self._clock.monotonic()):
            return
        self._has_changed.set()
        try:
            async with asyncio.timeout(_TIMEOUT_SECS):
                await self._was_read.wait()
        except TimeoutError:
            return  # the check of the order refuses it

    async def run(self) -> None:
        """Read until cancelled. While the database does not answer, the board grows old."""
        subscription = await self._bus.client.subscribe(SWITCHES_CHANGED, cb=self._on_changed)
        try:
            while True:
                self._has_changed.clear()
                await self._try_to_read()
                try:
                    async with asyncio.timeout(_RETRY_SECS if self._is_failing else _INTERVAL_SECS):
                        await self._has_changed.wait()
                except TimeoutError:
                    continue
        finally:
            try:
                await subscription.unsubscribe()
            except (NatsError, OSError) as error:
                log.debug("subscription left to end with the connection", error=repr(error))

    async def _on_changed(self, _: Msg) -> None:
        self._has_changed.set()

    async def _try_to_read(self) -> None:
        try:
            await self.read()
        except PyMongoError as error:
            if not self._is_failing:
                log.warning(
                    "kill switches cannot be read; new orders are refused soon",
                    after_secs=MAX_AGE_SECS, error=str(error),
                )  # fmt: skip
            self._is_failing = True
            return
        if self._is_failing:
            log.info("kill switches are read again")
        self._is_failing = False


def _active(switch: Switch) -> ActiveSwitch:
    return ActiveSwitch(
        scope=switch.scope,
        set_by=SwitchSetter.ADMINISTRATOR,
        at=switch.at,
        reason=switch.reason,
        key=switch.key,
    )
