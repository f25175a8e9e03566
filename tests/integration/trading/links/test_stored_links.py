"""What is stored of links: sealed secrets, the audit, interrupted changes, and the end of a link."""

import asyncio
import logging
from typing import Any

import msgspec
import pytest
from pymongo.errors import PyMongoError

from services.trading.links.documents import AUDIT, LINKS, LOGINS
from services.trading.links.term import LinkTerm
from services.trading.settings import TradingSettings
from shared.contracts.upstox_links import (
    HintKind,
    LinkHint,
    LinkPurpose,
    LinkRequestRequest,
    LinkState,
)
from shared.errors import (
    LinkRefused,
    LinkStateInvalid,
    Unavailable,
)
from shared.runtime.mongo import Mongo
from tests.support.upstox_linking import (
    APP,
    FAULTS,
    OTHER,
    USER,
    alive,
    begin,
    link,
    link_term,
    new_token,
    post,
    profile_status,
    status,
    unlink,
)
from tests.support.waiting import eventually


async def test_no_secret_is_stored_as_it_is(term: LinkTerm, mongo: Mongo, upstox: str) -> None:
    await link(term, USER, app=APP)
    returned = await begin(term, OTHER, app=APP)
    secrets = [
        alive(term.directory, USER).access_token,
        APP["client_secret"],
        returned.state.rpartition(".")[2],
        returned.code,
    ]
    stored = ""
    for name in (LINKS, LOGINS, AUDIT):
        stored += str([document async for document in mongo.db[name].find()])
    assert "SIM001" in stored
    assert [secret for secret in secrets if secret in stored] == []


async def test_no_secret_is_logged_at_any_level(
    mongo: Mongo,
    settings: TradingSettings,
    upstox: str,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for logger in (None, "pymongo", "pymongo.command"):  # another test may have set their levels
        caplog.set_level(logging.DEBUG, logger)
    async with link_term(mongo, settings) as term:
        returned = await begin(term, USER, app=APP)
        await term.commands.finish(returned.request())
        first = alive(term.directory, USER).access_token
        await term.commands.request(LinkRequestRequest(user_id=USER, purpose=LinkPurpose.TRADING))
        posted = await new_token(upstox)
        hint = LinkHint(user_id=USER, kind=HintKind.TOKEN, access_token=posted)
        await term.hints.look_into(msgspec.structs.replace(hint, access_token="forged-token"))
        await term.hints.look_into(hint)
        assert alive(term.directory, USER).access_token == posted
        wrong = await begin(term, USER, app=APP | {"client_secret": "wrong-secret"})
        with pytest.raises(LinkRefused):
            await term.commands.finish(wrong.request())
        await unlink(term, USER)
    ours = capsys.readouterr().out
    assert "upstox token renewed" in ours
    secrets = [
        first, posted, "forged-token", "wrong-secret", APP["client_secret"],
        returned.code, wrong.code, returned.state.rpartition(".")[2],
    ]  # fmt: skip
    # That of the simulator, which runs in this process.
    simulators = "aiohttp.access"
    logged = [record.getMessage() for record in caplog.records if record.name != simulators]
    assert any("upstox_links" in message for message in logged), "the driver logs nothing"
    assert [secret for secret in secrets if secret in ours + "".join(logged)] == []


async def test_the_audit_is_kept_for_the_set_time_also_after_a_change(
    mongo: Mongo, settings: TradingSettings
) -> None:
    for days in (10, 20):
        changed = settings.model_copy(update={"audit_retention_days": days})
        async with link_term(mongo, changed) as term:
            await begin(term, USER)
    kept = [
        (entry["expires_at"] - entry["at"]).days
        async for entry in mongo.db[AUDIT].find().sort("_id")
    ]
    assert kept == [10, 20]


async def test_unlinking_ends_the_token_and_can_be_repeated(
    term: LinkTerm, mongo: Mongo, upstox: str
) -> None:
    await link(term, USER)
    token = alive(term.directory, USER).access_token
    waiting = await begin(term, USER)
    for _ in range(2):
        assert (await unlink(term, USER)).state is LinkState.UNLINKED
    assert term.directory.link(USER) is None
    assert list(term.directory.linked_users()) == []
    assert await profile_status(upstox, token) == 401
    assert await mongo.db[LINKS].count_documents({}) == 0
    with pytest.raises(LinkStateInvalid):
        await term.commands.finish(waiting.request())


async def test_unlinking_forgets_the_token_although_upstox_fails(
    term: LinkTerm, mongo: Mongo, upstox: str
) -> None:
    await link(term, USER)
    fault = {"kind": "error", "path": "/v2/logout", "status": 500, "times": None}
    assert await post(upstox, FAULTS, fault) == 201
    assert (await unlink(term, USER)).state is LinkState.UNLINKED
    assert await mongo.db[LINKS].count_documents({}) == 0


async def test_a_crash_between_exchange_and_storing_leaves_the_user_unlinked(
    term: LinkTerm, mongo: Mongo, settings: TradingSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    returned = await begin(term, USER)

    async def crash(*_: Any, **__: Any) -> None:
        raise PyMongoError("the process has ended")

    store = term.commands._store
    with monkeypatch.context() as patch:
        patch.setattr(type(store), "save", crash)
        with pytest.raises(PyMongoError):
            await term.commands.finish(returned.request())
    async with link_term(mongo, settings) as next_term:
        assert (await status(next_term, USER)).state is LinkState.UNLINKED
        with pytest.raises(LinkStateInvalid):
            await next_term.commands.finish(returned.request())
        assert (await link(next_term, USER)).state is LinkState.LINKED


@pytest.mark.parametrize("method", ["save", "remove"])
async def test_a_change_whose_storing_was_interrupted_is_read_again(
    term: LinkTerm, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    is_removal = method == "remove"
    if is_removal:
        await link(term, USER)
    store = type(term.commands._store)
    original = getattr(store, method)

    async def stored_but_interrupted(*args: Any) -> None:
        await original(*args)
        raise asyncio.CancelledError

    with monkeypatch.context() as patch:
        patch.setattr(store, method, stored_but_interrupted)
        with pytest.raises(asyncio.CancelledError):
            await (unlink(term, USER) if is_removal else link(term, USER))

    def is_known() -> bool:
        return (term.directory.link(USER) is None) is is_removal

    await eventually(is_known, what="the directory has what was stored")


async def test_a_deposed_owner_changes_nothing(
    term: LinkTerm, mongo: Mongo, settings: TradingSettings
) -> None:
    returned = await begin(term, USER)
    async with link_term(mongo, settings) as next_term:
        with pytest.raises(Unavailable):
            await term.commands.finish(returned.request())
        assert term.directory.link(USER) is None
        assert await mongo.db[LINKS].count_documents({}) == 0
        assert (await link(next_term, USER)).state is LinkState.LINKED
        with pytest.raises(Unavailable):
            await unlink(term, USER)
        assert next_term.directory.link(USER) is not None


async def test_a_link_outlives_its_owner(mongo: Mongo, settings: TradingSettings) -> None:
    async with link_term(mongo, settings) as term:
        view = await link(term, USER)
        before = alive(term.directory, USER)
    async with link_term(mongo, settings) as next_term:
        assert alive(next_term.directory, USER) == before
        assert await status(next_term, USER) == view
