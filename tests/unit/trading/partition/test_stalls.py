"""While nothing moves the paper market on, the feed is not live; all concerned are told once."""

import asyncio
from decimal import Decimal

from structlog.testing import capture_logs

from services.trading import metrics
from services.trading.paper.broker import PaperBroker
from services.trading.paper.progress import STALLED_AFTER_SECS
from services.trading.partition.ledger import Ledger
from services.trading.partition.stalls import Stalls
from shared.contracts.messages import ClockTick, FeedState, encode
from shared.contracts.subjects import CLOCK
from shared.market.exchange_calendar import Calendar
from tests.support.builders import MONDAY_10_00
from tests.support.virtual_time import LoopClock, run_virtual

PARTITION = 7
SILENCE_SECS = 15.0


def apply_tick(ledger: Ledger, epoch: int) -> None:
    tick = ClockTick(
        ts=MONDAY_10_00, feed_ts=MONDAY_10_00, epoch=epoch, seq=1, state=FeedState.LIVE
    )
    ledger.broker.on_entry(1, CLOCK, encode(tick))


def gauge() -> float:
    value: float = metrics.STALLED.labels(str(PARTITION))._value.get()
    return value


def test_a_stall_and_its_end_are_told_once() -> None:
    ledger = Ledger(PaperBroker(Calendar()), Decimal(1))
    apply_tick(ledger, epoch=9)
    told: list[str] = []
    stalls = Stalls(ledger, PARTITION, told.append, silence_secs=SILENCE_SECS)
    assert ledger.is_feed_live
    with capture_logs() as logged:
        for second in range(int(STALLED_AFTER_SECS) + 5):
            apply_tick(ledger, epoch=4)
            stalls.check(float(second))
    (reason,) = told
    assert "epoch 4, older than 9" in reason
    (line,) = logged
    assert (line["log_level"], line["partition"], line["reason"]) == ("error", PARTITION, reason)
    assert (gauge(), ledger.broker.is_live, ledger.is_feed_live) == (1, True, False)

    apply_tick(ledger, epoch=9)
    with capture_logs() as logged:
        stalls.check(100.0)
    assert [line["log_level"] for line in logged] == ["info"]
    assert (gauge(), ledger.is_feed_live, told) == (0, True, [reason, ""])


def test_the_feed_is_not_live_while_no_clock_tick_comes() -> None:
    ledger = Ledger(PaperBroker(Calendar()), Decimal(1))
    apply_tick(ledger, epoch=9)
    told: list[str] = []
    stalls = Stalls(ledger, PARTITION, told.append, silence_secs=SILENCE_SECS)

    def is_live_at(now_secs: float) -> bool:
        stalls.check(now_secs)
        return ledger.is_feed_live

    with capture_logs() as logged:
        assert is_live_at(1_000.0)
        assert is_live_at(1_000.0 + SILENCE_SECS - 0.1)
        assert not is_live_at(1_000.0 + SILENCE_SECS)
        assert not is_live_at(1_000.0 + SILENCE_SECS + 1)
        apply_tick(ledger, epoch=9)
        assert is_live_at(1_000.0 + SILENCE_SECS + 2)
    assert [line["log_level"] for line in logged] == ["warning", "info"]
    assert told == []


def test_the_end_of_the_term_ends_the_stall_of_this_process() -> None:
    ledger = Ledger(PaperBroker(Calendar()), Decimal(1))
    apply_tick(ledger, epoch=9)
    stalls = Stalls(ledger, PARTITION, lambda _: None, silence_secs=SILENCE_SECS)

    async def main() -> None:
        term = asyncio.ensure_future(stalls.run(LoopClock()))
        for _ in range(int(STALLED_AFTER_SECS) + 3):
            apply_tick(ledger, epoch=4)
            await asyncio.sleep(1)
        assert gauge() == 1
        term.cancel()
        await asyncio.wait([term])

    run_virtual(main())
    assert gauge() == 0


def test_the_feed_is_not_live_while_the_tick_stream_cannot_be_read() -> None:
    ledger = Ledger(PaperBroker(Calendar()), Decimal(1))
    apply_tick(ledger, epoch=9)
    stalls = Stalls(ledger, PARTITION, lambda _: None, silence_secs=SILENCE_SECS)

    async def main() -> None:
        term = asyncio.ensure_future(stalls.run(LoopClock()))
        await asyncio.sleep(SILENCE_SECS + 2)
        assert not ledger.is_feed_live
        term.cancel()
        await asyncio.wait([term])

    run_virtual(main())
