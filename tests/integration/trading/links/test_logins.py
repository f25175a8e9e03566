"""Logins at Upstox, from their beginning to the linked account."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from services.trading.links.documents import LINKS
from services.trading.links.login_state import LOGIN_SECS
from services.trading.links.seal_keys import create_seal_key
from services.trading.links.term import LinkTerm
from services.trading.settings import TradingSettings
from shared.contracts.trading import partition_of
from shared.contracts.upstox_links import (
    LinkBeginRequest,
    LinkPurpose,
    LinkState,
    LinkView,
)
from shared.errors import (
    Forbidden,
    InvalidField,
    LinkRefused,
    LinkStateInvalid,
    LinkTaken,
    RequestError,
    Unavailable,
)
from shared.market.exchange_time import DAY_MS
from shared.runtime.clock import SystemClock
from shared.runtime.mongo import Mongo
from tests.support.upstox_linking import (
    APP,
    FAULTS,
    OTHER,
    PROFILE_PATH,
    TOKEN_PATH,
    USER,
    QuickClock,
    Returned,
    alive,
    begin,
    events,
    link,
    link_settings,
    link_term,
    post,
    profile_status,
    status,
    unlink,
)


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
