"""The tick stream of a real nats-server is read in order, whatever happens to the server."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest
from nats.errors import Error as NatsError

from shared.bus.connection import Bus
from shared.bus.resources import ensure_ticks_stream
from shared.bus.stream_reader import Entry
from shared.bus.tick_reader import TickReader, holds_tick, ticks_identity
from shared.contracts.subjects import ALL_QUOTES, CLOCK, TICKS_STREAM
from shared.errors import StreamPutBack, StreamUnavailable
from shared.runtime.backoff import Backoff
from tests.support.buses import bus_of, flushed, ingest_bus, wait_connected
from tests.support.patience import PATIENCE_SECS
from tests.support.servers import NatsServer
from tests.support.settings import nats_settings
from tests.support.waiting import eventually


@pytest.fixture
async def ingest(nats: NatsServer) -> AsyncIterator[Bus]:
    async with ingest_bus(nats) as bus:
        yield bus


@pytest.fixture
async def persister(nats: NatsServer) -> AsyncIterator[Bus]:
    settings = nats_settings(nats.url, has_outages=True)
    async with bus_of(nats, "persister", settings=settings) as bus:
        yield bus


async def stored(bus: Bus) -> int:
    return (await bus.js.stream_info(TICKS_STREAM)).state.last_seq


async def publish(bus: Bus, numbers: range) -> None:
    """Publish one message for each number, on three subjects; returns once they are stored."""
    before = await stored(bus)
    for number in numbers:
        await bus.client.publish(f"md.quote.A.{number % 3}", str(number).encode())

    async def are_stored() -> bool:
        return await stored(bus) >= before + len(numbers)

    await eventually(are_stored, what="the stream has the messages")


async def read(reader: TickReader, count: int) -> list[Entry]:
    entries: list[Entry] = []
    while len(entries) < count:
        entries += await reader.batch()
    return entries


def numbers(entries: list[Entry]) -> list[int]:
    return [int(entry.data) for entry in entries]


async def test_entries_are_in_order_and_have_their_position_and_subject(
    ingest: Bus, persister: Bus
) -> None:
    await publish(ingest, range(2_500))
    async with TickReader(persister, start=0, batch_size=400) as reader:
        assert await reader.open() == 2_500
        entries = await read(reader, 2_500)
    assert numbers(entries) == list(range(2_500))
    assert [entry.position for entry in entries] == list(range(1, 2_501))
    assert entries[7].subject == "md.quote.A.1"


async def test_a_batch_is_not_larger_than_the_batch_size(ingest: Bus, persister: Bus) -> None:
    await publish(ingest, range(100))
    async with TickReader(persister, start=0, batch_size=7) as reader:
        sizes: list[int] = []
        while sum(sizes) < 100:
            sizes.append(len(await reader.batch()))
    assert max(sizes) <= 7


async def test_reading_begins_at_the_given_position(ingest: Bus, persister: Bus) -> None:
    await publish(ingest, range(50))
    async with TickReader(persister, start=41) as reader:
        assert numbers(await read(reader, 10)) == list(range(40, 50))


async def test_only_the_given_subject_is_read(ingest: Bus, persister: Bus) -> None:
    await publish(ingest, range(5))
    await ingest.client.publish(CLOCK, b"-1")
    await publish(ingest, range(5, 8))
    async with TickReader(persister, start=0, subject=CLOCK) as reader:
        assert numbers(await read(reader, 1)) == [-1]
    async with TickReader(persister, start=0, subject=ALL_QUOTES) as reader:
        assert [entry.position for entry in await read(reader, 8)] == [1, 2, 3, 4, 5, 7, 8, 9]


async def test_entries_published_later_are_read_too(ingest: Bus, persister: Bus) -> None:
    await publish(ingest, range(3))
    async with TickReader(persister, start=0) as reader:
        await read(reader, 3)
        waiting = asyncio.ensure_future(read(reader, 2))
        await publish(ingest, range(3, 5))
        async with asyncio.timeout(PATIENCE_SECS):
            assert numbers(await waiting) == [3, 4]


async def test_an_entry_without_content_holds_up_no_later_one(ingest: Bus, persister: Bus) -> None:
    await publish(ingest, range(3))
    await ingest.client.publish("md.quote.A.0", b"")
    await publish(ingest, range(3, 6))
    async with TickReader(persister, start=1) as reader:
        found = [entry.data for entry in await read(reader, 7)]
    assert found == [b"0", b"1", b"2", b"", b"3", b"4", b"5"]


async def test_without_a_position_the_newest_entry_of_each_subject_comes_first(
    ingest: Bus, persister: Bus
) -> None:
    await publish(ingest, range(10))
    async with TickReader(persister, start=None) as reader:
        assert await reader.open() == 3
        assert sorted(numbers(await read(reader, 3))) == [7, 8, 9]
        await publish(ingest, range(10, 12))
        assert numbers(await read(reader, 2)) == [10, 11]


@pytest.mark.parametrize("batch_size", [2, 1_000])
async def test_the_backlog_is_the_newest_of_each_subject_and_then_ends(
    ingest: Bus, persister: Bus, batch_size: int
) -> None:
    await publish(ingest, range(10))
    async with TickReader(persister, start=None, batch_size=batch_size) as reader:
        entries = [entry async for batch in reader.backlog() for entry in batch]
    assert sorted(numbers(entries)) == [7, 8, 9]


async def test_the_backlog_from_a_position_is_all_that_follows_it(
    ingest: Bus, persister: Bus
) -> None:
    await publish(ingest, range(10))
    async with TickReader(persister, start=4, batch_size=4) as reader:
        entries = [entry async for batch in reader.backlog() for entry in batch]
    assert numbers(entries) == list(range(3, 10))


async def test_an_empty_stream_yields_an_empty_batch(ingest: Bus, persister: Bus) -> None:
    async with TickReader(persister, start=None) as reader:
        assert await reader.open() == 0
        async with asyncio.timeout(PATIENCE_SECS):
            assert await reader.batch() == []


async def test_reading_from_a_position_that_was_removed_begins_at_the_first_entry(
    ingest: Bus, persister: Bus
) -> None:
    await publish(ingest, range(10))
    await ensure_ticks_stream(ingest, max_age_secs=600, max_bytes=400)
    info = await ingest.js.stream_info(TICKS_STREAM)
    assert 1 < info.state.first_seq < 10
    async with TickReader(persister, start=1) as reader:
        entries = await read(reader, info.state.messages)
    assert [entry.position for entry in entries] == list(range(info.state.first_seq, 11))


@pytest.mark.parametrize("moment", ["between batches", "while waiting"])
async def test_no_entry_is_lost_or_repeated_when_the_server_is_killed(
    nats: NatsServer, ingest: Bus, persister: Bus, moment: str
) -> None:
    await publish(ingest, range(1_000))
    async with TickReader(persister, start=0, batch_size=100) as reader:
        entries = await read(reader, 1_000 if moment == "while waiting" else 300)
        rest = asyncio.ensure_future(read(reader, 2_000 - len(entries)))
        if moment == "while waiting":
            await flushed(persister.client)  # the request for more entries has been sent
        nats.kill()
        await asyncio.to_thread(nats.start)
        await eventually(lambda: ingest.is_connected, what="ingest is connected again")
        await publish(ingest, range(1_000, 2_000))
        async with asyncio.timeout(PATIENCE_SECS):
            entries += await rest
    assert numbers(entries) == list(range(2_000))
    assert [entry.position for entry in entries] == list(range(1, 2_001))


async def test_no_entry_is_lost_or_repeated_when_the_server_is_stopped_for_a_while(
    nats: NatsServer, ingest: Bus, persister: Bus
) -> None:
    await publish(ingest, range(500))
    async with TickReader(persister, start=0, batch_size=100) as reader:
        entries = await read(reader, 200)
        nats.pause()
        rest = asyncio.ensure_future(read(reader, 500 - len(entries)))
        await eventually(lambda: not persister.is_connected, what="the persister disconnects")
        nats.resume()
        async with asyncio.timeout(PATIENCE_SECS):
            entries += await rest
    assert numbers(entries) == list(range(500))


async def test_a_missing_stream_is_unavailable(
    persister: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.bus.stream_reader.Backoff", partial(Backoff, cap_secs=0.01))
    async with TickReader(persister, start=0) as reader:
        with pytest.raises(StreamUnavailable):
            await reader.open()
        with pytest.raises(StreamUnavailable):
            await reader.batch()


async def test_reading_waits_for_a_server_that_is_away_through_any_number_of_attempts(
    nats: NatsServer, ingest: Bus, persister: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = 0

    class Counted(Backoff):
        def next_secs(self) -> float:
            nonlocal attempts
            attempts += 1
            return super().next_secs() / 100

    await publish(ingest, range(3))
    async with TickReader(persister, start=0) as reader:
        monkeypatch.setattr("shared.bus.stream_reader.Backoff", Counted)
        nats.kill()
        reading = asyncio.ensure_future(read(reader, 3))
        await eventually(lambda: reading.done() or attempts > 20, what="twenty attempts")
        assert not reading.done()
        await asyncio.to_thread(nats.start)
        async with asyncio.timeout(PATIENCE_SECS):
            assert numbers(await reading) == [0, 1, 2]


async def test_a_closed_reader_leaves_no_consumer_behind(ingest: Bus, persister: Bus) -> None:
    await publish(ingest, range(3))
    async with TickReader(persister, start=0) as reader:
        await read(reader, 3)
        assert (await ingest.js.stream_info(TICKS_STREAM)).state.consumer_count == 1
    assert (await ingest.js.stream_info(TICKS_STREAM)).state.consumer_count == 0


async def test_the_stream_keeps_its_identity_over_restarts(
    nats: NatsServer, ingest: Bus, persister: Bus
) -> None:
    await publish(ingest, range(3))
    identity, last = await ticks_identity(persister)
    assert identity
    assert last == 3
    for _ in range(4):
        nats.kill()
        await disconnected(persister)
        nats.start()
        await wait_connected(persister.client)
        assert await answer(ticks_identity, persister) == (identity, 3)


async def disconnected(bus: Bus) -> None:
    """Wait until a request would no longer go to the connection of a killed server."""
    await eventually(lambda: not bus.is_connected, what="the connection is lost")


@pytest.mark.usefixtures("ingest")
async def test_the_successor_of_a_lost_stream_has_another_identity(
    nats: NatsServer, persister: Bus
) -> None:
    identity, _ = await ticks_identity(persister)
    nats.kill()
    shutil.rmtree(nats.folder)
    await disconnected(persister)
    nats.start()
    await wait_connected(persister.client)
    async with ingest_bus(nats):  # creates the stream
        successor, last = await ticks_identity(persister)
    assert identity
    assert successor
    assert (successor != identity, last) == (True, 0)


async def answer(
    request: Callable[[Bus], Awaitable[tuple[str, int]]], bus: Bus
) -> tuple[str, int] | None:
    """The answer of a server that may still be loading its streams."""

    async def look() -> tuple[str, int] | None:
        try:
            return await request(bus)
        except (NatsError, TimeoutError):
            return None

    return await eventually(look, what="the server answers")


def put_back(nats: NatsServer, copy: Path) -> None:
    """Replace the server's data by an older copy."""
    nats.kill()
    shutil.rmtree(nats.folder)
    shutil.copytree(copy, nats.folder)
    nats.start()


