"""A rotation of the sealing keys loses no link and can be interrupted at any point."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from operations.__main__ import main
from services.trading.links.documents import LINKS, LOGINS, SEALED_FIELDS
from services.trading.links.seal_keys import create_seal_key, load_key_ring
from services.trading.links.sealing import key_of
from services.trading.rotate_seal_keys import rotate
from services.trading.settings import TradingSettings
from shared.contracts.upstox_links import LinkPurpose, LinkRequestRequest, LinkState
from shared.errors import ConfigError
from shared.runtime import exit_codes
from shared.runtime.clock import SystemClock
from shared.runtime.mongo import Mongo
from shared.runtime.settings import MongoSettings
from tests.support.clocks import OffClock
from tests.support.simulated import simulator
from tests.support.upstox_linking import APP, REDIRECT_URL, begin, link, link_settings, link_term

USER = "user-1"
OTHER = "user-2"
COMMAND = ["keys", "rotate-sealing"]


@pytest.fixture
async def settings(tmp_path: Path) -> AsyncIterator[TradingSettings]:
    """Settings of a process that links accounts at a simulator, with one sealing key."""
    await asyncio.to_thread(create_seal_key, tmp_path, OffClock(-600.0))
    async with simulator(
        redirect_uris=REDIRECT_URL, notifier_url="http://127.0.0.1:9/unused"
    ) as url:
        yield link_settings(url, tmp_path)


async def keys_in_use(mongo: Mongo) -> list[str]:
    """The keys of all sealed values."""
    keys = []
    for collection, fields in SEALED_FIELDS.items():
        async for document in mongo.db[collection].find():
            keys += [key_of(document[name]) for name in fields if name in document]
    return keys


def remove_key(directory: Path, key_id: str) -> None:
    (directory / f"{key_id}.key").unlink()


async def test_after_a_rotation_the_old_key_is_not_needed_by_anyone(
    mongo: Mongo, settings: TradingSettings, tmp_path: Path
) -> None:
    (old,) = (await asyncio.to_thread(load_key_ring, tmp_path)).keys
    async with link_term(mongo, settings) as term:
        await link(term, USER, app=APP)
        waiting = await begin(term, OTHER, LinkPurpose.FEED, APP)
        assert await keys_in_use(mongo) == [old] * 3

        rotation = await rotate(tmp_path, mongo, SystemClock(), may_create=True)
        assert (rotation.is_new, rotation.resealed.count, rotation.unused) == (True, 3, [old])
        assert rotation.resealed.broken == []
        assert await keys_in_use(mongo) == [rotation.key_id] * 3
        await asyncio.to_thread(remove_key, tmp_path, old)

        assert (
            await term.commands.finish(waiting.request(is_admin=True))
        ).state is LinkState.LINKED
        request = LinkRequestRequest(user_id=USER, purpose=LinkPurpose.TRADING)
        assert (await term.commands.request(request)).state is LinkState.WAITING
        before = term.directory.link(USER)
    assert set(await keys_in_use(mongo)) == {rotation.key_id}
    async with link_term(mongo, settings) as next_term:
        assert next_term.directory.link(USER) == before


async def test_an_interrupted_rotation_is_finished_without_a_further_key(
    mongo: Mongo, settings: TradingSettings, tmp_path: Path
) -> None:
    async with link_term(mongo, settings) as term:
        await link(term, USER, app=APP)
    await asyncio.to_thread(create_seal_key, tmp_path, SystemClock())
    finished = await rotate(tmp_path, mongo, SystemClock(), may_create=True)
    assert (finished.is_new, finished.resealed.count) == (False, 2)
    again = await rotate(tmp_path, mongo, SystemClock(), may_create=False)
    assert (again.is_new, again.resealed.count, again.key_id) == (False, 0, finished.key_id)
    following = await rotate(tmp_path, mongo, OffClock(600.0), may_create=True)
    assert (following.is_new, following.resealed.count) == (True, 2)
    assert len(following.unused) == 2


async def test_what_cannot_be_opened_is_reported_and_left(
    mongo: Mongo, settings: TradingSettings, tmp_path: Path
) -> None:
    async with link_term(mongo, settings) as term:
        await link(term, USER)
        await link(term, OTHER, LinkPurpose.FEED)
    (old,) = (await asyncio.to_thread(load_key_ring, tmp_path)).keys
    token = (await mongo.db[LINKS].find_one({"_id": "feed"}) or {})["token"]
    await mongo.db[LINKS].update_one({"_id": USER}, {"$set": {"token": token}})
    rotation = await rotate(tmp_path, mongo, SystemClock(), may_create=True)
    assert rotation.resealed.broken == [f"{LINKS} {USER} token"]
    assert rotation.unused == [], "a key was given up that a document names"
    assert old in await keys_in_use(mongo)
    again = await rotate(tmp_path, mongo, OffClock(600.0), may_create=True)
    assert (again.is_new, again.resealed.count) == (True, 1), "rotations have ended"


async def test_without_documents_the_first_key_is_created(mongo: Mongo, tmp_path: Path) -> None:
    first = await rotate(tmp_path / "keys", mongo, SystemClock(), may_create=True)
    assert (first.is_new, first.resealed.count, first.unused) == (True, 0, [])
    with pytest.raises(ConfigError, match="contains no sealing key"):
        await rotate(tmp_path, mongo, SystemClock(), may_create=False)
    assert await mongo.db[LOGINS].count_documents({}) == 0


def test_the_command_reports_what_it_did(
    mongo_settings: MongoSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TRADEDAD_TRADING_NATS_PASSWORD", "unused")
    monkeypatch.setenv("TRADEDAD_MONGO_URL", mongo_settings.url.get_secret_value())
    monkeypatch.setenv("TRADEDAD_MONGO_DATABASE", mongo_settings.database)
    assert main(COMMAND) == exit_codes.CONFIG
    assert "TRADEDAD_TRADING_KEYS_DIR is not set" in capsys.readouterr().err
    monkeypatch.setenv("TRADEDAD_TRADING_KEYS_DIR", str(tmp_path / "keys"))
    assert main([*COMMAND, "--no-new-key"]) == exit_codes.CONFIG
    assert "TRADEDAD_TRADING_KEYS_DIR" in capsys.readouterr().err
    assert main(COMMAND) == exit_codes.OK
    assert "was created and seals now" in capsys.readouterr().out
    assert main(COMMAND) == exit_codes.OK
    assert "seals nothing any more" in capsys.readouterr().out
