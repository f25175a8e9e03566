"""Figures for administrators."""

from typing import Any

from services.persister.storage.bar_store import BarStore
from shared.contracts import demand
from shared.contracts.demand import Coverage, ModeUse
from shared.contracts.messages import FeedState, FeedStatus, encode
from shared.contracts.roles import ADMIN_ROLE
from shared.contracts.subjects import COVERAGE, STATUS, quote_subject
from shared.runtime.clock import SystemClock
from shared.runtime.mongo import Mongo
from shared.runtime.settings import MongoSettings
from tests.support.builders import KEY, quote
from tests.support.gateway.in_process import running_gateway
from tests.support.gateway.rest import get
from tests.support.persisters import answering_persister
from tests.support.servers import NatsServer
from tests.support.waiting import eventually


async def test_only_administrators_read_the_figures(nats: NatsServer) -> None:
    async with running_gateway(nats, gateway_id="gw-1", max_streams=7) as gateway:
        root = gateway.issuer.token(sub="root", roles=[ADMIN_ROLE])
        reply = await get(gateway, "/v1/admin/gateway", token=root)
        assert (reply.status, reply.headers["Cache-Control"]) == (200, "no-store")
        assert reply.body == {
            "gateway_id": "gw-1", "streams": 0, "max_streams": 7, "users": 0,
            "subscriptions": {"quotes": 0, "depth": 0, "chain": 0, "candles": 0, "bars": 0},
            "max_keys_per_stream": 5_000,
            "outcomes": dict.fromkeys(
                ("live", "pending", "no_capacity", "unknown", "needs_plus"), 0
            ),
            "instruments": 0,
        }  # fmt: skip
        refused = await get(gateway, "/v1/admin/gateway")
        assert (refused.status, refused.body["code"]) == (403, "forbidden")
        assert (await get(gateway, "/v1/admin/gateway", token=None)).status == 401


async def test_administrators_see_how_old_quotes_are_and_how_much_is_subscribed(
    nats: NatsServer,
) -> None:
    async with running_gateway(nats) as gateway:
        root = gateway.issuer.token(sub="root", roles=[ADMIN_ROLE])

        async def with_figure(name: str) -> Any:
            body = (await get(gateway, "/v1/admin/gateway", token=root)).body
            return body if name in body else None

        coverage = Coverage(
            epoch=1, seen={}, pending=[], no_capacity=[], unknown=[],
            modes={"full": ModeUse(subscribed=7, limit=1_500)},
        )  # fmt: skip
        received_us = SystemClock().now_us() - 1_500_000
        await gateway.ingest.publish(COVERAGE, demand.encode(coverage))
        await gateway.ingest.publish(quote_subject(KEY), encode(quote(rt=received_us)))
        body = await eventually(lambda: with_figure("newest_quote_age_ms"), what="a quote")
        assert 1_500 <= body["newest_quote_age_ms"] < 60_000
        assert "modes" not in body, "ingest has told no state of the feed"
        status = FeedStatus(state=FeedState.LIVE, since=1, epoch=1)
        await gateway.ingest.publish(STATUS, encode(status))
        body = await eventually(lambda: with_figure("modes"), what="what is subscribed")
        assert body["modes"] == {"full": {"subscribed": 7, "limit": 1_500}}


async def test_only_administrators_read_how_far_bars_are_stored(
    nats: NatsServer, mongo: Mongo, mongo_settings: MongoSettings
) -> None:
    await BarStore(mongo).prepare()
    async with answering_persister(nats, mongo_settings), running_gateway(nats) as gateway:
        root = gateway.issuer.token(sub="root", roles=[ADMIN_ROLE])
        reply = await get(gateway, "/v1/admin/history", token=root)
        assert (reply.status, reply.headers["Cache-Control"]) == (200, "no-store")
        assert reply.body == {"partial_bars": 0, "open_gaps": 0, "abandoned_gaps": 0}
        refused = await get(gateway, "/v1/admin/history")
        assert (refused.status, refused.body["code"]) == (403, "forbidden")


async def test_without_a_persister_it_is_not_known_how_far_bars_are_stored(
    nats: NatsServer,
) -> None:
    async with running_gateway(nats, question_timeout_secs=0.3) as gateway:
        root = gateway.issuer.token(sub="root", roles=[ADMIN_ROLE])
        reply = await get(gateway, "/v1/admin/history", token=root)
        assert (reply.status, reply.body["code"]) in ((504, "timed_out"), (503, "unavailable"))
