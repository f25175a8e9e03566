"""The coverage lists every instrument in demand that is not live."""

import asyncio

from shared.contracts.demand import Coverage, CoverageParts, Demand, ModeUse, decode_coverage
from shared.runtime.tasks import stop
from tests.support.builders import KEY, OTHER_KEY
from tests.support.ingest_fakes import EPOCH, IngestTerm
from tests.support.virtual_time import LoopClock, on_virtual_time

TCS = "NSE_EQ|INE467B01029"


def published(term: IngestTerm) -> list[Coverage]:
    return [decode_coverage(data) for data in term.bus.of("md.coverage")]


@on_virtual_time
async def test_without_a_connection_all_instruments_are_pending() -> None:
    term = IngestTerm(LoopClock(), KEY, OTHER_KEY)
    term.demand.update(Demand(gateway="g", rev=3, quotes=[TCS, "RELIANCE"]), 0.0)
    term.context.coverage.set_all_pending()
    running = asyncio.create_task(term.context.coverage.run())
    await asyncio.sleep(0.1)
    await stop([running])
    assert published(term) == [
        Coverage(
            epoch=EPOCH,
            seen={"g": 3},
            pending=sorted([KEY, OTHER_KEY, TCS]),
            no_capacity=[],
            unknown=["RELIANCE"],
            number=1,
        )
    ]


@on_virtual_time
async def test_without_a_connection_nothing_is_subscribed() -> None:
    term = IngestTerm(LoopClock(), KEY)
    coverage = term.context.coverage
    coverage.set(pending=(), no_capacity=(), unknown=(), modes={"full": ModeUse(1, 2_000)})
    running = asyncio.create_task(coverage.run())
    await asyncio.sleep(0.1)
    coverage.set_all_pending()
    await asyncio.sleep(0.1)
    await stop([running])
    assert [one.modes for one in published(term)] == [{"full": ModeUse(1, 2_000)}, {}]


@on_virtual_time
async def test_a_change_is_published_at_once_and_repeated() -> None:
    term = IngestTerm(LoopClock(), KEY)
    running = asyncio.create_task(term.context.coverage.run())
    await asyncio.sleep(0.1)
    term.context.coverage.set(pending=(), no_capacity=[TCS], unknown=[OTHER_KEY])
    await asyncio.sleep(0.1)
    last = published(term)[-1]
    assert (last.pending, last.no_capacity, last.unknown) == ([], [TCS], [OTHER_KEY])
    await asyncio.sleep(2.0)
    assert len(published(term)) == 3
    await stop([running])


@on_virtual_time
async def test_nothing_is_published_while_nats_is_unavailable() -> None:
    term = IngestTerm(LoopClock(), KEY)
    term.bus.is_up = False
    running = asyncio.create_task(term.context.coverage.run())
    await asyncio.sleep(1.0)
    term.bus.is_up = True
    await asyncio.sleep(1.5)
    await stop([running])
    assert len(published(term)) == 1


@on_virtual_time
async def test_a_coverage_larger_than_a_message_is_published_in_parts() -> None:
    term = IngestTerm(LoopClock())
    keys = [f"NSE_EQ|{number:0121d}" for number in range(10_000)]
    term.demand.update(Demand(gateway="g", rev=3, quotes=keys), 0.0)
    term.context.coverage.set_all_pending()
    running = asyncio.create_task(term.context.coverage.run())
    await asyncio.sleep(0.1)
    await stop([running])
    messages = term.bus.of("md.coverage")
    assert len(messages) == 2
    assert max(map(len, messages)) < 1_000_000
    parts = CoverageParts()
    assert parts.add(decode_coverage(messages[0])) is None
    complete = parts.add(decode_coverage(messages[1]))
    assert complete is not None
    assert complete.pending == keys
