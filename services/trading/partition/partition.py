"""The work of a partition's owner during one term."""

from collections.abc import Callable
from functools import partial
from typing import Final

from nats.js.errors import NotFoundError

from services.trading.bus.demand_publisher import DemandPublisher
from services.trading.bus.event_publisher import EventPublisher
from services.trading.bus.instruments import Instruments
from services.trading.bus.price_bands import PriceBands
from services.trading.links.term import open_links
from services.trading.live.order_days import OrderDays
from services.trading.partition.acceptance import Acceptance
from services.trading.partition.account_commands import AccountCommands
from services.trading.partition.admin_commands import AdminCommands
from services.trading.partition.assessment import Assessor
from services.trading.partition.day_ends import DayEnds
from services.trading.partition.handlers import Requests
from services.trading.partition.idempotency import OnceOnly
from services.trading.partition.ledger import Ledger
from services.trading.partition.market import Market
from services.trading.partition.order_commands import OrderCommands
from services.trading.partition.order_replies import answer_now
from services.trading.partition.paper_orders import PaperOrders
from services.trading.partition.prices import Prices
from services.trading.partition.queries import Queries
from services.trading.partition.recovery import loaded_snapshots, restore, restored_broker
from services.trading.partition.snapshots import Snapshots
from services.trading.partition.stalls import Stalls
from services.trading.partition.trading_days import TradingDays
from services.trading.partition.upstox_accounts import UpstoxAccounts
from services.trading.partition.upstox_commands import UpstoxCommands
from services.trading.partition.upstox_exits import UpstoxExits
from services.trading.partition.upstox_orders import UpstoxOrders
from services.trading.partition.upstox_sender import UpstoxSender
from services.trading.risk.limits import UserLimits
from services.trading.risk.switch_board import SwitchBoard
from services.trading.settings import TradingSettings
from services.trading.store.account_snapshots import AccountSnapshots
from services.trading.store.command_lookup import CommandLookup
from services.trading.store.documents import PARTITIONS
from services.trading.store.journal import (
    Journal,
    forget_other_numbers,
    prepare_collections,
)
from services.trading.store.journal_reader import (
    JournalReader,
    checkpoint_of,
    last_read_of,
    snapshots_of,
)
from services.trading.switches.switch_reader import SwitchReader
from services.trading.switches.switch_store import SwitchStore
from services.trading.upstox.calls import OpenCalls
from shared.bus.connection import Bus
from shared.bus.lease import Term
from shared.bus.responder import Responder
from shared.bus.tick_reader import TickReader, first_tick_position, holds_tick, ticks_identity
from shared.contracts.upstox_links import LinkHint
from shared.market.calendar_data import BUILT_IN
from shared.market.exchange_calendar import Calendar
from shared.runtime.backoff import Backoff
from shared.runtime.clock import Clock
from shared.runtime.departure import grace_secs
from shared.runtime.epoch_guard import EpochGuard
from shared.runtime.logs import get_logger
from shared.runtime.mongo import Document, Mongo
from shared.runtime.tasks import run_together

log = get_logger(__name__)

_PRICE_SECS: Final = 2.0


