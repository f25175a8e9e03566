"""The reported state follows market hours; an old instrument of an open segment is stale."""

import asyncio

from prometheus_client import REGISTRY

from services.ingest.leadership.state_reporter import StateReporter
from shared.contracts.messages import FeedState, decode_status
from shared.runtime.tasks import stop
from tests.support.builders import KEY, MONDAY_10_00, OTHER_KEY, full_feed, index_feed
from tests.support.ingest_fakes import IngestTerm
from tests.support.virtual_time import LoopClock, on_virtual_time


class Reporting:
    """A reporter of two instruments that were updated at 0 s and 10 s."""

    def __init__(self) -> None:
        self.term = IngestTerm(LoopClock())
        self.term.subscribe(KEY, OTHER_KEY)
        self.term.set_market("NORMAL_OPEN")
        self.term.context.status.set(FeedState.LIVE)
        for received_us, key, feed in (
            (0, KEY, full_feed(ltp=1.0)),
            (10_000_000, OTHER_KEY, index_feed(ltp=1.0, ltt=1)),
        ):
            self.term.context.normaliser.apply(
                {key: feed}, ts=MONDAY_10_00, received_us=received_us, snapshot=False
            )
        self._reporter = StateReporter(
            self.term.context.normaliser,
            self.term.market,
            self.term.context.status,
            self.term.clock,
            stale_after_secs=120.0,
        )

    async def stale_after(self, secs: float) -> list[str]:
        """The stale instruments that are published after so long."""
        tasks = [
            asyncio.create_task(self._reporter.run()),
            asyncio.create_task(self.term.context.status.run()),
        ]
        await asyncio.sleep(secs)
        stale = decode_status(self.term.bus.of("md.status")[-1]).stale
        await stop(tasks)
        return stale


def oldest_age_secs() -> float | None:
    return REGISTRY.get_sample_value("tradedad_ingest_oldest_instrument_age_seconds")


@on_virtual_time
async def test_an_instrument_without_an_update_for_too_long_is_stale() -> None:
    reporting = Reporting()
    assert await reporting.stale_after(119.0) == []
    assert await reporting.stale_after(6.0) == [KEY]
    assert await reporting.stale_after(10.0) == [KEY, OTHER_KEY], "the longest silent first"


@on_virtual_time
async def test_the_age_of_the_oldest_instrument_is_measured() -> None:
    await Reporting().stale_after(60.2)
    assert oldest_age_secs() == 60.0


@on_virtual_time
async def test_instruments_of_a_closed_segment_are_not_stale() -> None:
    reporting = Reporting()
    reporting.term.set_market("NORMAL_CLOSE")
    assert await reporting.stale_after(300.0) == []
    assert oldest_age_secs() == 0.0


@on_virtual_time
async def test_the_state_follows_the_market() -> None:
    reporting = Reporting()
    states = []
    for status in ("NORMAL_CLOSE", "NORMAL_OPEN"):
        reporting.term.set_market(status)
        await reporting.stale_after(1.0)
        states.append(reporting.term.context.status.state)
    assert states == [FeedState.CLOSED, FeedState.LIVE]


@on_virtual_time
async def test_a_feed_that_does_not_flow_keeps_its_state() -> None:
    reporting = Reporting()
    reporting.term.context.status.set(FeedState.STALE, "frames are ahead")
    await reporting.stale_after(1.0)
    assert reporting.term.context.status.state is FeedState.STALE
