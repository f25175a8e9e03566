"""The positions of a stream that was replaced say nothing of the new one."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal

import pytest

from services.trading.journal.entry import KillSwitchSet
from services.trading.journal.record import DamagedRecord, Record
from services.trading.paper.broker import PaperBroker
from services.trading.partition.ledger import Ledger
from services.trading.partition.paper_orders import PaperOrders
from services.trading.partition.recovery import restore
from services.trading.store.journal import Checkpoint
from shared.market.exchange_calendar import Calendar
from tests.support.trading_client import USER

CASH = Decimal(1_000_000)


def made(positions: Sequence[int]) -> list[Record]:
    """A journal with a record at each of these positions of TICKS."""
    ledger = Ledger(PaperBroker(Calendar()), CASH)
    records = []
    for number, position in enumerate(positions):
        ledger.position = position
        records.append(ledger.record(USER, KillSwitchSet(is_on=number % 2 == 0, at_ms=1)))
    return records


async def each_of(records: Sequence[Record]) -> AsyncIterator[Record | DamagedRecord]:
    for record in records:
        yield record


@pytest.mark.parametrize(
    ("checkpoint_number", "loaded_position"), [(None, 0), (2, 9), (4, 0)], ids=str
)
def test_the_accounts_are_further_than_the_market_only_by_records_after_the_checkpoint(
    checkpoint_number: int | None, loaded_position: int
) -> None:
    records = made([10**8, 10**8 + 1, 7, 9])
    ledger = Ledger(PaperBroker(Calendar()), CASH)
    checkpoint = None
    if checkpoint_number is not None:
        checkpoint = Checkpoint(checkpoint_number, 5, "s", ledger.broker.state())
    orders = PaperOrders(ledger, latency_ms=0)
    asyncio.run(restore(ledger, orders, each_of(records), checkpoint, last_position=5))
    assert (ledger.number, ledger.position) == (4, 5)
    assert ledger.loaded_position == loaded_position