def copied(nats: NatsServer, copy: Path) -> None:
    """Copy the server's data while it does not run."""
    nats.kill()
    shutil.copytree(nats.folder, copy)
    nats.start()


async def test_a_stream_that_was_put_back_to_an_older_copy_is_told_apart(
    nats: NatsServer, ingest: Bus, persister: Bus, tmp_path: Path
) -> None:
    await publish(ingest, range(3))
    copied(nats, tmp_path / "copy")
    async with ingest_bus(nats) as later:
        await publish(later, range(3, 6))
    async with TickReader(persister, start=1) as reader:
        assert numbers(await read(reader, 6)) == list(range(6))
        put_back(nats, tmp_path / "copy")
        with pytest.raises(StreamPutBack, match="ends at 3, and 7 is to be read"):
            await read(reader, 1)


async def test_an_older_copy_of_the_stream_is_told_apart_although_it_was_continued(
    nats: NatsServer, ingest: Bus, persister: Bus, tmp_path: Path
) -> None:
    await publish(ingest, range(3))
    copied(nats, tmp_path / "copy")
    async with ingest_bus(nats) as later:
        await publish(later, range(3, 6))
    async with TickReader(persister, start=1) as reader:
        third, *_, last = (await read(reader, 6))[2:]
    put_back(nats, tmp_path / "copy")
    async with ingest_bus(nats) as later:
        await publish(later, range(6, 12))
    await wait_connected(persister.client)

    async def holds(entry: Entry, *, last_position: int = 9) -> bool:
        return await holds_tick(
            persister, entry.position, entry.stored_ns, last_position=last_position
        )

    assert await holds(third)
    assert not await holds(last)
    assert not await holds(last, last_position=5)
    async with TickReader(persister, start=7, stored_ns=last.stored_ns) as reader:
        with pytest.raises(StreamPutBack, match="has another entry before 7"):
            await read(reader, 1)


async def test_a_reader_goes_on_after_the_entry_that_it_has_read_in_an_earlier_life(
    ingest: Bus, persister: Bus
) -> None:
    await publish(ingest, range(6))
    async with TickReader(persister, start=1) as reader:
        third = (await read(reader, 6))[2]
    async with TickReader(persister, start=4, stored_ns=third.stored_ns) as reader:
        assert numbers(await read(reader, 3)) == [3, 4, 5]
