"""Restores a partition after a takeover: accounts from the journal, the broker from its checkpoint."""

from collections.abc import AsyncIterator
from functools import partial
from operator import itemgetter

from services.trading.journal.entry import OrderChanged
from services.trading.journal.record import Record
from services.trading.orders.events import Accepted
from services.trading.partition.ledger import Ledger
from services.trading.partition.market import Replayed
from services.trading.partition.paper_orders import PaperOrders
from services.trading.store.journal import Checkpoint
from shared.runtime.logs import get_logger

log = get_logger(__name__)


async def restore(
    ledger: Ledger,
    orders: PaperOrders,
    records: AsyncIterator[Record],
    checkpoint: Checkpoint | None,
    last_position: int,
) -> list[Replayed]:
    """Load all records; returns the commands that the broker has not seen, in order.

    Without a usable checkpoint, all open orders are placed again now: their places in the queues
    are lost, and what they would have met meanwhile is not replayed.
    """
    known = 0 if checkpoint is None else checkpoint.number
    later: list[tuple[int, Replayed]] = []
    count = 0
    async for record in records:
        ledger.load(record)
        count += 1
        entry, body = record.entry, record.entry.body
        if record.number > known and checkpoint is not None and isinstance(body, OrderChanged):
            order = ledger.account(entry.user_id).orders.get(body.order_id)
            if order is not None:
                apply = partial(orders.apply_to_broker, order, body.event)
                later.append((record.number, (entry.position, apply)))
    log.info("journal read", records=count, last_number=ledger.number)
    if checkpoint is not None:
        ledger.broker.restore(checkpoint.state)
        ledger.position = checkpoint.position
        return [command for _, command in sorted(later, key=itemgetter(0))]
    ledger.position = last_position
    for account in ledger.accounts():
        for order in account.open_orders():
            event = Accepted(at_ms=ledger.broker.time_ms, broker_order_id=order.order_id)
            orders.apply_to_broker(order, event)
    return []
