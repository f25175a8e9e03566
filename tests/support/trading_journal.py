"""Journals of paper accounts for tests: orders, fills and days as entries, applied to an account."""

from datetime import date, datetime, time
from decimal import Decimal

from services.trading.charges.rates import ChargeKind, Exchange
from services.trading.journal.entry import (
    AccountReset,
    Body,
    ContractSettled,
    DayEnded,
    Entry,
    KillSwitchSet,
    LossLocked,
    LossLockLifted,
    OrderChanged,
)
from services.trading.margin.margin import UnderlyingKind
from services.trading.orders import events
from services.trading.orders.broker_report import BrokerReport, BrokerState
from services.trading.orders.instrument import OrderInstrument
from services.trading.portfolio.account import PaperAccount
from services.trading.portfolio.position_book import BookedPosition
from services.trading.portfolio.position_margin import Ltp
from shared.contracts.order_terms import Account, OrderType, Prices, Product, Side, Terms, Validity
from shared.market.exchange_time import DAY_MS, IST, ist_date

USER = "u1"
OPENING_CASH = Decimal(10_000_000)
FIRST_DAY = date(2026, 11, 27)
_NSE = Exchange.NSE


def share(
    kind: ChargeKind = ChargeKind.DELIVERY, key: str = "NSE_EQ|INE002A01018"
) -> OrderInstrument:
    """A share that has derivatives, as an order of one product sees it."""
    return OrderInstrument(
        key=key, symbol="RELIANCE", segment="NSE_EQ", exchange=_NSE, type="EQ",
        tick=Decimal("0.05"), lot=1, charge_kind=kind, has_derivatives=True,
    )  # fmt: skip


DELIVERY_SHARE = share()
INTRADAY_SHARE = share(ChargeKind.INTRADAY)
INDEX_FUTURE = OrderInstrument(
    key="NSE_FO|1", symbol="NIFTY FUT 29 DEC 26", segment="NSE_FO", exchange=_NSE, type="FUT",
    tick=Decimal("0.1"), lot=65, charge_kind=ChargeKind.FUTURES,
    underlying_kind=UnderlyingKind.INDEX, expiry="2026-12-29",
    underlying_key="NSE_INDEX|Nifty 50",
)  # fmt: skip
INDEX_CALL = OrderInstrument(
    key="NSE_FO|2", symbol="NIFTY 24800 CE 29 DEC 26", segment="NSE_FO", exchange=_NSE, type="CE",
    tick=Decimal("0.05"), lot=65, charge_kind=ChargeKind.OPTIONS,
    underlying_kind=UnderlyingKind.INDEX, expiry="2026-12-29", strike=Decimal(24_800),
    is_call=True, underlying_key="NSE_INDEX|Nifty 50",
)  # fmt: skip
CRUDE_FUTURE = OrderInstrument(
    key="MCX_FO|3", symbol="CRUDEOIL FUT 18 DEC 26", segment="MCX_FO", exchange=Exchange.MCX,
    type="FUT", tick=Decimal(1), lot=1, charge_kind=ChargeKind.COMMODITY_FUTURES, multiplier=100,
    underlying_kind=UnderlyingKind.COMMODITY, expiry="2026-12-18",
)  # fmt: skip


def no_ltp(_key: str) -> Decimal | None:
    """The prices of a market that nobody has seen."""
    return None


def ltp_of(price: str | int) -> Ltp:
    """The prices of a market in which everything costs the same."""
    return lambda _key: Decimal(price)


