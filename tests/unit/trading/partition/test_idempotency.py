"""A command is carried out once, whatever happens to those who wait for its answer."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import pytest

from services.trading.journal.record import CommandRecord, Record
from services.trading.partition.idempotency import Dispatch, OnceOnly, Outcome
from services.trading.store.journal import Journal
from shared.contracts.trading import Operation, SetKillSwitchRequest
from shared.errors import (
    BrokerRefused,
    CommandInFlight,
    IdempotencyKeyReused,
    OrderRefused,
    Unavailable,
)
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


def answer_now(operation: Operation, user_id: str, order_ids: Sequence[str]) -> bytes:
    return f"{operation.value} {user_id} {order_ids[0]}".encode()


def once_only(store: Store) -> OnceOnly:
    return OnceOnly(cast("Journal", store), store, answer_now)


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def started(
    once: OnceOnly, work: "Work | Broker", request: Any = REQUEST
) -> "asyncio.Task[Any]":
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


class Broker:
    """A broker whose answer the test gives."""

    def __init__(self) -> None:
        self.sent = 0
        self.answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    async def __call__(self) -> Dispatch:
        return Dispatch(["o1"], [], self.send)

    async def send(self) -> Outcome:
        self.sent += 1
        return await self.answer


async def test_a_command_is_sent_after_it_is_stored_and_its_answer_replaces_it() -> None:
    store, broker = Store(), Broker()
    once = once_only(store)
    first = await started(once, broker)
    assert broker.sent == 0
    store.complete()
    await settled()
    assert (broker.sent, once.dispatched) == (1, 1)
    with pytest.raises(CommandInFlight):
        await once.answer(Operation.PLACE, REQUEST, broker)
    broker.answer.set_result(Outcome(b"{}", []))
    await settled()
    assert store.waiting[0][0].replaces
    store.complete()
    assert bytes(await first) == b"{}"
    await settled()
    assert bytes(await once.answer(Operation.SET_KILL_SWITCH, REQUEST, broker)) == b"{}"
    assert (broker.sent, once.dispatched) == (1, 0)


async def test_a_requester_who_stops_waiting_does_not_stop_a_command_to_a_broker() -> None:
    store, broker = Store(), Broker()
    once = once_only(store)
    first = await started(once, broker)
    first.cancel()
    await settled()
    store.complete()
    await settled()
    assert broker.sent == 1
    broker.answer.set_result(Outcome(b"{}", [], BrokerRefused("no", broker_code="UDAPI1154")))
    await settled()
    store.complete()
    await settled()
    with pytest.raises(BrokerRefused) as refusal:
        await once.answer(Operation.SET_KILL_SWITCH, REQUEST, broker)
    assert refusal.value.members == {"broker_code": "UDAPI1154"}


async def test_a_command_whose_storing_is_not_known_is_not_sent() -> None:
    store, broker = Store(), Broker()
    first = await started(once_only(store), broker)
    store.waiting[0][1].set_exception(Unavailable("not known"))
    with pytest.raises(Unavailable):
        await first
    assert broker.sent == 0


async def test_a_command_whose_answer_was_lost_with_its_owner_is_answered_as_it_is_now() -> None:
    store, broker = Store(), Broker()
    await started(once_only(store), broker)
    store.complete()
    answer = await once_only(store).answer(Operation.SET_KILL_SWITCH, REQUEST, broker)
    assert bytes(answer) == b"set_kill_switch user-1 o1"
    assert broker.sent <= 1


async def test_the_end_of_a_term_ends_the_commands_that_are_being_sent() -> None:
    store, broker = Store(), Broker()
    once = once_only(store)
    running = asyncio.create_task(once.run())
    first = await started(once, broker)
    store.complete()
    await settled()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert once.dispatched == 0
    with pytest.raises(asyncio.CancelledError):
        await first
