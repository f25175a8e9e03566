"""A loss locks within a minute and for a day; a new owner sets the same locks."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from services.trading.journal.entry import (
    AccountReset,
    Body,
    LossLocked,
    LossLockLifted,
    OrderChanged,
)
from services.trading.journal.record import CommandRecord, DamagedRecord, Record
from services.trading.orders.events import Accepted, Intended
from services.trading.orders.instrument import order_instrument
from services.trading.paper.broker import PaperBroker
from services.trading.partition.day_ends import DayEnds
from services.trading.partition.ledger import Ledger
from services.trading.partition.market import Market, Replayed
from services.trading.partition.paper_orders import PaperOrders
from services.trading.partition.recovery import restore
from services.trading.partition.trading_days import TradingDays
from services.trading.risk.limits import UserLimits
from services.trading.store.journal import Checkpoint
from shared.bus.stream_reader import Entry
from shared.contracts.messages import ClockTick, FeedState, encode
from shared.contracts.order_terms import (
    Account,
    OrderType,
    Prices,
    Product,
    Side,
    Terms,
    Validity,
)
from shared.contracts.subjects import CLOCK, quote_subject
from shared.contracts.trading_replies import EventKind, UserEvent
from shared.market.exchange_calendar import Calendar
from shared.market.exchange_time import DAY_MS, MINUTE_MS, ist_date
from tests.support.builders import KEY, MONDAY_10_00, quote
from tests.support.trading_client import RELIANCE, USER

LIMIT: Final = 200
START_MS: Final = MONDAY_10_00 - 7 * DAY_MS
CASH: Final = Decimal(1_000_000)


class Collected:
    """Stands for the journal: keeps what is appended."""

    has_room = True

    def __init__(self) -> None:
        self.records: list[Record] = []

    def append(self, records: Sequence[Record], command: CommandRecord | None = None) -> None:
        self.records += records


async def each_of(records: Sequence[Record]) -> AsyncIterator[Record | DamagedRecord]:
    """The journal, as a new owner reads it."""
    for record in records:
        yield record


class Owner:
    """The ledger of one term, which the entries of TICKS drive."""

    def __init__(
        self, checkpoint: Checkpoint | None = None, records: Sequence[Record] = ()
    ) -> None:
        broker = PaperBroker(Calendar())
        if checkpoint is not None:
            broker.restore(checkpoint.state)
        self.ledger = Ledger(broker, CASH, UserLimits(max_daily_loss=Decimal(LIMIT)))
        ids = (f"o{number}" for number in itertools.count(1))
        self.orders = PaperOrders(self.ledger, latency_ms=0, new_id=lambda: next(ids))
        commands: list[Replayed] = []
        if checkpoint is not None:
            commands = asyncio.run(
                restore(self.ledger, self.orders, each_of(records), checkpoint, last_position=0)
            )
        self.journal = Collected()
        self.journal.records += records
        days = TradingDays(self.ledger, self.orders, Calendar())
        unused: Any = None
        journal: Any = self.journal
        self.market = Market(
            self.ledger, journal, unused, unused, Calendar(), stream="", last_position=0,
            commands=commands, day_ends=DayEnds(self.ledger, Calendar()).due, due=days.due,
            is_new=False,
        )  # fmt: skip
        if checkpoint is None:
            self.market.is_current.set()
        self.entries: list[Entry] = []
        self.account = self.ledger.account(USER)

    def process(self, entry: Entry) -> None:
        self.market._process(entry)
        self.entries.append(entry)

    def tick(self, at_ms: int) -> None:
        """A clock tick."""
        clock = ClockTick(ts=at_ms, feed_ts=at_ms, epoch=1, seq=0, state=FeedState.LIVE)
        self._send(CLOCK, encode(clock))

    def trade_at(self, ltp: float, at_ms: int) -> None:
        """A quote that fills everything that can be filled, and the time."""
        number = len(self.entries) + 1
        message = quote(
            seq=number, ts=at_ms, rt=at_ms * 1_000, ltt=at_ms, ltp=ltp, ltq=10, volume=number * 10,
            bid=ltp - 0.05, bid_qty=1_000, ask=ltp + 0.05, ask_qty=1_000,
        )  # fmt: skip
        self._send(quote_subject(KEY), encode(message))

    def place(self, side: Side = Side.BUY) -> None:
        """Place an order for ten shares."""
        prices = Prices(10, OrderType.MARKET, Validity.DAY)
        terms = Terms(Account.PAPER, KEY, side, Product.DELIVERY, prices, Decimal(1))
        day = ist_date(self.ledger.broker.time_ms)
        instrument = order_instrument(RELIANCE, Product.DELIVERY, day)
        records, _ = self.orders.accept(
            USER, terms, instrument, margin=Decimal(14_000), reference_price=None
        )
        self.journal.append(records)

    def checkpoint(self) -> Checkpoint:
        """As it would be stored now."""
        ledger = self.ledger
        return Checkpoint(ledger.number, ledger.position, "", ledger.broker.state())

    def record(self, body: Body) -> None:
        """A change by a command."""
        self.journal.append([self.ledger.record(USER, body)])

    def is_locked(self) -> bool:
        """Whether the loss lock is on."""
        return self.account.locked_loss is not None

    def locks(self) -> list[Record]:
        """The records of locks."""
        return [one for one in self.journal.records if isinstance(one.entry.body, LossLocked)]

    def _send(self, subject: str, data: bytes) -> None:
        position = self.ledger.position + 1
        self.process(Entry(position=position, subject=subject, data=data))


def owner_of_ten_shares() -> Owner:
    """Bought at 1,400 rupees, a limit of 200 rupees a day."""
    owner = Owner()
    owner.tick(START_MS)
    owner.trade_at(1_400.0, START_MS + 1_000)
    owner.place()
    owner.trade_at(1_400.0, START_MS + 2_000)
    assert owner.account.net_quantity(KEY, Product.DELIVERY) == 10
    return owner


def minute(number: int) -> int:
    return START_MS + number * MINUTE_MS


def test_a_loss_beyond_the_limit_locks_within_a_minute_and_until_the_day_has_ended() -> None:
    owner = owner_of_ten_shares()
    owner.trade_at(1_370.0, START_MS + 3_000)
    owner.tick(START_MS + 4_000)
    assert not owner.is_locked()
    owner.tick(minute(1))
    loss = owner.account.locked_loss
    assert loss == owner.account.loss(owner.ledger.broker.ltp)
    assert loss is not None
    assert loss > LIMIT
    owner.trade_at(1_500.0, minute(1) + 1_000)
    owner.tick(minute(2))
    assert owner.account.loss(owner.ledger.broker.ltp) < 0, "the prices have recovered"
    assert owner.account.locked_loss == loss
    assert owner.ledger.limits(owner.account).loss_lock
    owner.tick(START_MS + DAY_MS)
    assert not owner.is_locked()
    assert not owner.ledger.limits(owner.account).loss_lock


def test_a_loss_within_the_limit_does_not_lock() -> None:
    owner = owner_of_ten_shares()
    owner.trade_at(1_399.0, START_MS + 3_000)
    owner.tick(minute(1))
    assert not owner.is_locked()


def test_a_reset_does_not_lift_the_lock_but_the_next_day_does() -> None:
    owner = owner_of_ten_shares()
    owner.trade_at(1_370.0, START_MS + 3_000)
    owner.tick(minute(1))
    owner.record(AccountReset(at_ms=minute(1)))
    assert owner.is_locked()
    owner.tick(START_MS + DAY_MS)
    assert not owner.is_locked()


def test_a_new_lock_needs_a_further_loss_after_the_lock_was_lifted() -> None:
    owner = owner_of_ten_shares()
    owner.trade_at(1_370.0, START_MS + 3_000)
    owner.tick(minute(1))
    loss = owner.account.locked_loss
    assert loss is not None
    owner.record(LossLockLifted(at_ms=minute(1), loss=loss, by="root", reason="checked"))
    assert not owner.ledger.limits(owner.account).loss_lock
    owner.trade_at(1_355.0, minute(1) + 1_000)
    owner.tick(minute(2))
    assert not owner.is_locked()
    owner.trade_at(1_348.0, minute(2) + 1_000)
    owner.tick(minute(3))
    assert (owner.account.locked_loss or 0) > loss + LIMIT


def test_the_event_of_the_lock_shows_the_limits() -> None:
    owner = owner_of_ten_shares()
    owner.trade_at(1_370.0, START_MS + 3_000)
    owner.tick(minute(1))
    (record,) = owner.locks()
    event = msgspec.json.decode(record.event, type=UserEvent)
    assert event.kind is EventKind.LIMITS
    assert event.limits is not None
    assert event.limits.loss_lock
    assert event.limits.max_daily_loss == LIMIT


MINUTES = st.lists(
    st.tuples(st.integers(1_375, 1_425), st.sampled_from([None, None, Side.BUY, Side.SELL])),
    min_size=1, max_size=8,
)  # fmt: skip
"""By minute, the price, and an order that is placed after it."""


@given(MINUTES, st.integers(0, 40), st.integers(0, 40))
def test_a_new_owner_sets_the_same_locks_wherever_it_takes_over(
    minutes: list[tuple[int, Side | None]], saved_at: int, killed_at: int
) -> None:
    whole = owner_of_ten_shares()
    checkpoints = [whole.checkpoint()]
    expected: Decimal | None = None
    for number, (price, side) in enumerate(minutes, 1):
        whole.trade_at(float(price), minute(number) - 30_000)
        checkpoints.append(whole.checkpoint())
        whole.tick(minute(number) - 20_000)  # nobody looks twice in a minute
        loss = whole.account.loss(whole.ledger.broker.ltp)
        whole.tick(minute(number))
        if side is not None:
            whole.place(side)
        checkpoints.append(whole.checkpoint())
        if expected is None and loss > LIMIT:
            expected = loss
    assert whole.account.locked_loss == expected
    assert len(whole.locks()) == (expected is not None)

    killed = checkpoints[killed_at % len(checkpoints)]
    saved = checkpoints[saved_at % (checkpoints.index(killed) + 1)]
    # Commands of users reach the journal at once; an owner that is away takes none.
    last = max(
        (one.number for one in whole.journal.records if is_of_command(one)), default=killed.number
    )
    stored = whole.journal.records[: max(killed.number, last)]
    again = Owner(saved, stored)
    for entry in whole.entries[saved.position :]:
        again.process(entry)
    assert again.account.state() == whole.account.state()
    assert [one.entry for one in again.journal.records] == [
        one.entry for one in whole.journal.records
    ]


def is_of_command(record: Record) -> bool:
    body = record.entry.body
    return isinstance(body, OrderChanged) and isinstance(body.event, Intended | Accepted)
