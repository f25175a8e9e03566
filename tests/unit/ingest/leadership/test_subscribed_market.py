"""Market hours are applied to the subscribed instruments at exchange time."""

from shared.contracts.messages import FeedState
from tests.support.builders import KEY, MONDAY_10_00
from tests.support.ingest_fakes import IngestTerm
from tests.support.virtual_time import LoopClock, on_virtual_time

METAL = "MCX_FO|1"
MONDAY_20_00 = MONDAY_10_00 + 10 * 3_600_000


@on_virtual_time
async def test_without_subscriptions_nothing_is_open_and_there_is_no_state() -> None:
    term = IngestTerm(LoopClock())
    term.exchange_clock.receive(MONDAY_10_00, 0.0)
    assert not term.market.any_open()
    assert term.market.state() is None
    assert term.market.open_keys() == []


@on_virtual_time
async def test_the_time_is_that_of_the_exchange() -> None:
    term = IngestTerm(LoopClock())
    term.subscribe(KEY, METAL)
    term.exchange_clock.receive(MONDAY_20_00, 0.0)
    assert term.market.any_open()
    assert term.market.state() is FeedState.LIVE
    assert term.market.open_keys() == [METAL]


@on_virtual_time
async def test_the_state_is_closed_when_every_segment_is_closed() -> None:
    term = IngestTerm(LoopClock())
    term.subscribe(KEY)
    term.exchange_clock.receive(MONDAY_20_00, 0.0)
    assert term.market.state() is FeedState.CLOSED
    assert not term.market.any_open()


@on_virtual_time
async def test_before_the_first_frame_local_time_counts() -> None:
    class MondayClock(LoopClock):
        def now_ms(self) -> int:
            return MONDAY_10_00

    term = IngestTerm(MondayClock())
    term.subscribe(KEY)
    assert term.market.any_open()
