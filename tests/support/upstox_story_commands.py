"""Sends the commands of a story: several copies at once, with a deadline, or while a service ends."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from shared.contracts.trading import CancelRequest, ModifyRequest, Operation, OrderRequest
from shared.contracts.trading_replies import OrderView
from shared.errors import (
    BrokerRefused,
    CommandInFlight,
    NotFound,
    OrderFinal,
    OrderRefused,
    Overloaded,
    RequestError,
    TimedOut,
    Unavailable,
)
from tests.support.patience import OUTAGE_SECS, PATIENCE_SECS
from tests.support.trading_client import TradingClient
from tests.support.upstox_stage import Stage
from tests.support.upstox_story_plan import CANCEL, MODIFY, PLACE, Sending
from tests.support.waiting import eventually

NOT_DONE: Final = (OrderRefused, BrokerRefused)
"""Answers which say that nothing was done."""
NOT_ANSWERED: Final = (Unavailable, TimedOut, Overloaded, CommandInFlight)
"""Answers after which a command is sent again, with the same key."""
_REFUSED: Final = (*NOT_DONE, OrderFinal, NotFound)
TRY_SECS: Final = OUTAGE_SECS
"""A command that a dead service has received is sent again after this time."""
_PLACE_SECS: Final = 2 * PATIENCE_SECS
"""Other stories end the service again and again meanwhile."""
_CHANGE_SECS: Final = 2 * OUTAGE_SECS
"""A command on an order is given up after this time, while the effect of another is not known."""
_PATHS: Final = {Operation.PLACE: PLACE, Operation.MODIFY: MODIFY, Operation.CANCEL: CANCEL}


class StoryCommands:
    """The commands of one user."""

    def __init__(self, stage: Stage, client: TradingClient, upstox_user: str) -> None:
        self._client = client
        self.tally: Counter[str] = Counter()
        """What has happened, so that a test can see that something has."""
        self._stage = stage
        self._upstox = stage.upstox
        self._upstox_user = upstox_user

    async def answers(
        self,
        operation: Operation,
        request: OrderRequest | ModifyRequest | CancelRequest,
        sending: Sending,
    ) -> list[OrderView | RequestError]:
        """What the copies of a command are answered; empty if that is not known."""

        what = f"{operation.value} is answered"

        async def once(timeout_secs: float) -> list[OrderView | RequestError]:
            call = self._client.call(operation, request, OrderView, timeout_secs=timeout_secs)
            try:
                return [await call]
            except _REFUSED as refusal:
                return [refusal]
            except NOT_ANSWERED:
                return []

        async def copies() -> list[OrderView | RequestError]:
            """Send all copies at once, then repeat one until it is answered; returns the answers."""
            at_once = [once(sending.deadline_secs or TRY_SECS) for _ in range(sending.copies)]
            told = [answer for found in await asyncio.gather(*at_once) for answer in found]
            if told or sending.deadline_secs is not None:
                return told
            is_place = operation is Operation.PLACE
            patience_secs = _PLACE_SECS if is_place else _CHANGE_SECS
            try:
                return await eventually(
                    lambda: once(TRY_SECS), what=what, timeout_secs=patience_secs
                )
            except AssertionError:
                if is_place:
                    raise
                return []

        async with asyncio.TaskGroup() as group:
            sent = group.create_task(copies())
            if sending.killing_fault is not None:
                await self._kill_service(sending.killing_fault | {"path": _PATHS[operation]}, sent)
        told = sent.result()
        self.tally[f"{operation.value} {_kind(told)}"] += 1
        return told

    async def _kill_service(self, fault: dict[str, Any], sent: "asyncio.Task[Any]") -> None:
        """End the service while a command waits for Upstox; not if it ends without being sent."""
        fault = fault | {"user_id": self._upstox_user}
        restarts = self._stage.restarts
        await self._upstox.post("faults", fault)

        async def is_waiting() -> bool:
            armed = await self._upstox.get("faults")
            return not any(each.items() >= fault.items() for each in armed)

        async def is_waiting_or_over() -> bool:
            return await is_waiting() or sent.done()

        await eventually(is_waiting_or_over, what="the command waits for Upstox")
        if await is_waiting():
            self.tally[f"killed within {fault['path']}"] += 1
            await self._stage.restart(restarts)


def _kind(answers: Sequence[OrderView | RequestError]) -> str:
    """What a command was answered, in a word."""
    if not answers:
        return "not answered"
    first = answers[0]
    if isinstance(first, OrderRefused):
        return f"refused by {first.members.get('rule')}"
    return first.state if isinstance(first, OrderView) else type(first).__name__
