"""A command is carried out once, whatever happens to those who wait for its answer."""

import asyncio
from typing import Any, cast

import pytest

from services.trading.journal.record import CommandRecord, Record
from services.trading.partition.idempotency import OnceOnly, Outcome
from services.trading.store.journal import Journal
from shared.contracts.trading import Operation, SetKillSwitchRequest
from shared.errors import CommandInFlight, IdempotencyKeyReused, OrderRefused, Unavailable
from shared.runtime.mongo import Document

REQUEST = SetKillSwitchRequest(user_id="user-1", command_key="a", is_on=True)


class Store:
    """A journal whose writes the test completes, and the commands that it has stored."""

    def __init__(self) -> None:
        self.waiting: list[tuple[CommandRecord, asyncio.Future[None]]] = []
        self.documents: dict[tuple[str, str], Document] = {}

    def append(
        self, _: list[Record], command: CommandRecord | None = None
    ) -> "asyncio.Future[None]":
        assert command is not None
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append((command, future))
        return future

    async def command(self, user_id: str, key: str) -> Document | None:
        return self.documents.get((user_id, key))

    def complete(self) -> None:
        command, future = self.waiting.pop(0)
        self.documents[command.user_id, command.key] = {
            "digest": command.digest, "answer": command.answer, "code": command.code,
        }  # fmt: skip
        future.set_result(None)


class Work:
    """Counts how often it was carried out."""

    def __init__(self, error: Exception | None = None) -> None:
        self.count = 0
        self.error = error

    async def __call__(self) -> Outcome:
        self.count += 1
        if self.error is not None:
            raise self.error
        return Outcome(b'{"done":1}', [])


def once_only(store: Store) -> OnceOnly:
    return OnceOnly(cast("Journal", store), store)


async def started(once: OnceOnly, work: Work, request: Any = REQUEST) -> "asyncio.Task[Any]":
    task = asyncio.create_task(once.answer(Operation.SET_KILL_SWITCH, request, work))
    for _ in range(5):
        await asyncio.sleep(0)
    return task


async def test_a_repetition_waits_for_no_answer_and_then_gets_the_stored_one() -> None:
    store, work = Store(), Work()
    once = once_only(store)
    first = await started(once, work)
    with pytest.raises(CommandInFlight):
        await once.answer(Operation.SET_KILL_SWITCH, REQUEST, work)
    store.complete()
    assert bytes(await first) == b'{"done":1}'
    assert bytes(await once.answer(Operation.SET_KILL_SWITCH, REQUEST, work)) == b'{"done":1}'
    assert work.count == 1


async def test_a_requester_who_stops_waiting_does_not_stop_the_command() -> None:
    store, work = Store(), Work()
    once = once_only(store)
    first = await started(once, work)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    with pytest.raises(CommandInFlight):
        await once.answer(Operation.SET_KILL_SWITCH, REQUEST, work)
    store.complete()
    await asyncio.sleep(0)
    assert bytes(await once.answer(Operation.SET_KILL_SWITCH, REQUEST, work)) == b'{"done":1}'
    assert work.count == 1


async def test_a_key_is_of_one_command_only() -> None:
    store = Store()
    once = once_only(store)
    first = await started(once, Work())
    store.complete()
    await first
    other = SetKillSwitchRequest(user_id="user-1", command_key="a", is_on=False)
    for operation, request in ((Operation.SET_KILL_SWITCH, other), (Operation.RESET, REQUEST)):
        with pytest.raises(IdempotencyKeyReused):
            await once.answer(operation, request, Work())


async def test_a_refusal_is_stored_and_repeated_with_its_limit() -> None:
    store = Store()
    once = once_only(store)
    work = Work(OrderRefused("too large", field="quantity", rule="quantity", limit="10"))
    first = await started(once, work)
    store.complete()
    for waiting in (first, once.answer(Operation.SET_KILL_SWITCH, REQUEST, work)):
        with pytest.raises(OrderRefused) as refusal:
            await waiting
        assert (refusal.value.detail, refusal.value.field) == ("too large", "quantity")
        assert dict(refusal.value.members) == {"rule": "quantity", "limit": "10"}
    assert work.count == 1


async def test_a_command_that_could_not_be_tried_may_be_repeated() -> None:
    store = Store()
    once = once_only(store)
    with pytest.raises(Unavailable):
        await once.answer(Operation.SET_KILL_SWITCH, REQUEST, Work(Unavailable("no instrument")))
    first = await started(once, Work())
    store.complete()
    assert bytes(await first) == b'{"done":1}'
