"""Checks an order against its market, its account and the limits of its user, as they are now."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from services.trading.bus.price_bands import PriceBand
from services.trading.live.facts import UpstoxFacts, account_facts
from services.trading.orders.instrument import OrderInstrument
from services.trading.orders.order import Order
from services.trading.partition.ledger import Ledger
from services.trading.portfolio.account import PaperAccount
from services.trading.risk.checks import first_refusal
from services.trading.risk.limits import UserLimits
from services.trading.risk.preview import preview_of
from services.trading.risk.proposal import AccountFacts, MarketFacts, Proposal
from services.trading.risk.rate import OrderRates
from services.trading.store.journal import Journal
from shared.contracts.order_terms import OrderType, Side, Terms
from shared.contracts.trading_replies import Limits, Preview
from shared.errors import OrderRefused
from shared.market.exchange_calendar import Calendar
from shared.runtime.clock import Clock

_ZERO: Final = Decimal(0)
_UNITS: Final = 2
"""A loss lock and the command: the journal must take both."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """The result of all checks; `refusal` is that of the first rule that is broken."""

    preview: Preview
    refusal: OrderRefused | None
    margin: Decimal
    """To reserve with the charges, in rupees."""
    price: Decimal | None
    """The reference price of the order, in rupees."""
    protection_percent: Decimal | None
    """None for an order with a limit."""


class Assessor:
    """Assesses orders for one term."""

    def __init__(
        self,
        ledger: Ledger,
        journal: Journal,
        limits: UserLimits,
        calendar: Calendar,
        clock: Clock,
        switches_current: Callable[[], Awaitable[None]],
        band_of: Callable[[str], PriceBand],
    ) -> None:
        self._ledger = ledger
        self._journal = journal
        self._limits = limits
        self._calendar = calendar
        self._clock = clock
        self._rates = OrderRates(limits.max_orders_per_sec)
        self._switches_current = switches_current
        self._band_of = band_of

    async def ready(self) -> None:
        """Wait until the kill switches are known; not for long, if they cannot be read."""
        await self._switches_current()

    def assess(
        self,
        account: PaperAccount,
        terms: Terms,
        instrument: OrderInstrument,
        changes: Order | None = None,
        facts: UpstoxFacts | None = None,
    ) -> Assessment:
        """Check a new order, or `changes` with new terms. Changes nothing.

        `facts`: of the account at Upstox, for an order there.
        """
        is_triggered = (
            changes is not None
            and changes.terms.prices.order_type.has_trigger
            and changes.prices.order_type is OrderType.LIMIT
        )
        proposal = Proposal(
            terms=terms,
            instrument=instrument,
            market=self._market(instrument),
            account=self._account(account, terms, changes)
            if facts is None
            else account_facts(
                account,
                facts,
                terms,
                instrument,
                changed_order_id=None if changes is None else changes.order_id,
                orders_last_sec=self._rates.recent(account.user_id, self._clock.monotonic()),
            ),
            is_margin_checked=facts is None,
            limits=self._limits,
            is_modification=changes is not None,
            filled_quantity=0 if changes is None else changes.filled_quantity,
            is_triggered=is_triggered,
        )
        preview = preview_of(proposal)
        return Assessment(
            preview=preview,
            refusal=first_refusal(preview.rules),
            margin=proposal.reservation or _ZERO,
            price=proposal.reference_price,
            protection_percent=proposal.protection_percent,
        )

    def count(self, user_id: str) -> None:
        """Count an order that was assessed now and is accepted or refused.

        A loss beyond the limit, for which the order may have been refused, locks the account.
        """
        self._rates.record(user_id, self._clock.monotonic())
        if self._journal.has_room_for(_UNITS):
            records = self._ledger.lock_after_loss(self._ledger.account(user_id))
            if records:
                self._journal.append(records)

    def limits(self, account: PaperAccount, facts: UpstoxFacts | None = None) -> Limits:
        """The limits of the user, and what stops new orders; `facts` of an account at Upstox."""
        if facts is None:
            return self._ledger.limits(account)
        return self._ledger.limits(account, facts.loss())

    def _market(self, instrument: OrderInstrument) -> MarketFacts:
        broker = self._ledger.broker
        underlying = instrument.underlying_key
        band = self._band_of(instrument.key)
        return MarketFacts(
            at_ms=broker.time_ms,
            phase=self._calendar.phase(instrument.segment, broker.time_ms),
            session=self._calendar.session(instrument.segment, broker.time_ms),
            is_live=self._ledger.is_feed_live,
            ltp=broker.ltp(instrument.key),
            underlying_ltp=None if underlying is None else broker.ltp(underlying),
            lower_circuit=band.lower,
            upper_circuit=band.upper,
            market_switches=self._ledger.switches.of(instrument.key),
            are_switches_known=self._ledger.switches.is_current(self._clock.monotonic()),
        )

    def _account(self, account: PaperAccount, terms: Terms, changes: Order | None) -> AccountFacts:
        ltp = self._ledger.broker.ltp
        order_id = None if changes is None else changes.order_id
        closable = account.closable(terms.key, terms.product, without=order_id)
        reserved = _ZERO if order_id is None else account.order_margin(order_id)
        return AccountFacts(
            available=account.funds(ltp).available + reserved,
            closable=max(0, closable if terms.side is Side.SELL else -closable),
            loss=account.loss(ltp),
            open_orders=len(account.open_orders()),
            orders_today=account.daily_orders,
            orders_last_sec=self._rates.recent(account.user_id, self._clock.monotonic()),
            user_switches=account.kill_switches,
            locked_loss=account.locked_loss,
            lifted_loss=account.lifted_loss,
            is_first_demat_sale=account.is_first_demat_sale(terms.key, terms.prices.quantity),
        )
