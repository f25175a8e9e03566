"""A day's instruments master is loaded again once its server has another version."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from prometheus_client import REGISTRY

from services.persister.instruments.instrument_store import InstrumentStore
from services.persister.instruments.master_acceptance import MasterRecord
from shared.errors import Unavailable
from shared.market.exchange_time import DAY_MS
from shared.runtime.mongo import Mongo
from shared.runtime.tasks import stop
from tests.support.instrument_masters import (
    MasterServer,
    SteppedClock,
    loading,
    master_server,
    row,
    zipped,
)
from tests.support.waiting import eventually

TODAY = "2026-11-23"
YESTERDAYS = [{"ETag": '"yesterday"'}, {"Last-Modified": "Sun, 22 Nov 2026 00:31:07 GMT"}]
TODAYS = [{"ETag": '"today"'}, {"Last-Modified": "Mon, 23 Nov 2026 01:02:03 GMT"}]


def failures() -> float:
    return REGISTRY.get_sample_value("tradedad_persister_master_failures_total") or 0.0


async def stored_symbols(mongo: Mongo) -> set[str]:
    return {instrument["symbol"] async for instrument in mongo.db["instruments"].find()}


async def are_stored(mongo: Mongo, *symbols: str) -> None:
    """Wait until a whole master with these symbols is stored."""

    async def is_so() -> bool:
        record = await InstrumentStore(mongo).master()
        is_whole = record.day != "" and not record.is_loading
        return is_whole and await stored_symbols(mongo) == set(symbols)

    await eventually(is_so, what=f"{symbols} are stored")


async def some_checks(clock: SteppedClock) -> None:
    reads = clock.reads
    await eventually(lambda: clock.reads > reads + 4, what="the master is checked again")


@asynccontextmanager
async def running(
    mongo: Mongo, server: MasterServer, clock: SteppedClock, **options: Any
) -> AsyncIterator[None]:
    async with loading(mongo, server, clock, **options) as master:
        work = asyncio.create_task(master.run())
        yield
        assert not work.done()
        await stop([work])


@pytest.mark.parametrize(("yesterdays", "todays"), [*zip(YESTERDAYS, TODAYS, strict=True)])
async def test_a_master_that_is_published_late_is_loaded_on_the_same_day(
    mongo: Mongo, yesterdays: dict[str, str], todays: dict[str, str]
) -> None:
    clock = SteppedClock()
    async with master_server() as server:
        server.file, server.validator = zipped([row(1), row(2)]), yesterdays
        async with running(mongo, server, clock):
            await are_stored(mongo, "SYM1", "SYM2")
            clock.at_ms += DAY_MS
            await eventually(lambda: server.bodies == 4, what="yesterday's is taken for today's")
            await some_checks(clock)
            server.file, server.validator = zipped([row(2), row(3)]), todays
            await are_stored(mongo, "SYM2", "SYM3")
            await some_checks(clock)
    assert server.bodies == 6
    record = await InstrumentStore(mongo).master()
    assert (record.day, [record.validator]) == ("2026-11-24", list(todays.values()))


@pytest.mark.parametrize("validator", TODAYS)
@pytest.mark.parametrize("answers_304", [True, False])
async def test_a_file_with_the_same_validator_is_not_read_again(
    mongo: Mongo, validator: dict[str, str], *, answers_304: bool
) -> None:
    clock, failed = SteppedClock(), failures()
    async with master_server() as server:
        server.file, server.validator = zipped([row(1)]), validator
        server.answers_304 = answers_304
        async with running(mongo, server, clock):
            await are_stored(mongo, "SYM1")
            # A loader that waited for the body would not check again.
            server.withholds_body = True
            await some_checks(clock)
            assert server.conditions[-1] in validator.values()
    assert (server.bodies, failures()) == (2, failed)


@pytest.mark.parametrize("validator", [{}, {"ETag": f'"{"x" * 300}"'}, {"ETag": "malformed"}])
async def test_a_file_without_a_usable_validator_is_loaded_once_a_day(
    mongo: Mongo, validator: dict[str, str]
) -> None:
    clock = SteppedClock()
    async with master_server() as server:
        server.file, server.validator = zipped([row(1)]), validator
        async with running(mongo, server, clock):
            await are_stored(mongo, "SYM1")
            await some_checks(clock)
            assert server.requests == 2
            clock.at_ms += DAY_MS
            await eventually(lambda: server.requests == 4, what="it is loaded on the next day")
            await some_checks(clock)
    assert (server.requests, server.conditions) == (4, [])
    assert (await InstrumentStore(mongo).master()).validator == ""


async def test_a_new_loader_knows_which_file_is_stored(mongo: Mongo) -> None:
    async with master_server() as server:
        server.file, server.validator = zipped([row(1)]), TODAYS[0]
        async with running(mongo, server, SteppedClock()):
            await are_stored(mongo, "SYM1")
        clock = SteppedClock()
        async with running(mongo, server, clock):
            await some_checks(clock)
        assert server.bodies == 2
        server.file, server.validator = zipped([row(2)]), {"ETag": '"later"'}
        async with running(mongo, server, SteppedClock()):
            await are_stored(mongo, "SYM2")


async def test_a_record_of_an_earlier_version_has_no_validator(mongo: Mongo) -> None:
    record = {"_id": "current", "url": "https://example.com/a", "day": TODAY, "refusals": []}
    await mongo.db["masters"].insert_one(record)
    expected = MasterRecord(url="https://example.com/a", day=TODAY)
    assert await InstrumentStore(mongo).master() == expected


@pytest.mark.parametrize("second", [{"ETag": '"other"'}, {}])
async def test_a_file_that_is_replaced_between_its_two_reads_is_not_stored(
    mongo: Mongo, second: dict[str, str]
) -> None:
    store = InstrumentStore(mongo)
    await store.prepare()
    async with master_server() as server, loading(mongo, server, SteppedClock()) as master:
        server.file, server.validator = zipped([row(number) for number in range(4)]), TODAYS[0]
        await master.load(TODAY)
        before = await store.master()

        def replace() -> None:
            server.file, server.validator = zipped([row(9)]), second

        server.validator, server.after_body = {"ETag": '"new"'}, replace
        with pytest.raises(Unavailable, match="replaced"):
            await master.load(TODAY, before.validator)
        assert await store.master() == before
        assert await stored_symbols(mongo) == {f"SYM{number}" for number in range(4)}
        # The size that was accepted is not that of the file that replaced it.
        with pytest.raises(Unavailable, match="1 instruments after 4"):
            await master.load(TODAY, before.validator)


async def test_a_file_that_is_replaced_between_its_two_reads_is_asked_for_again(
    mongo: Mongo,
) -> None:
    failed = failures()
    async with master_server() as server:
        server.file, server.validator = zipped([row(1)]), YESTERDAYS[0]

        def replace() -> None:
            server.file, server.validator = zipped([row(2)]), TODAYS[0]

        server.after_body = replace
        async with running(mongo, server, SteppedClock(), master_check_secs=3_600):
            await are_stored(mongo, "SYM2")
    assert failures() == failed + 1
    assert (await InstrumentStore(mongo).master()).validator == TODAYS[0]["ETag"]


async def test_a_later_version_that_is_too_small_is_refused(mongo: Mongo) -> None:
    clock = SteppedClock()
    async with master_server() as server:
        server.file, server.validator = zipped([row(1), row(2), row(3)]), YESTERDAYS[0]
        async with running(mongo, server, clock):
            await are_stored(mongo, "SYM1", "SYM2", "SYM3")
            failed = failures()
            server.file, server.validator = zipped([row(9)]), TODAYS[0]
            await eventually(lambda: failures() > failed + 1, what="it is refused repeatedly")
            record = await InstrumentStore(mongo).master()
            assert [refusal.instruments for refusal in record.refusals] == [1]
            assert (record.day, record.validator) == (TODAY, YESTERDAYS[0]["ETag"])
            await are_stored(mongo, "SYM1", "SYM2", "SYM3")


async def test_a_check_that_fails_is_counted_and_repeated(mongo: Mongo) -> None:
    clock = SteppedClock()
    async with master_server() as server:
        server.file, server.validator = zipped([row(1)]), YESTERDAYS[0]
        async with running(mongo, server, clock):
            await are_stored(mongo, "SYM1")
            failed = failures()
            server.file = None
            await eventually(lambda: failures() > failed + 1, what="checks fail")
            assert (await InstrumentStore(mongo).master()).day == TODAY
            server.file, server.validator = zipped([row(2)]), TODAYS[0]
            await are_stored(mongo, "SYM2")


async def test_an_answer_that_is_not_a_file_is_refused(mongo: Mongo) -> None:
    """304 to a request without a condition, for example."""
    await InstrumentStore(mongo).prepare()
    async with master_server() as server, loading(mongo, server, SteppedClock()) as master:
        server.file, server.status = zipped([row(1)]), 304
        with pytest.raises(Unavailable, match="status 304"):
            await master.load(TODAY)
