"""The instruments master is loaded as a stream, and kept when the next load fails."""

import asyncio
import json
import tracemalloc
from datetime import datetime
from typing import Any

import pytest
from prometheus_client import REGISTRY

from services.persister.instruments.instrument_store import InstrumentStore
from shared.errors import Unavailable
from shared.market.exchange_time import DAY_MS
from shared.runtime.mongo import Mongo
from shared.runtime.tasks import stop
from tests.support.builders import MONDAY_10_00
from tests.support.instrument_masters import SteppedClock, loading, master_server, row, zipped
from tests.support.waiting import eventually

FIRST_MASTER_SECS = datetime.fromisoformat("2026-11-23T06:15+05:30").timestamp()


def metric(name: str) -> float:
    return REGISTRY.get_sample_value(f"tradedad_persister_{name}") or 0.0


async def stored_symbols(mongo: Mongo) -> set[str]:
    return {instrument["symbol"] async for instrument in mongo.db["instruments"].find()}


@pytest.fixture
def truncated_file() -> bytes:
    """A gzip file without its last bytes; all rows can be read."""
    whole = zipped([row(number) for number in range(1, 9)])
    return whole[:-4]


async def test_a_master_is_loaded_each_day_and_one_that_fails_keeps_the_last(
    mongo: Mongo, truncated_file: bytes
) -> None:
    clock = SteppedClock()
    async with master_server() as server, loading(mongo, server, clock) as master:
        server.file = zipped([row(number) for number in range(1, 9)])
        work = asyncio.create_task(master.run())

        async def has(*symbols: str) -> None:
            async def is_so() -> bool:
                return await stored_symbols(mongo) == set(symbols)

            await eventually(is_so, what=f"{symbols} are stored")

        async def fetched_again() -> None:
            count = server.requests

            async def is_so() -> bool:
                return server.requests >= count + 2

            await eventually(is_so, what="it tried again")

        first = [f"SYM{number}" for number in range(1, 9)]
        await has(*first)
        count = server.requests
        reads = clock.reads
        await eventually(lambda: clock.reads > reads + 5, what="the date is checked again")
        assert server.requests == count  # once a day
        assert metric("master_timestamp_seconds") == FIRST_MASTER_SECS
        for bad in (None, b"<html>", truncated_file, zipped([row(1)])):
            failures = metric("master_failures_total")
            clock.at_ms += DAY_MS
            server.file = bad
            await fetched_again()
            assert await stored_symbols(mongo) == set(first)
            assert metric("master_failures_total") > failures
            assert metric("master_timestamp_seconds") == FIRST_MASTER_SECS, "it grows old"
        rows = [row(2, trading_symbol="RENAMED"), *(row(number) for number in range(3, 10))]
        server.file = zipped(rows)
        await has("RENAMED", *first[2:], "SYM9")
        await eventually(
            lambda: metric("master_timestamp_seconds") == FIRST_MASTER_SECS + 4 * 86_400,
            what="the master is that of today",
        )
        assert not work.done()
        await stop([work])


async def test_a_master_that_cannot_be_read_at_the_start_is_not_awaited_until_the_next_check(
    mongo: Mongo,
) -> None:
    async with (
        master_server() as server,
        loading(mongo, server, SteppedClock(), master_check_secs=3_600) as master,
    ):
        work = asyncio.create_task(master.run())
        await eventually(lambda: server.requests > 0, what="it was asked for")
        server.file = zipped([row(1)])

        async def is_loaded() -> bool:
            return await stored_symbols(mongo) == {"SYM1"}

        await eventually(is_loaded, what="the master is loaded")
        await stop([work])


@pytest.mark.parametrize(
    "value",
    [b"1" * 5_000, b"[" * 60 + b"]" * 60, b"1e" + b"9" * 30, b'{"\\udc00": 1}'],
    ids=["a long number", "deep nesting", "a large exponent", "half a surrogate pair"],
)
async def test_a_master_that_cannot_be_decoded_keeps_the_last_and_the_process(
    mongo: Mongo, value: bytes
) -> None:
    whole = json.dumps([row(1), row(2)]).encode()
    async with master_server() as server, loading(mongo, server, SteppedClock()) as master:
        server.file = b"%b,%b]" % (whole[:-1], value)
        failures = metric("master_failures_total")
        work = asyncio.create_task(master.run())
        await eventually(lambda: metric("master_failures_total") > failures, what="it has failed")
        assert await stored_symbols(mongo) == set()
        server.file = whole

        async def is_loaded() -> bool:
            return await stored_symbols(mongo) == {"SYM1", "SYM2"}

        await eventually(is_loaded, what="the next master is loaded")
        await stop([work])


