"""The metrics of the persister while it reads a stream."""

from prometheus_client import REGISTRY

from shared.market.exchange_time import to_datetime
from shared.runtime.mongo import Mongo
from shared.runtime.settings import MongoSettings
from tests.support.builders import MONDAY_10_00
from tests.support.buses import bus_of, flushed
from tests.support.market_day import KEYS, window_messages
from tests.support.persisters import answering_persister
from tests.support.servers import NatsServer
from tests.support.waiting import eventually

PREFIX = "tradedad_persister_"


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(PREFIX + name, labels) or 0.0


async def test_metrics_have_the_position_in_the_stream_and_the_results_of_windows(
    nats: NatsServer, mongo: Mongo, mongo_settings: MongoSettings
) -> None:
    counted = ("entries_total", "closed_windows_total", "commit_seconds_count")
    before = {name: value(name) for name in counted}
    bars = value("bars_total", state="complete")
    gaps = value("gaps_total", reason="feed_away")
    messages = [message for number in range(3) for message in window_messages(number)]
    async with answering_persister(nats, mongo_settings), bus_of(nats, "ingest") as ingest:
        for subject, data in messages:
            await ingest.client.publish(subject, data)
        await flushed(ingest.client)
        # A gauge may still have the value of an earlier test: the counters say when this one is done.
        await eventually(
            lambda: value("entries_total") - before["entries_total"] == len(messages),
            what="the stream is read",
        )
        await eventually(
            lambda: value("commit_seconds_count") - before["commit_seconds_count"] == 2,
            what="two windows are stored",
        )
        await eventually(lambda: value("open_windows") == 1, what="the last window is open")
        assert value("stream_position") == len(messages)
        assert value("lag_entries") == 0
        assert value("replay_remaining_entries") == 0
        assert value("stream_timestamp_seconds") * 1_000 > MONDAY_10_00 + 2 * 300_000
        assert value("closed_windows_total") - before["closed_windows_total"] == 2
        assert value("bars_total", state="complete") - bars == 2 * len(KEYS)
        assert value("gaps_total", reason="feed_away") == gaps
        last = await mongo.db["checkpoints"].find_one()
        assert last is not None
        assert last["closed_until"] == to_datetime(MONDAY_10_00 + 2 * 300_000)