class Partition:
    """One partition; `run` is its work while this process holds its lease."""

    def __init__(
        self,
        number: int,
        bus: Bus,
        mongo: Mongo,
        instruments: Instruments,
        bands: PriceBands,
        calendar: Calendar,
        settings: TradingSettings,
        clock: Clock,
        owner: str,
        open_calls: OpenCalls,
        on_serving: Callable[[bool], None],
        on_stalled: Callable[[str], None],
    ) -> None:
        self._number = number
        self._bus = bus
        self._mongo = mongo
        self._instruments = instruments
        self._bands = bands
        self._calendar = calendar
        self._settings = settings
        self._clock = clock
        self._owner = owner
        self._open_calls = open_calls
        self._on_serving = on_serving
        self._on_stalled = on_stalled
        self._accounts: UpstoxAccounts | None = None
        self._responder: Responder | None = None

    async def run(self, term: Term) -> None:
        """Take over, and serve until cancelled.

        Raises LeaseLost or StaleEpoch if another process owns the partition, PyMongoError or
        StreamUnavailable if MongoDB or NATS stay unavailable.
        """
        settings, number = self._settings, self._number
        guard = EpochGuard(self._mongo, PARTITIONS, f"{number}/{settings.partitions}")
        try:
            document = await guard.take_over()
            await forget_other_numbers(self._mongo, settings.partitions)
            await prepare_collections(self._mongo, audit_days=settings.audit_retention_days)
            switch_store = SwitchStore(self._mongo)
            await switch_store.prepare(audit_days=settings.audit_retention_days)
            stream, last_position = await self._ticks(term)
            first_position = await first_tick_position(self._bus)
            broker, checkpoint = restored_broker(
                self._calendar, checkpoint_of(document),
                stream=stream, positions=(first_position, last_position),
                holds_read=await self._holds_read(document, last_position),
            )  # fmt: skip
            if self._calendar.data is BUILT_IN:  # this process has received none yet
                self._calendar.replace(broker.calendar)
            board = SwitchBoard()
            switches = SwitchReader(switch_store, self._bus, board, self._clock)
            await switches.read()
            ledger = Ledger(broker, settings.opening_cash_rupees, limits_of(settings), board)
            if checkpoint is None:
                await self._warm(ledger)
            orders = PaperOrders(ledger, latency_ms=settings.paper_latency_ms)
            reader = JournalReader(self._mongo)
            snapshot_store = AccountSnapshots(self._mongo, f"{number}/{settings.partitions}")
            stored = await loaded_snapshots(ledger, snapshot_store, snapshots_of(document))
            after = 0 if stored is None else stored.number
            records = reader.records(number, settings.partitions, after=after)
            commands = await restore(ledger, orders, records, checkpoint, last_position)
            journal = Journal(
                self._mongo,
                guard,
                document["epoch"],
                EventPublisher(self._bus).publish,
                number=ledger.number,
                snapshots=stored,
            )
            market = Market(
                ledger, journal, term, self._clock, self._calendar,
                stream=stream, last_position=last_position, commands=commands,
                day_ends=DayEnds(ledger, self._calendar).due,
                due=TradingDays(ledger, orders, self._calendar).due,
                is_new=checkpoint is None,
            )  # fmt: skip
            stalls = Stalls(
                ledger, number, self._on_stalled, silence_secs=settings.feed_silence_secs
            )
            snapshots = Snapshots(
                ledger, journal, snapshot_store, self._clock,
                partition=number, every_entries=settings.snapshot_entries,
            )  # fmt: skip
            prices = Prices(ledger, self._clock, wait_secs=_PRICE_SECS)
            stored_commands = CommandLookup(self._mongo)
            once = OnceOnly(journal, stored_commands, partial(answer_now, ledger))
            demand = DemandPublisher(self._bus, number, self._owner)
            upstox_orders, order_days = UpstoxOrders(ledger), OrderDays(self._calendar)
            links = await open_links(
                self._mongo, guard, document["epoch"], settings, self._clock, number,
                on_order_hint=self._on_hint,
            )  # fmt: skip
            self._accounts = accounts = UpstoxAccounts(
                number,
                ledger,
                upstox_orders,
                journal,
                links.directory,
                self._open_calls,
                order_days,
                self._clock,
            )
            accounts.take_over()
            acceptance = Acceptance(term, journal, self._clock)
            assessor = Assessor(
                ledger, journal, limits_of(settings), self._calendar, self._clock,
                switches.wait_current, self._bands.of,
            )  # fmt: skip
            sender = UpstoxSender(
                ledger, journal, acceptance, max_sending=max(1, settings.commands_at_once // 2),
                max_per_sec=settings.max_orders_per_sec,
            )  # fmt: skip
            upstox_commands = UpstoxCommands(
                ledger, upstox_orders, accounts, assessor, sender, journal,
                is_live_allowed=settings.live_orders,
            )  # fmt: skip
            exits = UpstoxExits(
                ledger, upstox_orders, accounts, upstox_commands, sender, journal, order_days
            )
            order_commands = OrderCommands(
                ledger, orders, once, acceptance, assessor, prices, self._bands,
                self._instruments.get, upstox_commands,
            )  # fmt: skip
            requests = Requests(
                order_commands,
                AccountCommands(ledger, orders, once, acceptance, upstox_commands, exits),
                Queries(ledger, journal, reader, assessor, acceptance, accounts),
                links.commands.handlers(),
            )
            admin = AdminCommands(ledger, journal, acceptance)
            async with TickReader(self._bus, start=ledger.position + 1) as ticks:
                await run_together(
                    {
                        "journal": journal.run(),
                        "snapshots": snapshots.run(),
                        "commands": stored_commands.run(),
                        "sent commands": once.run(),
                        "market": market.run(ticks),
                        "stalls": stalls.run(self._clock),
                        "demand": demand.run(),
                        "switches": switches.run(),
                        "admin": admin.serve(self._bus, number, market.is_current),
                        "prices": prices.run(demand),
                        "links": links.run(),
                        "upstox accounts": self._follow(accounts, market),
                        "requests": self._serve(market, requests),
                    },
                    # Requests that have begun are finished, for which they need the journal.
                    stopped_first=("requests",),
                )
        finally:
            self._on_serving(False)
            await guard.close()

    async def left(self) -> None:
        """Wait until requests are no longer refused on behalf of the next owner."""
        if self._responder is not None:
            await self._responder.left()

    async def _serve(self, market: Market, requests: Requests) -> None:
        """Answer requests, once the broker has caught up."""
        await market.is_current.wait()
        responder = Responder(
            self._bus,
            self._clock,
            requests.by_subject(self._number),
            queue_group=f"trading-{self._number}",
            max_concurrent=self._settings.commands_at_once,
            max_queued=self._settings.commands_waiting,
            leave_secs=grace_secs(self._settings.runtime),
        )
        self._responder = responder
        self._on_serving(True)
        await responder.run()

    async def _follow(self, accounts: UpstoxAccounts, market: Market) -> None:
        """Read Upstox's books, once the broker has caught up: their rows are of today."""
        await market.is_current.wait()
        await accounts.run()

    def _on_hint(self, hint: LinkHint) -> bool:
        """Handle an unverified hint on an order: Upstox's books are read."""
        if self._accounts is None:
            return False
        self._accounts.ask(hint.user_id)
        return True

    async def _holds_read(self, document: Document, last_position: int) -> bool:
        """Whether TICKS, as far as can be told, holds the last entry that was processed."""
        read = last_read_of(document)
        return read is None or await holds_tick(
            self._bus, read.position, read.stored_ns, last_position=last_position
        )

    async def _ticks(self, term: Term) -> tuple[str, int]:
        """Identity and last position of TICKS. Waits until ingest has created it."""
        backoff = Backoff(cap_secs=5.0)
        while True:
            term.check()
            try:
                return await ticks_identity(self._bus)
            except NotFoundError:
                if not backoff.attempt:
                    log.info("waiting for the tick stream")
                await self._clock.sleep(backoff.next_secs())

    async def _warm(self, ledger: Ledger) -> None:
        """Read the last entry of each subject, before there are orders."""
        async with TickReader(self._bus, start=None) as reader:
            async for entries in reader.backlog():
                for entry in entries:
                    ledger.broker.on_entry(entry.position, entry.subject, entry.data)


def limits_of(settings: TradingSettings) -> UserLimits:
    """The limits that the operator has set for every user."""
    return UserLimits(
        max_order_quantity=settings.max_order_quantity,
        max_order_value=settings.max_order_value_rupees,
        max_open_orders=settings.max_open_orders,
        max_orders_per_sec=settings.max_orders_per_sec,
        max_orders_per_day=settings.max_orders_per_day,
        max_daily_loss=settings.max_daily_loss_rupees,
    )
