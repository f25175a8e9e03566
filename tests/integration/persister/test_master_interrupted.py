"""A load of a later master that is not complete leaves the last complete one in force."""

import asyncio
import zlib
from collections.abc import AsyncIterator

import aiohttp
import pytest

from services.persister.instruments.instrument_store import InstrumentStore
from services.persister.instruments.master_acceptance import MasterRecord
from services.persister.instruments.master_loader import MasterLoader
from services.persister.instruments.option_contracts import OptionContracts
from shared.contracts.instruments import GetRequest
from shared.contracts.option_chains import OptionsRequest
from shared.errors import NotFound, Unavailable
from shared.runtime.mongo import Mongo
from shared.runtime.tasks import stop
from tests.support.builders import MONDAY_10_00
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
FIRST, SECOND, THIRD = ({"ETag": f'"{name}"'} for name in ("first", "second", "third"))
UNDERLYING, EXPIRY = "NSE_EQ|1", "2026-11-30"
EXPIRY_MS = MONDAY_10_00 + 7 * 86_400_000
FIRST_ROWS = [
    row(1),
    *(
        row(number, instrument_type="CE", underlying_key=UNDERLYING, expiry=EXPIRY_MS,
            strike_price=100.0 + number)
        for number in range(2, 801)
    ),
]  # fmt: skip
SECOND_ROWS = [row(number) for number in range(10_001, 10_801)]


@pytest.fixture
async def server() -> AsyncIterator[MasterServer]:
    async with master_server() as server:
        yield server


@pytest.fixture
async def loader(mongo: Mongo, server: MasterServer) -> AsyncIterator[MasterLoader]:
    """A loader that has loaded the first master."""
    await InstrumentStore(mongo).prepare()
    server.file, server.validator = zipped(FIRST_ROWS), FIRST
    async with loading(mongo, server, SteppedClock()) as loader:
        await loader.load(TODAY)
        yield loader


async def load_in_part(
    server: MasterServer, loader: MasterLoader, whole: bytes, day: str = TODAY
) -> None:
    """Begin to load a master whose second download breaks off; up to 500 rows are stored."""

    def break_off() -> None:
        server.file = whole[:-4]

    server.file, server.validator, server.after_body = whole, SECOND, break_off
    with pytest.raises((Unavailable, aiohttp.ClientError, zlib.error)):
        await loader.load(day, FIRST["ETag"])


async def stored_keys(mongo: Mongo) -> set[str]:
    return {instrument["_id"] async for instrument in mongo.db["instruments"].find()}


def keys_of(rows: list[dict[str, object]]) -> set[str]:
    return {str(one["instrument_key"]) for one in rows}


async def test_lookups_use_the_stored_instruments_while_a_later_master_is_incomplete(
    mongo: Mongo, server: MasterServer, loader: MasterLoader
) -> None:
    await load_in_part(server, loader, zipped(SECOND_ROWS))
    store, options = InstrumentStore(mongo), OptionContracts(mongo, SteppedClock())
    record = await store.master()
    expected = MasterRecord(url=server.url, day=TODAY, size=len(FIRST_ROWS), is_loading=True)
    assert record == expected
    old, new = UNDERLYING, "NSE_EQ|10001"
    reply = await store.get(GetRequest(keys=[old, new, "NSE_EQ|unknown"]))
    assert [instrument.key for instrument in reply.instruments] == [old, new]
    assert reply.unknown == ["NSE_EQ|unknown"]
    assert await store.knows("NSE_EQ|unknown") is False
    assert (await options.read(OptionsRequest(underlying=old))).expiry == EXPIRY
    with pytest.raises(NotFound, match=f"but on {EXPIRY}"):
        await options.read(OptionsRequest(underlying=old, expiry="2026-12-01"))
    with pytest.raises(NotFound, match="no instrument"):
        await options.read(OptionsRequest(underlying="NSE_EQ|unknown"))


@pytest.mark.parametrize("has_size", [True, False])
async def test_after_a_broken_download_a_much_smaller_file_is_refused(
    mongo: Mongo, server: MasterServer, loader: MasterLoader, *, has_size: bool
) -> None:
    if not has_size:  # a record of an earlier version
        await mongo.db["masters"].update_one({}, {"$unset": {"size": "", "is_loading": ""}})
    await load_in_part(server, loader, zipped(SECOND_ROWS))
    mixed = await stored_keys(mongo)
    assert mixed > keys_of(FIRST_ROWS)
    server.file, server.validator = zipped(SECOND_ROWS[:300]), THIRD
    with pytest.raises(Unavailable, match="300 instruments after 800"):
        await loader.load(TODAY)
    assert await stored_keys(mongo) == mixed
    # 450 are more than half of the complete master, and less than half of what is stored.
    assert len(mixed) > 900
    server.file = zipped(SECOND_ROWS[:450])
    await loader.load(TODAY)
    assert await stored_keys(mongo) == keys_of(SECOND_ROWS[:450])
    expected = MasterRecord(url=server.url, day=TODAY, validator=THIRD["ETag"], size=450)
    assert await InstrumentStore(mongo).master() == expected


@pytest.mark.parametrize("retried_on", ["2026-11-26", "2026-11-27"])
async def test_a_smaller_master_that_was_accepted_is_still_so_after_its_download_broke_off(
    mongo: Mongo, server: MasterServer, loader: MasterLoader, retried_on: str
) -> None:
    rows = SECOND_ROWS[:350]
    server.file, server.validator = zipped(rows), SECOND
    for day in ("2026-11-24", "2026-11-25"):
        with pytest.raises(Unavailable, match="350 instruments after 800"):
            await loader.load(day)
    await load_in_part(server, loader, zipped(rows), day="2026-11-26")
    assert (await InstrumentStore(mongo).master()).is_loading
    server.file = zipped(rows)
    await loader.load(retried_on)
    assert await stored_keys(mongo) == keys_of(rows)
    expected = MasterRecord(url=server.url, day=retried_on, validator=SECOND["ETag"], size=350)
    assert await InstrumentStore(mongo).master() == expected


@pytest.mark.usefixtures("loader")
async def test_after_a_crash_the_master_is_loaded_again_although_its_day_and_file_are_the_same(
    mongo: Mongo, server: MasterServer
) -> None:
    store = InstrumentStore(mongo)
    await store.begin(server.url)  # and then the leader was killed
    assert (await store.master()).day == TODAY
    bodies = server.bodies
    async with loading(mongo, server, SteppedClock()) as successor:
        work = asyncio.create_task(successor.run())

        async def is_complete() -> bool:
            return not (await store.master()).is_loading

        await eventually(is_complete, what="the master is loaded again")
        await stop([work])
    assert server.bodies == bodies + 2
    expected = MasterRecord(
        url=server.url, day=TODAY, validator=FIRST["ETag"], size=len(FIRST_ROWS)
    )
    assert await store.master() == expected


@pytest.mark.usefixtures("loader")
async def test_a_load_of_another_address_leaves_no_complete_master(mongo: Mongo) -> None:
    store, other = InstrumentStore(mongo), "https://example.com/another"
    for _ in range(2):  # the second one after a crash
        await store.begin(other)
        assert await store.master() == MasterRecord(url=other, is_loading=True)
    assert await store.knows("NSE_EQ|unknown") is None
    with pytest.raises(Unavailable, match="not been loaded"):
        await store.get(GetRequest(keys=["NSE_EQ|unknown"]))
