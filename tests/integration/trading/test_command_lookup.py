"""Stored commands are found, many at once. A real mongod."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import pytest
from pymongo.errors import PyMongoError

from services.trading.journal.record import CommandRecord
from services.trading.store.command_lookup import CommandLookup
from services.trading.store.documents import COMMANDS, command_document, utc_now
from shared.contracts.trading import Operation
from shared.errors import Unavailable
from shared.runtime.mongo import Mongo
from shared.runtime.tasks import stop

USER: Final = "user-1"


def command(number: int) -> CommandRecord:
    """A command that was carried out."""
    return CommandRecord(
        user_id=USER, key=f"key-{number}", operation=Operation.PLACE, digest=b"d",
        request=b"{}", answer=b"%d" % number,
    )  # fmt: skip


@pytest.fixture
async def lookup(mongo: Mongo) -> AsyncIterator[CommandLookup]:
    lookup = CommandLookup(mongo)
    running = asyncio.create_task(lookup.run())
    yield lookup
    await stop([running])


async def test_each_of_many_lookups_gets_its_own_command(
    lookup: CommandLookup, mongo: Mongo
) -> None:
    documents = [command_document(command(number), utc_now()) for number in range(0, 300, 2)]
    await mongo.db.get_collection(COMMANDS).insert_many(documents)
    found = await asyncio.gather(*(lookup.command(USER, f"key-{n}") for n in range(300)))
    answers = [None if one is None else bytes(one["answer"]) for one in found]
    assert answers == [b"%d" % n if n % 2 == 0 else None for n in range(300)]
    assert await lookup.command("user-2", "key-0") is None


async def test_a_lookup_that_is_given_up_disturbs_no_other(
    lookup: CommandLookup, mongo: Mongo
) -> None:
    await mongo.db.get_collection(COMMANDS).insert_one(command_document(command(1), utc_now()))
    given_up = asyncio.create_task(lookup.command(USER, "key-1"))
    others = [asyncio.create_task(lookup.command(USER, "key-1")) for _ in range(3)]
    await asyncio.sleep(0)
    given_up.cancel()
    assert [one is not None and one["key"] for one in await asyncio.gather(*others)] == [
        "key-1"
    ] * 3
    assert given_up.cancelled()


async def test_a_failed_query_fails_its_lookups_and_later_ones_are_answered(
    lookup: CommandLookup, mongo: Mongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_zero = {"$project": {"x": {"$divide": ["$seq", 0]}}}
    await mongo.db.get_collection("numbers").insert_one({"_id": f"{USER}|key-1", "seq": 1})
    failing = await mongo.db.create_collection("failing", viewOn="numbers", pipeline=[by_zero])
    with monkeypatch.context() as patch:
        patch.setattr(lookup, "_commands", failing)
        with pytest.raises(PyMongoError):
            await lookup.command(USER, "key-1")
    assert await lookup.command(USER, "key-1") is None


async def test_lookups_end_with_the_term(mongo: Mongo) -> None:
    lookup = CommandLookup(mongo)
    running = asyncio.create_task(lookup.run())
    assert await lookup.command(USER, "key-0") is None
    waiting = [asyncio.create_task(lookup.command(USER, f"key-{n}")) for n in range(3)]
    await asyncio.sleep(0)
    await stop([running])
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(result) for result in results] == [Unavailable] * 3
