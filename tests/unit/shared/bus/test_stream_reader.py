"""The stream reader's bookkeeping, against a fake bus that replies only when the test does."""

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError

from shared.bus.connection import Bus
from shared.bus.stream_reader import Entry, StreamReader
from shared.bus.tick_reader import TickReader
from shared.errors import StreamNotFound, StreamPutBack, StreamUnavailable
from tests.support.virtual_time import run_virtual

Receive = Callable[[Any], Awaitable[None]]


class FakeBus:
    """Records consumers and pull requests; `receivers` deliver messages to the reader."""

    is_connected = True
    js_api = "$JS.API"

    def __init__(self, *num_pending: int) -> None:
        self.client = self.js = self
        self.num_pending = list(num_pending)
        self.started_at: list[int | None] = []
        self.receivers: list[Receive] = []
        self.requests: list[bytes] = []
        self.requested = asyncio.Event()
        self.refuses_next: NatsError | None = None
        self.last_position = 1_000

    async def stream_info(self, _: str) -> Any:
        return SimpleNamespace(state=SimpleNamespace(last_seq=self.last_position))

    async def add_consumer(self, _: str, config: Any) -> Any:
        self._refuse()
        self.started_at.append(config.opt_start_seq)
        pending = self.num_pending.pop(0) if self.num_pending else None
        return SimpleNamespace(name=f"c{len(self.started_at)}", num_pending=pending)

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
        self._refuse()
        self.requests.append(body)
        self.requested.set()

    def _refuse(self) -> None:
        error, self.refuses_next = self.refuses_next, None
        if error is not None:
            raise error

    async def until_requested(self, count: int) -> None:
        while len(self.requests) < count:
            self.requested.clear()
            await self.requested.wait()


STORED_NS = 1_700_000_000


def message(
    position: int, *, reply: str = f"$JS.ACK.TICKS.c1.1.{{}}.9.{STORED_NS}.3", data: bytes = b"x"
) -> Any:
    return Msg(cast("Any", None), subject="md.clock", reply=reply.format(position), data=data)


def deletion(position: int) -> Any:
    """A message without data and with headers, as a key of a bucket that is deleted leaves."""
    marker = message(position, data=b"")
    marker.headers = {"KV-Operation": "DEL"}
    return marker


def status(code: str) -> Any:
    return Msg(cast("Any", None), subject="_INBOX.x", headers={"Status": code})


def reader(bus: FakeBus, *, start: int | None = 5, retry: bool = True) -> StreamReader:
    return StreamReader(cast("Bus", bus), "TICKS", "$JS.API", start=start, retry=retry)


def positions(entries: list[Entry]) -> list[int]:
    return [entry.position for entry in entries]


def test_entries_of_a_discarded_consumer_are_ignored() -> None:
    async def main() -> tuple[list[Entry], list[int | None]]:
        bus = FakeBus()
        reading = asyncio.ensure_future(reader(bus).batch())
        await bus.until_requested(2)  # after 4 s of silence there is a second consumer
        await bus.receivers[0](message(99))
        await bus.receivers[1](message(5))
        return await reading, bus.started_at

    entries, started_at = run_virtual(main())
    assert positions(entries) == [5]
    assert started_at == [5, 5]


def test_a_new_consumer_compares_the_last_entry_returned_and_goes_on_after_it() -> None:
    async def main() -> list[int | None]:
        bus = FakeBus()
        ticks = reader(bus)
        reading = asyncio.ensure_future(ticks.batch())
        await bus.until_requested(1)
        await bus.receivers[0](message(6))
        await bus.receivers[0](message(7))
        assert positions(await reading) == [6, 7]
        bus.refuses_next = NatsError()
        await bus.receivers[0](status("408"))
        reading = asyncio.ensure_future(ticks.batch())
        await bus.until_requested(2)
        await bus.receivers[1](message(7))
        await bus.receivers[1](message(8))
        assert positions(await reading) == [8]
        return bus.started_at

    assert run_virtual(main()) == [5, 7]


