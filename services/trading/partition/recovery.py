"""Restores a partition after a takeover: accounts from the journal, the broker from its checkpoint."""

from collections.abc import AsyncIterator
from functools import partial
from operator import itemgetter
from typing import TypeGuard

from services.trading.journal.entry import OrderChanged
from services.trading.journal.record import DamagedRecord, Record
from services.trading.orders.events import Accepted
from services.trading.paper.broker import PaperBroker
from services.trading.paper.broker_state import calendar_of
from services.trading.partition.ledger import Ledger
from services.trading.partition.market import Replayed
from services.trading.partition.paper_orders import PaperOrders
from services.trading.store.account_snapshots import AccountSnapshots, SnapshotSet
from services.trading.store.journal import Checkpoint
from shared.contracts.order_terms import Account
from shared.market.calendar_data import BUILT_IN
from shared.market.exchange_calendar import Calendar
from shared.runtime.logs import get_logger

log = get_logger(__name__)


def restored_broker(
    calendar: Calendar,
    checkpoint: Checkpoint | None,
    *,
    stream: str,
    positions: tuple[int, int],
    holds_read: bool,
) -> tuple[PaperBroker, Checkpoint | None]:
    """The paper broker, and the checkpoint that it continues from; None if it begins anew.

    `positions`: of the first and the last entry of TICKS. `holds_read`: whether TICKS still holds
    the last entry that was processed. A checkpoint is used only if all entries after it can be
    read, and are those that were processed. Otherwise the broker would not know of trades that are
    in the journal, and would fill the same orders again.
    """
    broker = PaperBroker(calendar)
    if checkpoint is None:
        return broker, None
    first, last = positions
    reason = ""
    if checkpoint.stream != stream or checkpoint.position > last or not holds_read:
        reason = "TICKS was replaced or put back"
    elif checkpoint.position + 1 < first:
        reason = "TICKS no longer has the entries after it"
    else:
        try:
            broker.restore(checkpoint.state)
        except ValueError as error:
            reason = str(error)
    if not reason:
        return broker, checkpoint
    log.warning(
        "checkpoint cannot be used; open paper orders lose their places in the queues",
        reason=reason,
        position=checkpoint.position,
    )
    broker = PaperBroker(calendar)
    stored = calendar_of(checkpoint.state)
    if stored is not None and broker.calendar is BUILT_IN:
        broker.use_calendar(stored)
    return broker, None


async def loaded_snapshots(
    ledger: Ledger, store: AccountSnapshots, named: SnapshotSet | None
) -> SnapshotSet | None:
    """Load the stored accounts; None if there are none, or one of them cannot be used.

    Then the accounts follow from the whole journal.
    """
    if named is None:
        return None
    try:
        accounts = await store.read(named)
    except ValueError as error:
        log.warning("stored accounts are not used; the whole journal is read", reason=str(error))
        return None
    ledger.load_accounts(accounts, named.number)
    log.info("stored accounts read", number=named.number, accounts=named.count)
    return named


async def restore(
    ledger: Ledger,
    orders: PaperOrders,
    records: AsyncIterator[Record | DamagedRecord],
    checkpoint: Checkpoint | None,
    last_position: int,
) -> list[Replayed]:
    """Load the records; returns the commands that the broker has not seen, in order.

    The account of a user with a record that cannot be read is closed.

    Without a usable checkpoint, all open orders are placed again now: their places in the queues
    are lost, and what they would have met meanwhile is not replayed.
    """
    known = 0 if checkpoint is None else checkpoint.number
    later: list[tuple[int, Replayed]] = []
    count = 0
    async for record in records:
        count += 1
        if not _load(record, ledger):
            continue
        entry, body = record.entry, record.entry.body
        if checkpoint is None or record.number <= known:
            continue  # positions of earlier records may be those of a stream that was replaced
        ledger.loaded_position = max(ledger.loaded_position, entry.position)
        if isinstance(body, OrderChanged):
            account = ledger.account(entry.user_id)
            order = account.orders[body.order_id]
            if order.terms.account is Account.PAPER:
                instrument = account.instrument_of(body.order_id)
                apply = partial(orders.apply_to_broker, order, body.event, instrument)
                later.append((record.number, (entry.position, apply)))
    log.info("journal read", records=count, last_number=ledger.number)
    if checkpoint is not None:
        ledger.position = checkpoint.position
        return [command for _, command in sorted(later, key=itemgetter(0))]
    ledger.position = last_position
    for account in ledger.accounts():
        for order in account.open_orders(Account.PAPER):
            # With the time at which it was placed: an order of an earlier day still expires.
            event = Accepted(at_ms=order.created_at_ms, broker_order_id=order.order_id)
            orders.apply_to_broker(order, event, account.instrument_of(order.order_id))
    return []


def _load(record: Record | DamagedRecord, ledger: Ledger) -> TypeGuard[Record]:
    """Whether the record could be applied to its account; if not, the account is closed."""
    if isinstance(record, DamagedRecord):
        reason, user_id = record.reason, record.user_id
        ledger.number = max(ledger.number, record.number)
    elif record.entry.user_id in ledger.closed:
        return False
    else:
        try:
            ledger.load(record)
        except ValueError as error:
            reason, user_id = str(error), record.entry.user_id
        else:
            return True
    log.error("journal damaged; the account is closed", user_id=user_id, reason=reason)
    ledger.close(user_id)
    return False
