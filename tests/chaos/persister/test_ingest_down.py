"""Ingest is down for two windows: their bars are partial, then repaired from Upstox's candles."""

from services.persister.storage.documents import to_ms
from shared.market.exchange_time import WINDOW_MS, to_datetime, window_start
from shared.runtime.mongo import Document, Mongo
from tests.support.bar_comparison import compare, wait_until_stored
from tests.support.message_proxies import mongo_proxy
from tests.support.patience import TEST_TIMEOUT_SECS
from tests.support.pipeline_stack import PipelineStack, pipeline_stack
from tests.support.processes import ServiceProcess
from tests.support.servers import MongoServer, NatsServer
from tests.support.waiting import eventually

_SPEED = 100


async def _let_ingest_be_down(stack: PipelineStack, mongo: Mongo) -> tuple[set[int], int]:
    """Stop ingest during at least two whole windows.

    Returns the windows that had ended when it was started again, and when it was ready, once the
    windows until then are stored.
    """
    ingest = await stack.start_ingest()
    persister = stack.service("persister")
    persister.start()
    await stack.wait_until(stack.first_window + 120_000)
    since_ms = await stack.exchange_ms()
    ingest.kill()
    await stack.wait_until(window_start(since_ms) + 3 * WINDOW_MS + 60_000)
    started_ms = await stack.exchange_ms()
    ingest.start()
    await ingest.wait_ready()
    until_ms = await stack.exchange_ms()
    await wait_until_stored(mongo, window_start(until_ms) + 3 * WINDOW_MS)
    persister.kill()
    return set(range(window_start(since_ms), window_start(started_ms), WINDOW_MS)), until_ms


def _windows_of(gap: Document) -> range:
    return range(to_ms(gap["start"]), to_ms(gap["end"]), WINDOW_MS)


def _repairing_persister(stack: PipelineStack, **more: str) -> ServiceProcess:
    return stack.service(
        "persister",
        TRADEDAD_PERSISTER_REPAIR="true",
        TRADEDAD_PERSISTER_REPAIR_EVERY_SECS="0.3",
        **more,
    )


async def _wait_until_repaired(mongo: Mongo) -> None:
    async def repaired() -> bool:
        partial = await mongo.db["bars_5m"].count_documents(
            {"state": "partial", "start": {"$gte": to_datetime(first)}}
        )
        return not partial and not await mongo.db["gaps"].count_documents({"state": "open"})

    first = to_ms((await mongo.db["gaps"].find().sort("start").to_list(1))[0]["start"])
    await eventually(repaired, what="everything is repaired", timeout_secs=TEST_TIMEOUT_SECS)


async def test_bars_of_an_outage_are_partial_and_then_repaired_from_candles(
    nats: NatsServer, mongo_server: MongoServer
) -> None:
    async with (
        mongo_proxy(mongo_server.port) as proxy,
        pipeline_stack(nats, mongo_server.url, speed=_SPEED) as (stack, mongo),
    ):
        down, until_ms = await _let_ingest_be_down(stack, mongo)
        windows = (window_start(until_ms) - stack.first_window) // WINDOW_MS + 2
        found = await compare(stack, mongo, windows=windows, partial_may_differ=True)
        # Windows that were missed completely have no bar yet: they are in the collection of gaps.
        missing = {line for line in found.wrong if line.endswith("missing")}
        assert set(found.wrong) == missing
        without_bar = {int(line.split()[-2].rstrip(":")) for line in missing}
        incomplete = without_bar | {start for _, start in found.not_complete()}
        # The window in which ingest came back may be complete, thanks to candles. On a busy machine
        # ingest may miss frames also in later ones, which are then partial and repaired as well.
        assert down <= incomplete
        assert min(incomplete) == min(down)
        assert len(down) >= 3
        gaps = await mongo.db["gaps"].find().to_list()
        assert {start for gap in gaps for start in _windows_of(gap)} >= without_bar

        # One persister is killed during the repair, and the next one completes it.
        url = f"mongodb://127.0.0.1:{proxy.port}/?directConnection=true"
        repairer = _repairing_persister(stack, TRADEDAD_MONGO_URL=url)
        held = proxy.hold("commitTransaction", count=3)
        repairer.start()
        await held.arrived()
        repairer.kill()
        repairer = _repairing_persister(stack)
        repairer.start()
        await _wait_until_repaired(mongo)

        found = await compare(stack, mongo, windows=windows)
        assert found.wrong == []
        assert {start for _, start in found.not_complete()} == incomplete
        assert {found.states[place] for place in found.not_complete()} == {"repaired"}
        assert repairer.log_entries("repair progress")
