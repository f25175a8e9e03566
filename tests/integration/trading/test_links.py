"""Linking Upstox accounts: real mongod, the real simulator, and NATS for the feed's token."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import aiohttp
import msgspec
import pytest
from pymongo.errors import PyMongoError

from services.ingest.bus.bus_token import BusToken
from services.trading.links.directory import NOT_OPENED, TOKEN_REFUSED
from services.trading.links.documents import AUDIT, LINKS, LOGINS
from services.trading.links.feed_token import FeedToken
from services.trading.links.link import Link, Links
from services.trading.links.login_state import LOGIN_SECS
from services.trading.links.seal_keys import SealKeys, create_seal_key
from services.trading.links.term import LinkTerm
from services.trading.settings import TradingSettings
from shared.contracts.trading import partition_of
from shared.contracts.upstox_links import (
    HintKind,
    LinkBeginRequest,
    LinkHint,
    LinkPurpose,
    LinkRequestRequest,
    LinkState,
    LinkStatusRequest,
    LinkView,
    UnlinkRequest,
)
from shared.errors import (
    Forbidden,
    InvalidField,
    LinkRefused,
    LinkStateInvalid,
    LinkTaken,
    NotFound,
    RequestError,
    Unavailable,
)
from shared.market.exchange_time import DAY_MS
from shared.runtime.clock import SystemClock
from shared.runtime.mongo import Mongo
from tests.support.buses import bus_of
from tests.support.servers import NatsServer
from tests.support.services import running_components
from tests.support.simulated import simulator
from tests.support.upstox_linking import (
    APP,
    REDIRECT_URL,
    QuickClock,
    Returned,
    begin,
    link,
    link_settings,
    link_term,
    log_in,
    post,
)
from tests.support.waiting import eventually

USER: Final = "user-1"
OTHER: Final = "user-2"
FAULTS: Final = "/simulator/v1/faults"
TOKEN_PATH: Final = "/v2/login/authorization/token"
PROFILE_PATH: Final = "/v2/user/profile"


@pytest.fixture
async def upstox() -> AsyncIterator[str]:
    """The address of a simulator."""
    async with simulator(
        redirect_uris=REDIRECT_URL, notifier_url="http://127.0.0.1:9/unused"
    ) as url:
        yield url


@pytest.fixture
async def settings(upstox: str, tmp_path: Path) -> TradingSettings:
    """Settings with one sealing key."""
    await asyncio.to_thread(create_seal_key, tmp_path, SystemClock())
    return link_settings(upstox, tmp_path)


@pytest.fixture
async def term(mongo: Mongo, settings: TradingSettings) -> AsyncIterator[LinkTerm]:
    """The links of the only partition."""
    async with link_term(mongo, settings) as opened:
        yield opened


async def status(term: LinkTerm, user: str, purpose: LinkPurpose = LinkPurpose.TRADING) -> LinkView:
    return await term.commands.status(LinkStatusRequest(user_id=user, purpose=purpose))


async def unlink(term: LinkTerm, user: str) -> LinkView:
    return await term.commands.unlink(UnlinkRequest(user_id=user, purpose=LinkPurpose.TRADING))


async def profile_status(upstox: str, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(upstox, headers=headers) as http:
        async with http.get(PROFILE_PATH) as response:
            return response.status


async def events(mongo: Mongo, user: str) -> list[str]:
    cursor = mongo.db[AUDIT].find({"user": user}).sort("_id")
    return [entry["event"] async for entry in cursor]


def alive(links: Links, user: str) -> Link:
    """The link of a user, which must be alive."""
    found = links.link(user)
    assert found is not None
    return found


async def test_a_login_is_at_the_address_that_browsers_reach(
    mongo: Mongo, upstox: str, tmp_path: Path
) -> None:
    await asyncio.to_thread(create_seal_key, tmp_path, SystemClock())
    settings = link_settings(upstox, tmp_path, upstox_login_url="http://localhost:7440")
    async with link_term(mongo, settings) as term:
        request = LinkBeginRequest(user_id=USER, purpose=LinkPurpose.TRADING)
        reply = await term.commands.begin(request)
    assert reply.login_url.startswith("http://localhost:7440/v2/login/authorization/dialog?")


async def test_a_login_links_the_account_and_its_token_works(
    term: LinkTerm, mongo: Mongo, upstox: str
) -> None:
    changes: list[str] = []
    term.directory.on_change(changes.append)
    assert (await status(term, USER)).state is LinkState.UNLINKED
    view = await link(term, USER)
    assert (view.state, view.upstox_user_id, view.own_app) == (LinkState.LINKED, "SIM001", False)
    assert view == await status(term, USER)
    assert view.expires_at is not None
    assert view.linked_at is not None
    assert 0 < view.expires_at - view.linked_at <= DAY_MS
    found = alive(term.directory, USER)
    assert (found.upstox_user_id, found.expires_at_ms) == ("SIM001", view.expires_at)
    assert await profile_status(upstox, found.access_token) == 200
    assert changes == [USER]
    assert list(term.directory.linked_users()) == [USER]
    assert await events(mongo, USER) == ["begun", "linked"]


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
        await term.hints.look_into(replace_token(hint, "forged-token"))
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


async def test_a_state_and_a_code_can_be_used_once(term: LinkTerm) -> None:
    returned = await begin(term, USER)
    await term.commands.finish(returned.request())
    with pytest.raises(LinkStateInvalid):
        await term.commands.finish(returned.request())
    second = await begin(term, USER)
    with pytest.raises(LinkRefused) as caught:
        await term.commands.finish(Returned(second.state, returned.code).request())
    assert caught.value.members == {"upstox_code": "UDAPI100057"}
    with pytest.raises(LinkStateInvalid):
        await term.commands.finish(second.request())
    assert (await status(term, USER)).state is LinkState.LINKED, "the first login is lost"


async def test_of_concurrent_uses_of_a_state_one_succeeds(term: LinkTerm) -> None:
    request = (await begin(term, USER)).request()
    results = await asyncio.gather(
        *(term.commands.finish(request) for _ in range(8)), return_exceptions=True
    )
    assert sum(isinstance(result, LinkView) for result in results) == 1
    assert sum(isinstance(result, LinkStateInvalid) for result in results) == 7


async def test_a_state_is_of_its_user_only(term: LinkTerm, mongo: Mongo) -> None:
    returned = await begin(term, USER)
    with pytest.raises(LinkStateInvalid):
        await term.commands.finish(returned.request(OTHER))
    forged = returned.state.replace(USER, OTHER)
    with pytest.raises(LinkStateInvalid):
        await term.commands.finish(Returned(forged, returned.code).request())
    assert (await term.commands.finish(returned.request())).state is LinkState.LINKED
    assert (await status(term, OTHER)).state is LinkState.UNLINKED


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


async def test_a_login_of_the_feed_is_finished_by_an_administrator_only(
    term: LinkTerm, mongo: Mongo
) -> None:
    returned = await begin(term, USER, LinkPurpose.FEED)
    with pytest.raises(LinkStateInvalid):
        await term.commands.finish(returned.request(OTHER, is_admin=True))
    with pytest.raises(Forbidden, match="administrators"):
        await term.commands.finish(returned.request())
    assert (await status(term, USER, LinkPurpose.FEED)).state is LinkState.UNLINKED
    assert await events(mongo, USER) == ["begun", "refused"]
    view = await link(term, USER, LinkPurpose.FEED)
    assert (view.state, view.purpose) == (LinkState.LINKED, LinkPurpose.FEED)


async def test_a_login_ends_after_ten_minutes_and_with_the_next_one(
    mongo: Mongo, settings: TradingSettings
) -> None:
    clock = QuickClock()
    async with link_term(mongo, settings, clock=clock) as term:
        first, second = await begin(term, USER), await begin(term, USER)
        with pytest.raises(LinkStateInvalid):
            await term.commands.finish(first.request())
        clock.ahead_secs = LOGIN_SECS + 1.0
        with pytest.raises(LinkStateInvalid):
            await term.commands.finish(second.request())


async def test_an_account_is_linked_by_one_user(term: LinkTerm, mongo: Mongo) -> None:
    before = await link(term, USER)
    with pytest.raises(LinkTaken):
        await link(term, OTHER)
    assert (await status(term, OTHER)).state is LinkState.UNLINKED
    assert await status(term, USER) == before
    assert await events(mongo, OTHER) == ["begun", "taken"]
    await unlink(term, USER)
    assert (await link(term, OTHER)).state is LinkState.LINKED


async def test_users_of_two_partitions_cannot_link_one_account(
    mongo: Mongo, settings: TradingSettings
) -> None:
    settings = settings.model_copy(update={"partitions": 2})
    users = {partition_of(f"user-{n}", 2): f"user-{n}" for n in range(20)}
    async with link_term(mongo, settings, 0) as first, link_term(mongo, settings, 1) as second:
        requests = [
            (await begin(first, users[0])).request(),
            (await begin(second, users[1])).request(),
        ]
        results = await asyncio.gather(
            first.commands.finish(requests[0]),
            second.commands.finish(requests[1]),
            return_exceptions=True,
        )
    assert sorted(type(result).__name__ for result in results) == ["LinkTaken", "LinkView"]
    linked = [isinstance(result, LinkView) for result in results].index(True)
    async with link_term(mongo, settings, linked) as owner:
        assert list(owner.directory.linked_users()) == [users[linked]]
    async with link_term(mongo, settings, 1 - linked) as other:
        assert list(other.directory.linked_users()) == []


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


async def test_an_own_app_is_used_for_its_link(term: LinkTerm) -> None:
    view = await link(term, USER, app=APP)
    assert (view.own_app, view.state) == (True, LinkState.LINKED)
    wrong = APP | {"client_secret": "wrong"}
    returned = await begin(term, USER, app=wrong)
    with pytest.raises(LinkRefused) as caught:
        await term.commands.finish(returned.request())
    assert caught.value.members == {"upstox_code": "UDAPI100016"}
    assert "wrong" not in caught.value.detail
    for field in APP:
        half = {field: APP[field]}
        with pytest.raises(InvalidField):
            await begin(term, USER, app=half)


async def test_without_an_app_of_the_operator_users_need_their_own(
    mongo: Mongo, settings: TradingSettings
) -> None:
    settings = settings.model_copy(update={"upstox_client_id": ""})
    async with link_term(mongo, settings) as term:
        with pytest.raises(InvalidField) as caught:
            await begin(term, USER)
        assert caught.value.field == "client_id"
        assert (await link(term, USER, app=APP)).own_app


async def test_without_keys_or_address_nothing_can_be_linked(
    mongo: Mongo, settings: TradingSettings
) -> None:
    request = LinkBeginRequest(user_id=USER, purpose=LinkPurpose.TRADING)
    cases: list[tuple[dict[str, Any], type[RequestError]]] = [
        ({"upstox_redirect_url": ""}, Forbidden),
        ({"keys_dir": None}, Unavailable),
    ]
    for update, error in cases:
        async with link_term(mongo, settings.model_copy(update=update)) as term:
            (handler,) = [
                each for name, each in term.commands.handlers().items() if name == "link_begin"
            ]
            with pytest.raises(error):
                await handler.handle(request)


@pytest.mark.parametrize("path", [TOKEN_PATH, PROFILE_PATH])
@pytest.mark.parametrize("kind", ["error", "lost"])
async def test_after_a_failure_of_upstox_the_user_logs_in_again(
    term: LinkTerm, mongo: Mongo, upstox: str, path: str, kind: str
) -> None:
    returned = await begin(term, USER)
    assert await post(upstox, FAULTS, {"kind": kind, "path": path}) == 201
    with pytest.raises(Unavailable):
        await term.commands.finish(returned.request())
    with pytest.raises(LinkStateInvalid):
        await term.commands.finish(returned.request())
    assert await mongo.db[LINKS].count_documents({}) == 0
    assert (await link(term, USER)).state is LinkState.LINKED


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


async def test_a_token_dies_at_half_past_three_and_its_user_logs_in_again(
    mongo: Mongo, settings: TradingSettings
) -> None:
    clock = QuickClock()
    async with link_term(mongo, settings, clock=clock) as term:
        view = await link(term, USER)
        changes: list[str] = []
        term.directory.on_change(changes.append)
        assert view.expires_at is not None
        clock.ahead_secs = (view.expires_at - clock.now_ms()) / 1_000 + 1
        await eventually(lambda: changes == [USER], what="the death is reported")
        assert term.directory.link(USER) is None
        assert list(term.directory.linked_users()) == [USER]
        dead = await status(term, USER)
        assert dead.state is LinkState.EXPIRED
        assert "03:30" in (dead.detail or "")
        assert (await link(term, USER)).state is LinkState.LINKED
        assert changes == [USER, USER]


async def test_a_refused_token_is_remembered_until_the_next_login(
    mongo: Mongo, settings: TradingSettings, upstox: str
) -> None:
    async with link_term(mongo, settings) as term:
        await link(term, USER)
        refused = alive(term.directory, USER)
        assert await post(upstox, f"{FAULTS}/tokens", {"alive": False}) == 204
        assert await profile_status(upstox, refused.access_token) == 401
        changes: list[str] = []
        term.directory.on_change(changes.append)
        term.directory.token_refused(replace(refused, access_token="an older one"))
        assert term.directory.link(USER) is not None
        for _ in range(2):
            term.directory.token_refused(refused)
        assert term.directory.link(USER) is None
        assert changes == [USER]

        async def is_stored() -> bool:
            return await mongo.db[LINKS].count_documents({"refused": True}) == 1

        await eventually(is_stored, what="the refusal is stored")
    async with link_term(mongo, settings) as next_term:
        view = await status(next_term, USER)
        assert (view.state, view.detail) == (LinkState.EXPIRED, TOKEN_REFUSED)
        renewed = await link(next_term, USER)
        assert (renewed.state, renewed.detail) == (LinkState.LINKED, None)
        next_term.directory.token_refused(refused)
        assert next_term.directory.link(USER) is not None


async def test_a_token_that_cannot_be_opened_has_expired(
    mongo: Mongo, settings: TradingSettings, tmp_path: Path
) -> None:
    async with link_term(mongo, settings) as term:
        await link(term, USER)
    await asyncio.to_thread(replace_keys, tmp_path)
    async with link_term(mongo, settings) as next_term:
        view = await status(next_term, USER)
        assert (view.state, view.detail) == (LinkState.EXPIRED, NOT_OPENED)
        assert next_term.directory.link(USER) is None
        assert (await link(next_term, USER)).detail is None


async def test_a_requested_token_is_believed_once_upstox_confirms_it(
    term: LinkTerm, mongo: Mongo, upstox: str
) -> None:
    request = LinkRequestRequest(user_id=USER, purpose=LinkPurpose.TRADING)
    with pytest.raises(NotFound):
        await term.commands.request(request)
    await link(term, USER)
    first = alive(term.directory, USER)
    good = await new_token(upstox)
    hint = LinkHint(user_id=USER, kind=HintKind.TOKEN, access_token=good)
    await term.hints.look_into(hint)
    assert alive(term.directory, USER) == first, "a token was believed that nobody waited for"
    assert (await term.commands.request(request)).state is LinkState.WAITING
    assert alive(term.directory, USER) == first
    forged = LinkHint(user_id=USER, kind=HintKind.TOKEN, access_token="forged")
    other_app = LinkHint(user_id=USER, kind=HintKind.TOKEN, access_token=good, client_id="other")
    reserved = LinkHint(user_id="feed", kind=HintKind.TOKEN, access_token=good)
    for each in (forged, other_app, reserved, hint):
        assert (await term.commands.hint(each)).taken
    await eventually(
        lambda: alive(term.directory, USER).access_token == good, what="the token is used"
    )
    assert (await status(term, USER)).state is LinkState.LINKED
    assert await events(mongo, USER) == ["begun", "linked", "requested", "renewed"]


async def test_a_token_of_another_account_is_not_believed(
    term: LinkTerm, mongo: Mongo, upstox: str
) -> None:
    await link(term, USER)
    change = {"$set": {"upstox_user_id": "OTHER1"}}
    await mongo.db[LINKS].update_one({"_id": USER}, change)
    await term.commands.request(LinkRequestRequest(user_id=USER, purpose=LinkPurpose.TRADING))
    before = alive(term.directory, USER)
    hint = LinkHint(user_id=USER, kind=HintKind.TOKEN, access_token=await new_token(upstox))
    await term.hints.look_into(hint)
    assert alive(term.directory, USER) == before
    assert (await status(term, USER)).state is LinkState.WAITING


async def test_another_account_is_not_linked_in_place_of_the_first(
    term: LinkTerm, mongo: Mongo
) -> None:
    await link(term, USER)
    change = {"$set": {"upstox_user_id": "OTHER1"}}
    await mongo.db[LINKS].update_one({"_id": USER}, change)
    with pytest.raises(Forbidden, match="unlink it first"):
        await link(term, USER)
    assert await events(mongo, USER) == ["begun", "linked", "begun", "refused"]


async def test_hints_about_orders_go_to_their_listener(
    mongo: Mongo, settings: TradingSettings
) -> None:
    hints: list[LinkHint] = []

    def listen(hint: LinkHint) -> bool:
        hints.append(hint)
        return True

    order = LinkHint(user_id=USER, kind=HintKind.ORDER, order_id="240101000000001")
    async with link_term(mongo, settings) as term:
        assert not (await term.commands.hint(order)).taken
    async with link_term(mongo, settings, on_order_hint=listen) as term:
        assert (await term.commands.hint(order)).taken
        empty = LinkHint(user_id=USER, kind=HintKind.TOKEN)
        assert not (await term.commands.hint(empty)).taken
    assert hints == [order]


async def test_ingest_gets_the_token_of_the_account_that_an_administrator_linked_for_the_feed(
    mongo: Mongo, settings: TradingSettings, upstox: str, nats: NatsServer, tmp_path: Path
) -> None:
    clock = QuickClock()
    async with (
        link_term(mongo, settings, clock=clock) as term,
        bus_of(nats, "trading") as bus,
        bus_of(nats, "ingest") as ingest,
        running_components([FeedToken(bus, mongo, SealKeys(tmp_path), clock)]),
    ):
        source = BusToken(ingest)

        async def has_token() -> bool:
            return await source.read() is not None

        await link(term, USER)
        assert await source.read() is None
        view = await link(term, USER, LinkPurpose.FEED)
        assert view.state is LinkState.LINKED
        await eventually(has_token, what="ingest has the token")
        token = await source.read()
        assert token is not None
        assert token != alive(term.directory, USER).access_token
        assert await profile_status(upstox, token) == 200
        assert list(term.directory.linked_users()) == [USER]
        assert (await status(term, OTHER, LinkPurpose.FEED)) == view

        assert view.expires_at is not None
        clock.ahead_secs = (view.expires_at - clock.now_ms()) / 1_000 + 1
        assert await source.read() is None
        assert (await status(term, OTHER, LinkPurpose.FEED)).state is LinkState.EXPIRED
        clock.ahead_secs = 0.0
        assert await source.read() == token
        sealed = (await mongo.db[LINKS].find_one({"_id": "feed"}) or {})["token"]
        for text in (sealed[:-8] + sealed[-4:], sealed):
            await mongo.db[LINKS].update_one({"_id": "feed"}, {"$set": {"token": text}})
            assert await source.read() == (token if text == sealed else None)
        await term.commands.unlink(UnlinkRequest(user_id=OTHER, purpose=LinkPurpose.FEED))
        assert await source.read() is None
        assert await profile_status(upstox, token) == 401
        assert (await status(term, USER)).state is LinkState.LINKED


def replace_token(hint: LinkHint, token: str) -> LinkHint:
    """The same hint with another token."""
    return msgspec.structs.replace(hint, access_token=token)


def replace_keys(directory: Path) -> None:
    """Lose the only key, and create another."""
    (key,) = directory.glob("*.key")
    key.unlink()
    create_seal_key(directory, SystemClock())


async def new_token(upstox: str) -> str:
    """A token of the simulated user that no link has."""
    url = (
        f"{upstox}/v2/login/authorization/dialog?response_type=code&client_id={APP['client_id']}"
        f"&redirect_uri={REDIRECT_URL}&state=s"
    )
    form = {
        "code": (await log_in(url)).code,
        "redirect_uri": REDIRECT_URL,
        "grant_type": "authorization_code",
    }
    async with aiohttp.ClientSession(upstox) as http:
        async with http.post(TOKEN_PATH, data=form | APP) as response:
            token: str = (await response.json())["access_token"]
    return token