def reader_after_4(bus: FakeBus) -> StreamReader:
    """A reader whose entry 4 was read in an earlier life."""
    return StreamReader(cast("Bus", bus), "TICKS", "$JS.API", start=5, stored_ns=STORED_NS)


def test_another_entry_before_the_next_one_shows_a_stream_that_was_continued() -> None:
    async def main() -> list[int | None]:
        bus = FakeBus()
        ticks = reader_after_4(bus)
        reading = asyncio.ensure_future(ticks.batch())
        await bus.until_requested(1)
        await bus.receivers[0](message(4, reply=f"$JS.ACK.TICKS.c1.1.{{}}.9.{STORED_NS + 1}.3"))
        await bus.receivers[0](message(5))
        for batch in (reading, ticks.batch()):
            with pytest.raises(StreamPutBack, match="has another entry before 5"):
                await batch
        return bus.started_at

    assert run_virtual(main()) == [4]


def test_reading_goes_on_if_the_last_entry_was_removed_by_its_age() -> None:
    async def main() -> tuple[list[int], list[int]]:
        bus = FakeBus()
        ticks = reader_after_4(bus)
        reading = asyncio.ensure_future(ticks.batch())
        await bus.until_requested(1)
        await bus.receivers[0](message(9))
        first = positions(await reading)
        await bus.receivers[0](message(10))
        return first, positions(await ticks.batch())

    assert run_virtual(main()) == ([9], [10])


def test_the_compared_entry_is_no_part_of_the_backlog() -> None:
    async def main() -> int:
        return await reader_after_4(FakeBus(3)).open()

    assert run_virtual(main()) == 2


def test_a_position_beyond_the_end_of_the_stream_is_refused() -> None:
    async def main() -> list[int | None]:
        bus = FakeBus()
        bus.last_position = 3
        with pytest.raises(StreamPutBack, match="ends at 3, and 5 is to be read"):
            await reader(bus).open()
        bus.last_position = 4  # the next entry is the one to read
        await reader(bus).open()
        return bus.started_at

    assert run_virtual(main()) == [5]


@pytest.mark.parametrize("code", ["404", "408"])
def test_a_pull_request_that_ends_without_entries_is_an_empty_batch(code: str) -> None:
    async def main() -> tuple[list[Entry], int]:
        bus = FakeBus()
        reading = asyncio.ensure_future(reader(bus).batch())
        await bus.until_requested(1)
        await bus.receivers[0](status(code))
        return await reading, len(bus.requests)

    assert run_virtual(main()) == ([], 1)


@pytest.mark.parametrize("code", ["409", "503"])
def test_a_consumer_that_cannot_serve_a_pull_request_is_replaced(code: str) -> None:
    async def main() -> tuple[list[int], list[int | None]]:
        bus = FakeBus()
        reading = asyncio.ensure_future(reader(bus).batch())
        await bus.until_requested(1)
        await bus.receivers[0](status(code))
        await bus.until_requested(2)
        await bus.receivers[1](message(5))
        return positions(await reading), bus.started_at

    assert run_virtual(main()) == ([5], [5, 5])


def test_entries_received_before_a_failed_pull_request_are_returned_first() -> None:
    async def main() -> list[list[int]]:
        bus = FakeBus()
        ticks = reader(bus)
        reading = asyncio.ensure_future(ticks.batch())
        await bus.until_requested(1)
        await bus.receivers[0](message(5))
        await bus.receivers[0](status("409"))
        batches = [positions(await reading)]
        reading = asyncio.ensure_future(ticks.batch())
        await bus.until_requested(2)
        await bus.receivers[1](message(5))
        await bus.receivers[1](message(6))
        return [*batches, positions(await reading)]

    assert run_virtual(main()) == [[5], [6]]


def test_a_deleted_key_is_an_entry_without_data_and_ends_no_pull_request() -> None:
    async def main() -> list[Entry]:
        bus = FakeBus()
        reading = asyncio.ensure_future(reader(bus).batch())
        await bus.until_requested(1)
        await bus.receivers[0](deletion(5))
        return await reading

    assert run_virtual(main()) == [Entry(5, "md.clock", b"", STORED_NS)]


