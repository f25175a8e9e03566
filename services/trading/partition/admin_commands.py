"""Commands of administrators on one user: kill switch and loss lock.

They have a queue of their own, so that a flood of orders does not delay a brake.
"""

import asyncio
import uuid
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final

import msgspec

from services.trading import metrics
from services.trading.journal.entry import KillSwitchSet, LossLockLifted
from services.trading.journal.record import CommandRecord, Record
from services.trading.partition.acceptance import Acceptance
from services.trading.partition.ledger import Ledger
from services.trading.store.journal import Journal
from shared.bus.connection import Bus
from shared.bus.responder import Handler, Responder
from shared.contracts.trading_admin import (
    LiftLossLockRequest,
    SetUserSwitchRequest,
    UserAdminOperation,
    user_admin_subject,
)
from shared.contracts.trading_replies import Limits
from shared.errors import Forbidden, NotFound
from shared.runtime.logs import get_logger

log = get_logger(__name__)

_MAX_CONCURRENT: Final = 4
_MAX_QUEUED: Final = 64
_KEY_PREFIX: Final = "admin/"
"""No Idempotency-Key of a user begins with it."""


class AdminCommands:
    """The commands of one term. They set absolute states, so a repetition does no harm."""

    def __init__(self, ledger: Ledger, journal: Journal, acceptance: Acceptance) -> None:
        self._ledger = ledger
        self._journal = journal
        self._acceptance = acceptance

    async def serve(self, bus: Bus, partition: int, is_current: asyncio.Event) -> None:
        """Answer requests until cancelled, once `is_current` is set."""
        await is_current.wait()
        handlers: dict[UserAdminOperation, Handler[Any]] = {
            UserAdminOperation.SET_USER_SWITCH: Handler(SetUserSwitchRequest, self.set_switch),
            UserAdminOperation.LIFT_LOSS_LOCK: Handler(LiftLossLockRequest, self.lift_loss_lock),
        }
        await Responder(
            bus,
            self._acceptance.clock,
            {user_admin_subject(partition, name): each for name, each in handlers.items()},
            queue_group=f"trading-{partition}",
            max_concurrent=_MAX_CONCURRENT,
            max_queued=_MAX_QUEUED,
        ).run()

    async def set_switch(self, request: SetUserSwitchRequest) -> Limits:
        """Set or lift the administrators' switch of the user; the user's own stays as it is."""
        self._acceptance.check()
        body = KillSwitchSet(
            is_on=request.is_on, at_ms=self._ledger.broker.time_ms, by=request.by,
            reason=request.reason,
        )  # fmt: skip
        records = [self._ledger.record(request.user_id, body)]
        return await self._stored(UserAdminOperation.SET_USER_SWITCH, request, records)

    async def lift_loss_lock(self, request: LiftLossLockRequest) -> Limits:
        """Lift the loss lock; the limit is then counted from the loss at this time.

        Raises NotFound if the lock is off, Forbidden if it was lifted on this day before.
        """
        self._acceptance.check()
        account = self._ledger.account(request.user_id)
        if not self._ledger.limits(account).loss_lock:
            raise NotFound("the loss lock of this user is not on")
        if account.lifted_loss is not None:
            raise Forbidden("the loss lock of this user was lifted on this trading day already")
        records = self._ledger.lock_after_loss(account)
        broker = self._ledger.broker
        loss = max(account.loss(broker.ltp), Decimal(0))
        body = LossLockLifted(at_ms=broker.time_ms, loss=loss, by=request.by, reason=request.reason)
        records.append(self._ledger.record(request.user_id, body))
        return await self._stored(UserAdminOperation.LIFT_LOSS_LOCK, request, records)

    async def _stored(
        self,
        operation: UserAdminOperation,
        request: SetUserSwitchRequest | LiftLossLockRequest,
        records: list[Record],
    ) -> Limits:
        """The user's limits, once the change and its audit are stored."""
        limits = self._ledger.limits(self._ledger.account(request.user_id))
        body = msgspec.json.encode(request)
        command = CommandRecord(
            user_id=request.user_id, key=f"{_KEY_PREFIX}{uuid.uuid4().hex}", operation=operation,
            digest=blake2b(body, digest_size=16).digest(), request=body,
            answer=msgspec.json.encode(limits),
        )  # fmt: skip
        # A caller that stops waiting does not stop the command.
        await asyncio.shield(self._journal.append(records, command))
        metrics.COMMANDS.labels(operation.value, "ok").inc()
        log.warning(
            "limits changed by an administrator", operation=operation.value, user=request.user_id,
            by=request.by, reason=request.reason,
        )  # fmt: skip
        return limits
