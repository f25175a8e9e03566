"""Carries out each command once: a repetition gets the stored answer."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Protocol

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
from shared.runtime.mongo import Document

_FINAL_ANSWERS = (OrderRefused, OrderFinal, NotFound)
"""Refusals that are stored: the same command would be refused again for the same reason."""


class Command(Protocol):
    """A request with an Idempotency-Key."""

    @property
    def user_id(self) -> str: ...

    @property
    def command_key(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command has changed, and its answer as JSON."""

    answer: bytes
    records: list[Record]


class StoredCommands(Protocol):
    """Finds stored commands."""

    async def command(self, user_id: str, key: str) -> Document | None:
        """The command with this key; None if there is none. Raises PyMongoError."""
        ...


class OnceOnly:
    """The commands of one term."""

    def __init__(self, journal: Journal, stored: StoredCommands) -> None:
        self._journal = journal
        self._stored = stored
        self._in_flight: set[tuple[str, str]] = set()

    async def answer(
        self,
        operation: Operation,
        request: Command,
        work: Callable[[], Awaitable[Outcome]],
    ) -> msgspec.Raw:
        """The answer of a command. `work` must not wait after it has changed anything.

        Raises CommandInFlight, IdempotencyKeyReused, the stored refusal, or what `work` raises.
        """
        place = request.user_id, request.command_key
        if place in self._in_flight:
            raise CommandInFlight("the command is being worked on; repeat it a little later")
        self._in_flight.add(place)
        is_appended = False
        try:
            body = msgspec.json.encode(request, order="deterministic")
            digest = blake2b(operation.value.encode() + b"|" + body, digest_size=16).digest()
            stored = await self._stored.command(*place)
            if stored is not None:
                return _repeated(stored, digest)

            def made(answer: bytes, code: str = "") -> CommandRecord:
                return CommandRecord(
                    user_id=request.user_id, key=request.command_key, operation=operation,
                    digest=digest, request=body, answer=answer, code=code,
                )  # fmt: skip

            refusal: RequestError | None = None
            try:
                outcome = await work()
            except _FINAL_ANSWERS as error:
                refusal = error
                outcome = Outcome(_error_reply(error), [])
            command = made(outcome.answer, "" if refusal is None else refusal.code.value)
            waiting = self._journal.append(outcome.records, command)
            is_appended = True
            # A caller that stops waiting does not stop the command.
            waiting.add_done_callback(lambda _: self._in_flight.discard(place))
            await asyncio.shield(waiting)
            metrics.COMMANDS.labels(operation.value, command.code or "ok").inc()
            if refusal is not None:
                raise refusal
            return msgspec.Raw(outcome.answer)
        finally:
            if not is_appended:
                self._in_flight.discard(place)


def _error_reply(error: RequestError) -> bytes:
    reply = ErrorReply(error.code, error.detail, error.field, dict(error.members))
    return msgspec.json.encode(reply)


def _repeated(stored: Document, digest: bytes) -> msgspec.Raw:
    if bytes(stored["digest"]) != digest:
        raise IdempotencyKeyReused("the Idempotency-Key was used for another command")
    if stored["code"]:
        error = msgspec.json.decode(stored["answer"], type=ErrorReply)
        raise error_from_reply(error.code, error.detail, error.field, error.members)
    return msgspec.Raw(bytes(stored["answer"]))