@pytest.mark.parametrize(
    "reply",
    [
        "$JS.ACK.TICKS.c1.1.{}.9.1700000000.3",
        "$JS.ACK.hub.AXUHASH.TICKS.c1.1.{}.9.1700000000.3",
        "$JS.ACK._.AXUHASH.TICKS.c1.1.{}.9.1700000000.3.random",
    ],
)
def test_position_time_and_pending_are_read_from_old_and_new_reply_subjects(reply: str) -> None:
    async def main() -> tuple[list[Entry], int]:
        bus = FakeBus()
        ticks = TickReader(cast("Bus", bus), start=5)
        reading = asyncio.ensure_future(ticks.batch())
        await bus.until_requested(1)
        await bus.receivers[0](message(4_711, reply=reply))
        return await reading, ticks.behind

    assert run_virtual(main()) == ([Entry(4_711, "md.clock", b"x", STORED_NS)], 3)


async def read_backlog(bus: FakeBus, ticks: StreamReader) -> list[int]:
    return [entry.position async for entries in ticks.backlog() for entry in entries]


def test_the_backlog_ends_after_as_many_entries_as_there_were() -> None:
    async def main() -> list[int]:
        bus = FakeBus(3)
        reading = asyncio.ensure_future(read_backlog(bus, reader(bus, start=None)))
        await bus.until_requested(1)
        await bus.receivers[0](message(5))
        await bus.receivers[0](message(6))
        await asyncio.sleep(0.1)
        assert not reading.done()
        await bus.receivers[0](message(7))
        return await reading

    assert run_virtual(main()) == [5, 6, 7]


def test_an_empty_backlog_ends_without_a_pull_request() -> None:
    async def main() -> tuple[list[int], int]:
        bus = FakeBus(0)
        return await read_backlog(bus, reader(bus)), len(bus.requests)

    assert run_virtual(main()) == ([], 0)


def test_the_backlog_ends_early_when_the_stream_has_no_more_entries() -> None:
    async def main() -> list[int]:
        bus = FakeBus(3)
        reading = asyncio.ensure_future(read_backlog(bus, reader(bus, start=None)))
        await bus.until_requested(1)
        await bus.receivers[0](message(5))
        await asyncio.sleep(0.1)
        await bus.receivers[0](status("408"))
        return await reading

    assert run_virtual(main()) == [5]


def test_a_new_consumer_counts_the_backlog_again() -> None:
    async def main() -> list[int]:
        bus = FakeBus(2, 3)
        reading = asyncio.ensure_future(read_backlog(bus, reader(bus, start=None)))
        await bus.until_requested(1)
        await bus.receivers[0](message(5))
        await bus.until_requested(2)  # after 4 s of silence
        for position in (5, 6, 7):
            await bus.receivers[1](message(position))
        return await reading

    assert run_virtual(main()) == [5, 5, 6, 7]


def test_without_retry_the_first_failure_is_raised() -> None:
    async def main() -> None:
        bus = FakeBus()
        bus.refuses_next = NatsError("no")
        with pytest.raises(StreamUnavailable, match="TICKS"):
            await reader(bus, retry=False).open()
        assert bus.started_at == []

    run_virtual(main())


def test_a_missing_stream_is_reported_as_such() -> None:
    async def main() -> None:
        bus = FakeBus()
        bus.refuses_next = NotFoundError()
        with pytest.raises(StreamNotFound):
            await reader(bus, retry=False).open()

    run_virtual(main())


class RefusingBus(FakeBus):
    """Never creates a consumer."""

    attempts = 0

    async def add_consumer(self, _: str, config: Any) -> Any:
        self.attempts += 1
        raise NatsError


def test_with_retry_a_failure_that_lasts_is_raised_after_eight_retries() -> None:
    async def main() -> int:
        bus = RefusingBus()
        with pytest.raises(StreamUnavailable):
            await reader(bus).open()
        return bus.attempts

    assert run_virtual(main()) == 9
