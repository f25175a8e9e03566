"""Carries out each command once: a repetition gets the stored answer."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, Protocol

import msgspec

from services.trading import metrics
from services.trading.journal.record import CommandRecord, Record
from services.trading.store.journal import Journal
from shared.bus.requests import ErrorReply
from shared.contracts.trading import Operation
from shared.errors import (
    CommandInFlight,
    IdempotencyKeyReused,
    NotFound,
    OrderFinal,
    OrderRefused,
    RequestError,
    error_from_reply,
)
from shared.runtime.logs import get_logger
from shared.runtime.mongo import Document
from shared.runtime.tasks import stop

log = get_logger(__name__)

_FINAL_ANSWERS = (OrderRefused, OrderFinal, NotFound)
"""Refusals that are stored: the same command would be refused again for the same reason."""
_DISPATCHED: Final = "dispatched"
"""Stored instead of an error code while the answer of a broker is not known."""


class Command(Protocol):
    """A request with an Idempotency-Key."""

    @property
    def user_id(self) -> str: ...

    @property
    def command_key(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """Changes of a command, and its answer as JSON."""

    answer: bytes
    records: list[Record]
    refusal: RequestError | None = None
    """The answer, if it is an error that came with changes."""


@dataclass(frozen=True, slots=True)
class Dispatch:
    """A command that is stored first and then sent to a broker."""

    order_ids: Sequence[str]
    records: list[Record]
    send: Callable[[], Awaitable[Outcome]]
    """Sends once, and makes the records of the answer as its last step."""


class StoredCommands(Protocol):
    """Finds stored commands."""

    async def command(self, user_id: str, key: str) -> Document | None:
        """The command with this key; None if there is none. Raises PyMongoError."""
        ...


AnswerNow = Callable[[Operation, str, Sequence[str]], bytes]
"""The answer of a command to orders of a user, as far as their state is known now."""


class OnceOnly:
    """The commands of one term; `run` owns those that are being sent.

    `answer_now` makes the answer of a command whose own answer was lost with its owner.
    """

    def __init__(self, journal: Journal, stored: StoredCommands, answer_now: AnswerNow) -> None:
        self._journal = journal
        self._stored = stored
        self._answer_now = answer_now
        self._in_flight: set[tuple[str, str]] = set()
        self._dispatched: set[asyncio.Task[Outcome]] = set()

    @property
    def dispatched(self) -> int:
        """Commands that a broker has not answered yet."""
        return len(self._dispatched)

    async def run(self) -> None:
        """Keep the commands that are being sent until cancelled; their answers are then lost."""
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            await stop(self._dispatched)

    async def answer(
        self,
        operation: Operation,
        request: Command,
        work: Callable[[], Awaitable[Outcome | Dispatch]],
    ) -> msgspec.Raw:
        """The answer of a command. `work` must not wait after it has changed anything.

        Raises CommandInFlight, IdempotencyKeyReused, the stored refusal, or what `work` raises.
        """
        place = request.user_id, request.command_key
        if place in self._in_flight:
            raise CommandInFlight("the command is being worked on; repeat it a little later")
        self._in_flight.add(place)
        is_owned = False
        try:
            body = msgspec.json.encode(request, order="deterministic")
            digest = blake2b(operation.value.encode() + b"|" + body, digest_size=16).digest()
            stored = await self._stored.command(*place)
            if stored is not None:
                return self._repeated(operation, request.user_id, stored, digest)

            def made(answer: bytes, code: str = "", *, replaces: bool = False) -> CommandRecord:
                return CommandRecord(
                    user_id=request.user_id, key=request.command_key, operation=operation,
                    digest=digest, request=body, answer=answer, code=code, replaces=replaces,
                )  # fmt: skip

            try:
                outcome = await work()
            except _FINAL_ANSWERS as error:
                outcome = Outcome(_error_reply(error), [], error)
            if isinstance(outcome, Dispatch):
                ids = msgspec.json.encode(outcome.order_ids)
                waiting = self._journal.append(outcome.records, made(ids, _DISPATCHED))
                task = asyncio.create_task(self._send(waiting, outcome, made))
                self._dispatched.add(task)
                is_owned = True
                # A caller that stops waiting does not stop the command.
                task.add_done_callback(lambda done: self._end(place, done))
                outcome = await asyncio.shield(task)
            else:
                waiting = self._journal.append(
                    outcome.records, made(outcome.answer, _code(outcome))
                )
                is_owned = True
                waiting.add_done_callback(lambda _: self._in_flight.discard(place))
                await asyncio.shield(waiting)
            metrics.COMMANDS.labels(operation.value, _code(outcome) or "ok").inc()
            if outcome.refusal is not None:
                raise outcome.refusal
            return msgspec.Raw(outcome.answer)
        finally:
            if not is_owned:
                self._in_flight.discard(place)

    async def _send(
        self,
        stored: "asyncio.Future[None]",
        dispatch: Dispatch,
        made: "Callable[..., CommandRecord]",
    ) -> Outcome:
        """Send a command once it is stored, and store its answer."""
        await asyncio.shield(stored)
        outcome = await dispatch.send()
        if outcome.refusal is not None:
            reply = _error_reply(outcome.refusal)
            outcome = Outcome(reply, outcome.records, outcome.refusal)
        command = made(outcome.answer, _code(outcome), replaces=True)
        await asyncio.shield(self._journal.append(outcome.records, command))
        return outcome

    def _end(self, place: tuple[str, str], done: "asyncio.Task[Outcome]") -> None:
        self._dispatched.discard(done)
        self._in_flight.discard(place)
        if done.cancelled():
            return
        error = done.exception()
        if error is not None:
            log.warning("the answer of a broker was not stored", error=str(error))

    def _repeated(
        self, operation: Operation, user_id: str, stored: Document, digest: bytes
    ) -> msgspec.Raw:
        if bytes(stored["digest"]) != digest:
            raise IdempotencyKeyReused("the Idempotency-Key was used for another command")
        if stored["code"] == _DISPATCHED:
            ids = msgspec.json.decode(bytes(stored["answer"]), type=list[str])
            return msgspec.Raw(self._answer_now(operation, user_id, ids))
        if stored["code"]:
            error = msgspec.json.decode(stored["answer"], type=ErrorReply)
            raise error_from_reply(error.code, error.detail, error.field, error.members)
        return msgspec.Raw(bytes(stored["answer"]))


def _code(outcome: Outcome) -> str:
    return "" if outcome.refusal is None else outcome.refusal.code.value


def _error_reply(error: RequestError) -> bytes:
    reply = ErrorReply(error.code, error.detail, error.field, dict(error.members))
    return msgspec.json.encode(reply)