async def test_a_malformed_row_does_not_affect_others(mongo: Mongo) -> None:
    async with master_server() as server, loading(mongo, server, SteppedClock()) as master:
        bad_rows: list[dict[str, Any]] = [
            {"segment": "NSE_EQ"},
            row(3, expiry=MONDAY_10_00 * 1_000),
            row(4, expiry=MONDAY_10_00 * 1_000_000),
            row(5, lot_size=1e20),
            row(6, lot_size=10**25),
            row(7, trading_symbol=None),
            row(8, name={"text": "x"}),
            row(9, tick_size=1e308),
        ]
        server.file = zipped([row(1), *bad_rows, row(2)])
        await InstrumentStore(mongo).prepare()
        await master.load("2026-11-23")
    assert await stored_symbols(mongo) == {"SYM1", "SYM2"}


async def test_a_master_is_never_completely_in_memory(mongo: Mongo) -> None:
    rows = [row(number, security_type="X" * 2_000) for number in range(8_000)]
    async with master_server() as server, loading(mongo, server, SteppedClock()) as master:
        server.file = zipped(rows)
        whole_bytes = len(json.dumps(rows))
        del rows
        await InstrumentStore(mongo).prepare()
        tracemalloc.start()
        await master.load("2026-11-23")
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert await mongo.db["instruments"].count_documents({}) == 8_000
    assert peak_bytes < whole_bytes / 2


async def test_a_refused_master_leaves_no_instrument_and_is_accepted_on_the_third_day(
    mongo: Mongo,
) -> None:
    first = [row(number) for number in range(1, 9)]
    async with master_server() as server, loading(mongo, server, SteppedClock()) as master:
        await InstrumentStore(mongo).prepare()
        server.file = zipped(first)
        await master.load("2026-11-23")
        server.file = zipped([row(100), row(101)])
        for day in ("2026-11-24", "2026-11-25"):
            with pytest.raises(Unavailable):
                await master.load(day)
            assert await stored_symbols(mongo) == {f"SYM{number}" for number in range(1, 9)}
        await master.load("2026-11-26")
    assert await stored_symbols(mongo) == {"SYM100", "SYM101"}


async def test_a_smaller_master_is_accepted_with_the_setting(mongo: Mongo) -> None:
    async with master_server() as server:
        server.file = zipped([row(number) for number in range(1, 9)])
        async with loading(mongo, server, SteppedClock()) as master:
            await InstrumentStore(mongo).prepare()
            await master.load("2026-11-23")
        server.file = zipped([row(1)])
        async with loading(mongo, server, SteppedClock(), master_min_share=0) as master:
            await master.load("2026-11-24")
    assert await stored_symbols(mongo) == {"SYM1"}


@pytest.mark.parametrize("file", [b"[]", b"{}", b'[{"a": 1}]'])
async def test_a_master_without_an_instrument_is_refused(mongo: Mongo, file: bytes) -> None:
    async with master_server() as server, loading(mongo, server, SteppedClock()) as master:
        await InstrumentStore(mongo).prepare()
        server.file = file
        with pytest.raises(Unavailable):
            await master.load("2026-11-23")


async def test_a_master_with_another_address_replaces_all_instruments_also_on_the_same_day(
    mongo: Mongo,
) -> None:
    store = InstrumentStore(mongo)
    await store.prepare()
    universes = [[row(number) for number in range(1, 9)], [row(100)]]
    async with master_server() as one, master_server() as other:
        one.file, other.file = map(zipped, universes)
        for server, symbols in (
            (one, {f"SYM{number}" for number in range(1, 9)}),
            (other, {"SYM100"}),
            (one, {f"SYM{number}" for number in range(1, 9)}),
        ):
            async with loading(mongo, server, SteppedClock()) as master:
                work = asyncio.create_task(master.run())

                async def has(expected: set[str] = symbols) -> bool:
                    return await stored_symbols(mongo) == expected

                await eventually(has, what=f"{symbols} are stored")
                await stop([work])


async def test_a_master_that_was_stored_in_part_is_replaced_by_one_of_any_size(
    mongo: Mongo,
) -> None:
    store = InstrumentStore(mongo)
    await store.prepare()
    async with master_server() as server, loading(mongo, server, SteppedClock()) as master:
        server.file = zipped([row(number) for number in range(1, 9)])
        await master.load("2026-11-23")
        await store.begin("https://example.com/another")  # and then the leader was killed
        server.file = zipped([row(100)])
        await master.load("2026-11-23")
    assert await stored_symbols(mongo) == {"SYM100"}
