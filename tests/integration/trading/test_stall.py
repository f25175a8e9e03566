"""An owner whose market nothing moves on says so, and refuses orders, until an entry can be used."""

from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from services.trading import metrics
from services.trading.paper import progress
from services.trading.partition import market
from services.trading.store.documents import PARTITIONS
from shared.contracts.messages import ClockTick, FeedState, encode
from shared.contracts.subjects import CLOCK
from shared.contracts.trading import Operation, OrderQuery
from shared.contracts.trading_replies import OrderDetail, OrderView
from shared.errors import OrderRefused
from shared.runtime.health import Readiness
from shared.runtime.mongo import Mongo
from shared.runtime.settings import MongoSettings
from tests.support.builders import MONDAY_10_00
from tests.support.operations_command import operations
from tests.support.servers import NatsServer
from tests.support.trading import trading
from tests.support.trading_client import (
    USER,
    TestMarket,
    TradingClient,
    order_request,
    trading_client,
)
from tests.support.trading_switches import rule_of
from tests.support.waiting import eventually

HOUR_MS = 3_600_000
DEPENDENCY = "partition-0"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ten seconds themselves are tested by the unit tests of the monitor."""
    monkeypatch.setattr(progress, "STALLED_AFTER_SECS", 2.0)


@pytest.fixture
async def started(
    nats: NatsServer, mongo_settings: MongoSettings, moved: TestMarket
) -> AsyncIterator[tuple[Readiness, TradingClient]]:
    """An owner that has seen epoch 9 at 10:00."""
    async with (
        trading(nats, mongo_settings, paper_latency_ms=0) as readiness,
        trading_client(nats) as client,
    ):
        await moved.send(*tick(MONDAY_10_00 + 1_000, epoch=9))
        await eventually(lambda: feed_is(client, is_live=True), what="the feed is live")
        yield readiness, client


def tick(ts: int, *, epoch: int) -> tuple[str, bytes]:
    return CLOCK, encode(ClockTick(ts=ts, feed_ts=ts, epoch=epoch, seq=1, state=FeedState.LIVE))


async def feed_is(client: TradingClient, *, is_live: bool) -> bool:
    return (await rule_of(client, "feed_live"))[0] is is_live


@pytest.mark.parametrize(
    ("subject", "data", "cause", "reason"),
    [
        (*tick(MONDAY_10_00 + HOUR_MS, epoch=4), "epoch 4, older than 9", "outdated"),
        (*tick(MONDAY_10_00 - HOUR_MS, epoch=9), "03:30:00 UTC, before", "outdated"),
        (CLOCK, b"{}", "kind clock cannot be decoded", "undecodable"),
    ],
    ids=["older epoch", "earlier time", "undecodable"],
)
async def test_an_owner_that_can_use_nothing_is_not_ready_and_refuses_orders_until_it_can(
    started: tuple[Readiness, TradingClient],
    moved: TestMarket,
    subject: str,
    data: bytes,
    cause: str,
    reason: str,
) -> None:
    readiness, client = started
    skipped = metrics.SKIPPED_ENTRIES.labels("clock", reason)
    before = skipped._value.get()

    async def is_stalled() -> bool:
        await moved.send(subject, data)
        return cause in readiness.missing.get(DEPENDENCY, "")

    with capture_logs() as logged:
        await eventually(is_stalled, what="the owner is not ready, with the cause")
    assert metrics.STALLED.labels("0")._value.get() == 1
    assert skipped._value.get() > before
    (line,) = [line for line in logged if line["event"].startswith("no entry")]
    assert (line["log_level"], line["partition"]) == ("error", 0)
    assert cause in line["reason"]
    with pytest.raises(OrderRefused) as refusal:
        await client.call(Operation.PLACE, order_request("stalled"), OrderView)
    assert refusal.value.members == {"rule": "feed_live", "limit": "live", "value": "not live"}

    with capture_logs() as logged:
        await moved.send(*tick(MONDAY_10_00 + 2_000, epoch=9))
        await eventually(lambda: not readiness.missing, what="the owner is ready again")
    assert metrics.STALLED.labels("0")._value.get() == 0
    assert any(line["event"].endswith("are used again") for line in logged)
    order = await client.call(Operation.PLACE, order_request("again"), OrderView)
    assert order.state == "open"


async def test_an_owner_goes_on_at_the_time_of_the_stream_once_its_market_is_discarded(
    nats: NatsServer,
    mongo_settings: MongoSettings,
    moved: TestMarket,
    mongo: Mongo,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(market, "_CHECKPOINT_SECS", 0.0)
    async with trading(nats, mongo_settings, paper_latency_ms=0), trading_client(nats) as client:
        await moved.send(*tick(MONDAY_10_00 + HOUR_MS, epoch=1))
        early = await client.call(Operation.PLACE, order_request("early"), OrderView)

        async def is_stored() -> bool:
            document = await mongo.db[PARTITIONS].find_one({"position": 4})
            return document is not None and document["number"] > 0

        async def is_superseded() -> bool:
            document = await mongo.db[PARTITIONS].find_one({})
            return document is not None and document["epoch"] == 3

        await eventually(is_stored, what="the state of the wrong time is stored")
        await moved.quote(1_400.0)
        reset = await operations(mongo_settings, "paper", "reset-market")
        assert reset == (0, "partitions that begin anew: 1")
        await moved.quote(1_400.0)
        await eventually(is_superseded, what="the owner takes over again")

        async with trading_client(nats) as later_client:  # waits for the next term
            later = await later_client.call(Operation.PLACE, order_request("later"), OrderView)
        assert later.created_at < MONDAY_10_00 + HOUR_MS
        query = OrderQuery(user_id=USER, order_id=early.order_id)
        kept = await client.call(Operation.ORDER, query, OrderDetail)
        assert kept.order.created_at == early.created_at
