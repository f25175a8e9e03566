"""The reader's own bookkeeping, against a bus that holds still."""

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from shared.bus.connection import Bus
from shared.bus.stream_reader import Entry, TickReader
from tests.support.virtual_time import run_virtual

Receive = Callable[[Any], Awaitable[None]]


class HeldBus:
    """Takes requests; answers only when the test delivers."""

    is_connected = True
    js_api = "$JS.API"

    def __init__(self) -> None:
        self.client = self.js = self
        self.started_at: list[int | None] = []
        self.receivers: list[Receive] = []
        self.requests: list[bytes] = []
        self.asked = asyncio.Event()
        self.refuses_next = False

    async def add_consumer(self, _: str, config: Any) -> Any:
        self.started_at.append(config.opt_start_seq)
        return SimpleNamespace(name=f"c{len(self.started_at)}", num_pending=None)

    async def delete_consumer(self, *_: str) -> None:
        return

    def new_inbox(self) -> str:
        return "_INBOX.x"

    async def subscribe(self, _: str, cb: Receive) -> Any:
        self.receivers.append(cb)
        return SimpleNamespace(subject="_INBOX.x", unsubscribe=self._unsubscribe)

    async def _unsubscribe(self) -> None:
        return

    async def publish(self, _: str, body: bytes, reply: str) -> None:
        if self.refuses_next:
            self.refuses_next = False
            raise NatsError
        self.requests.append(body)
        self.asked.set()

    async def until_asked(self, count: int) -> None:
        while len(self.requests) < count:
            self.asked.clear()
            await self.asked.wait()


def message(position: int, *, reply: str = "$JS.ACK.TICKS.c1.1.{}.9.1700000000.3") -> Any:
    return Msg(
        cast("Any", None), subject="md.clock", reply=reply.format(position), data=b"%d" % position
    )


def end() -> Any:
    return Msg(cast("Any", None), subject="_INBOX.x", headers={"Status": "408"})


def reader(bus: HeldBus) -> TickReader:
    return TickReader(cast("Bus", bus), start=5)


def test_what_a_lost_consumer_still_sends_is_passed_over() -> None:
    async def main() -> tuple[list[Entry], list[int | None]]:
        bus = HeldBus()
        ticks = reader(bus)
        reading = asyncio.ensure_future(ticks.batch())
        await bus.until_asked(2)  # silence: the first consumer was given up
        await bus.receivers[0](message(99))
        await bus.receivers[1](message(5))
        return await reading, bus.started_at

    entries, started_at = run_virtual(main())
    assert [entry.position for entry in entries] == [5]
    assert started_at == [5, 5]


def test_after_a_loss_it_reads_on_behind_the_last_entry_that_was_given_out() -> None:
    async def main() -> list[int | None]:
        bus = HeldBus()
        ticks = reader(bus)
        reading = asyncio.ensure_future(ticks.batch())
        await bus.until_asked(1)
        await bus.receivers[0](message(6))
        await bus.receivers[0](message(7))
        assert [entry.position for entry in await reading] == [6, 7]
        bus.refuses_next = True
        await bus.receivers[0](end())
        reading = asyncio.ensure_future(ticks.batch())
        await bus.until_asked(2)
        await bus.receivers[1](message(8))
        assert [entry.position for entry in await reading] == [8]
        return bus.started_at

    assert run_virtual(main()) == [5, 8]


def test_the_end_of_a_request_without_entries_is_an_empty_batch() -> None:
    async def main() -> tuple[list[Entry], int]:
        bus = HeldBus()
        reading = asyncio.ensure_future(reader(bus).batch())
        await bus.until_asked(1)
        await bus.receivers[0](end())
        return await reading, len(bus.requests)

    assert run_virtual(main()) == ([], 1)


@pytest.mark.parametrize(
    "reply",
    [
        "$JS.ACK.TICKS.c1.1.{}.9.1700000000.3",
        "$JS.ACK.hub.AXUHASH.TICKS.c1.1.{}.9.1700000000.3",
        "$JS.ACK._.AXUHASH.TICKS.c1.1.{}.9.1700000000.3.random",
    ],
)
def test_the_position_is_read_from_old_and_new_replies(reply: str) -> None:
    async def main() -> list[Entry]:
        bus = HeldBus()
        reading = asyncio.ensure_future(reader(bus).batch())
        await bus.until_asked(1)
        await bus.receivers[0](message(4_711, reply=reply))
        return await reading

    assert [entry.position for entry in run_virtual(main())] == [4_711]