class Journal:
    """Appends entries and applies each to `account`."""

    def __init__(self, opening_cash: Decimal = OPENING_CASH) -> None:
        self.account = PaperAccount(USER, opening_cash)
        self.entries: list[Entry] = []
        self.at_ms = int(datetime.combine(FIRST_DAY, time(10), IST).timestamp() * 1000)
        self._trades = 0

    def append(self, body: Body) -> Entry:
        """One more entry."""
        seq = len(self.entries) + 1
        entry = Entry(user_id=USER, seq=seq, position=seq * 10, body=body)
        self.account.apply(entry)
        self.entries.append(entry)
        return entry

    def event(self, order_id: str, event: events.OrderEvent) -> Entry:
        """One more event of an order."""
        return self.append(OrderChanged(order_id=order_id, event=event))

    def place(
        self,
        instrument: OrderInstrument | None,
        side: Side,
        quantity: int,
        *,
        product: Product = Product.DELIVERY,
        margin: Decimal | int = 0,
        account: Account = Account.PAPER,
        key: str = "",
    ) -> str:
        """An order that was accepted; returns its id."""
        order_id = f"o{len(self.entries) + 1}"
        prices = Prices(
            quantity=quantity, order_type=OrderType.LIMIT, validity=Validity.DAY, price=Decimal(100)
        )
        terms = Terms(
            account=account,
            key=key if instrument is None else instrument.key,
            side=side,
            product=product,
            prices=prices,
        )
        intended = events.Intended(
            at_ms=self.at_ms,
            order_id=order_id,
            user_id=USER,
            terms=terms,
            instrument=instrument,
            margin=Decimal(margin),
            reference_price=Decimal(100),
        )
        self.event(order_id, intended)
        return order_id

    def fill(self, order_id: str, quantity: int, price: Decimal | str | int) -> Entry:
        """A trade of an order."""
        self._trades += 1
        filled = events.Filled(
            at_ms=self.at_ms,
            trade_id=f"t{self._trades}",
            quantity=quantity,
            price=Decimal(price),
            traded_at_ms=self.at_ms,
        )
        return self.event(order_id, filled)

    def trade(
        self,
        instrument: OrderInstrument,
        side: Side,
        quantity: int,
        price: Decimal | str | int,
        product: Product = Product.DELIVERY,
    ) -> str:
        """An order that was filled at once; returns its id."""
        order_id = self.place(instrument, side, quantity, product=product)
        self.fill(order_id, quantity, price)
        return order_id

    def finish(self, order_id: str, state: BrokerState) -> Entry:
        """The end of an order: cancelled, expired or rejected."""
        report = BrokerReport(f"paper-{order_id}", state, self.at_ms)
        return self.event(order_id, events.Reported(at_ms=self.at_ms, report=report))

    def open_contracts(self) -> list[BookedPosition]:
        """Positions in futures and options."""
        return [one for one in self.account.open_positions() if not one.instrument.is_share]

    def settle(
        self, key: str, price: Decimal | str | int, product: Product = Product.DELIVERY
    ) -> Entry:
        """The settlement of an expired contract."""
        settled = ContractSettled(at_ms=self.at_ms, key=key, product=product, price=Decimal(price))
        return self.append(settled)

    def end_day(self, marks: dict[str, Decimal] | None = None) -> Entry:
        """The end of the trading day; the next one begins a calendar day later."""
        day = ist_date(self.at_ms).isoformat()
        entry = self.append(DayEnded(day=day, at_ms=self.at_ms, marks=marks or {}))
        self.at_ms += DAY_MS
        return entry

    def reset(self) -> Entry:
        """A reset of the paper account."""
        return self.append(AccountReset(at_ms=self.at_ms))

    def set_kill_switch(self, *, is_on: bool, by: str = "", reason: str = "") -> Entry:
        """The kill switch of the user, or that of administrators."""
        return self.append(KillSwitchSet(is_on=is_on, at_ms=self.at_ms, by=by, reason=reason))

    def lock_loss(self, loss: Decimal | int) -> Entry:
        """The loss lock."""
        return self.append(LossLocked(at_ms=self.at_ms, loss=Decimal(loss)))

    def lift_loss_lock(self, loss: Decimal | int) -> Entry:
        """The end of the loss lock, by an administrator."""
        body = LossLockLifted(at_ms=self.at_ms, loss=Decimal(loss), by="root", reason="checked")
        return self.append(body)


def with_holding(quantity: int, price: str | int = 500) -> Journal:
    """An account that holds shares in the demat account."""
    journal = Journal()
    journal.trade(DELIVERY_SHARE, Side.BUY, quantity, price)
    journal.end_day()
    journal.end_day()
    return journal
