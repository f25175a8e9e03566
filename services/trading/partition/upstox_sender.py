"""Sends stored commands to Upstox, each once, and records the answers."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from time import perf_counter
from typing import Final, Literal

from services.trading import metrics
from services.trading.journal.record import Record
from services.trading.live.send_pace import SendPace
from services.trading.orders.order import Order
from services.trading.partition.acceptance import Acceptance
from services.trading.partition.ledger import Ledger
from services.trading.partition.upstox_account import UpstoxAccount
from services.trading.partition.upstox_orders import Changed
from services.trading.store.journal import Journal
from services.trading.upstox.answers import Answer, Lost, Refused, Taken
from services.trading.upstox.calls import SendCheck
from shared.errors import Overloaded, TimedOut, Unavailable
from shared.runtime.logs import get_logger

log = get_logger(__name__)

DEADLINE_PASSED: Final = "deadline_passed"
"""The code of a command that was not sent by the deadline of its request."""
LEASE_LAPSED: Final = "lease_lapsed"
"""The code of a command that was not sent before another process could own the partition."""


@dataclass(frozen=True, slots=True)
class Sending:
    """One command on one stored order."""

    command: Literal["place", "modify", "cancel"]
    user_id: str
    order_id: str
    call: Callable[[SendCheck], Awaitable[Answer]]
    record: Callable[[Order, Answer], Changed]


@dataclass(frozen=True, slots=True)
class Answered:
    """An order after the answer to its command."""

    order: Order
    answer: Answer


class UpstoxSender:
    """The sender of one term.

    `max_sending` bounds the commands that wait for an answer, `max_per_sec` those of a user that
    are sent in a second; further ones wait.
    """

    def __init__(
        self,
        ledger: Ledger,
        journal: Journal,
        acceptance: Acceptance,
        *,
        max_sending: int,
        max_per_sec: int,
    ) -> None:
        self._ledger = ledger
        self._journal = journal
        self._acceptance = acceptance
        self._max_sending = max_sending
        self._pace = SendPace(max_per_sec)
        self._sending = 0

    def check(self) -> None:
        """Raises Unavailable, TimedOut or Overloaded; asked right before a command is stored."""
        self._acceptance.check()
        if self._sending >= self._max_sending:
            raise Overloaded("too many commands wait for Upstox; try again")

    def check_many(self, user_id: str, count: int, *, pause_secs: float) -> None:
        """Raises Overloaded if so many commands, with a pause, do not fit before the deadline."""
        secs = self._acceptance.left_secs() - pause_secs
        if not self._pace.fits(user_id, self._acceptance.clock.monotonic(), count, secs):
            raise Overloaded(
                f"{count} commands cannot be sent to Upstox in time; cancel the orders first, or "
                "exit one position after another"
            )

    def left_secs(self) -> float:
        """The time until the deadline of the request; infinite without one."""
        return self._acceptance.left_secs()

    async def send(
        self, account: UpstoxAccount, sendings: Sequence[Sending]
    ) -> tuple[list[Record], list[Answered]]:
        """Send all at once; returns the records to append, and the orders after them.

        Raises Unavailable if another process may own the partition; nothing is recorded then, and
        the next owner takes the answers for lost.
        """
        answers = await asyncio.gather(*[self._answer(sending) for sending in sendings])
        while not self._journal.has_room:
            await self._journal.settle()
        account.forget_facts()
        if not all(isinstance(answer, Taken) for answer in answers):
            account.ask()
        records: list[Record] = []
        answered: list[Answered] = []
        for sending, answer in zip(sendings, answers, strict=True):
            order = self._ledger.account(sending.user_id).orders[sending.order_id]
            made, order = sending.record(order, answer)
            records += made
            answered.append(Answered(order, answer))
        if any(one.order.pending is not None for one in answered):
            account.ask()  # whether a command that was taken has an effect
        return records, answered

    async def send_and_store(self, account: UpstoxAccount, sendings: Sequence[Sending]) -> None:
        """Send all at once, and append the answers apart from those of the whole command."""
        records, _ = await self.send(account, sendings)
        if records:
            self._journal.append(records)

    def _check_of_request(self) -> SendCheck:
        """Checks lease and deadline in the thread that sends."""
        context = copy_context()  # has the deadline of the request

        def check() -> Refused | None:
            try:
                context.run(self._acceptance.check_deadline)
                self._acceptance.check_owner()
            except TimedOut as error:
                return Refused(DEADLINE_PASSED, error.detail)
            except Unavailable as error:
                return Refused(LEASE_LAPSED, error.detail)
            return None

        return check

    async def _answer(self, sending: Sending) -> Answer:
        clock, left_secs = self._acceptance.clock, self._acceptance.left_secs()
        wait_secs = self._pace.reserve(sending.user_id, clock.monotonic(), most_secs=left_secs)
        if wait_secs is None:
            return Refused(DEADLINE_PASSED, "too many commands in a second; nothing was sent")
        if wait_secs:
            await clock.sleep(wait_secs)
        try:
            self._acceptance.check_deadline()
        except TimedOut as error:
            return Refused(DEADLINE_PASSED, error.detail)
        self._acceptance.check_owner()
        started = perf_counter()
        self._sending += 1
        try:
            answer = await sending.call(self._check_of_request())
        except Exception as error:
            # Whatever failed, the command may have reached Upstox.
            log.exception("sending a command failed", order_id=sending.order_id)
            answer = Lost(type(error).__name__)
        finally:
            self._sending -= 1
        secs = perf_counter() - started
        result = type(answer).__name__.lower()
        metrics.ACKNOWLEDGEMENT_SECONDS.labels(sending.command, result).observe(secs)
        if not isinstance(answer, Taken):
            log.warning(
                "command not taken by Upstox",
                command=sending.command, order_id=sending.order_id, answer=result,
                detail=answer.detail,
            )  # fmt: skip
        return answer
