"""The end of a link's token, tokens that Upstox posts, and the token of the feed."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from services.ingest.bus.bus_token import BusToken
from services.trading.links.directory import NOT_OPENED, TOKEN_REFUSED
from services.trading.links.documents import LINKS
from services.trading.links.feed_token import FeedToken
from services.trading.links.seal_keys import SealKeys, create_seal_key
from services.trading.links.term import LinkTerm
from services.trading.settings import TradingSettings
from shared.contracts.upstox_links import (
    HintKind,
    LinkHint,
    LinkPurpose,
    LinkRequestRequest,
    LinkState,
    UnlinkRequest,
)
from shared.errors import Forbidden, NotFound
from shared.runtime.clock import SystemClock
from shared.runtime.mongo import Mongo
from tests.support.buses import bus_of
from tests.support.servers import NatsServer
from tests.support.services import running_components
from tests.support.upstox_linking import (
    FAULTS,
    OTHER,
    USER,
    QuickClock,
    alive,
    events,
    link,
    link_term,
    new_token,
    post,
    profile_status,
    status,
)
from tests.support.waiting import eventually


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


def replace_keys(directory: Path) -> None:
    """Lose the only key, and create another."""
    (key,) = directory.glob("*.key")
    key.unlink()
    create_seal_key(directory, SystemClock())
