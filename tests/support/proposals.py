"""Proposed orders for tests of the checks: each passes all rules until a test changes a term."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from services.trading.charges.rates import ChargeKind, Exchange
from services.trading.margin.margin import UnderlyingKind
from services.trading.orders.instrument import OrderInstrument
from services.trading.risk.limits import UserLimits
from services.trading.risk.proposal import AccountFacts, MarketFacts, Proposal
from shared.contracts.order_terms import (
    Account,
    OrderType,
    Prices,
    Product,
    Side,
    Terms,
    Validity,
)
from shared.market.exchange_calendar import Calendar
from shared.market.exchange_time import IST

SHARE = OrderInstrument(
    key="NSE_EQ|INE002A01018",
    symbol="RELIANCE",
    segment="NSE_EQ",
    exchange=Exchange.NSE,
    type="EQ",
    tick=Decimal("0.05"),
    lot=1,
    charge_kind=ChargeKind.DELIVERY,
    freeze=50_000,
)
FUTURE = OrderInstrument(
    key="NSE_FO|1",
    symbol="NIFTY FUT 24 DEC 26",
    segment="NSE_FO",
    exchange=Exchange.NSE,
    type="FUT",
    tick=Decimal("0.1"),
    lot=65,
    charge_kind=ChargeKind.FUTURES,
    freeze=1_755,
    underlying_kind=UnderlyingKind.INDEX,
    expiry="2026-12-29",
    underlying_key="NSE_INDEX|Nifty 50",
)
CALL = msgspec.structs.replace(
    FUTURE,
    key="NSE_FO|2",
    symbol="NIFTY 24800 CE 29 DEC 26",
    type="CE",
    tick=Decimal("0.05"),
    charge_kind=ChargeKind.OPTIONS,
    strike=Decimal(24_800),
    is_call=True,
)
CRUDE = msgspec.structs.replace(
    FUTURE,
    key="MCX_FO|3",
    symbol="CRUDEOIL FUT 18 DEC 26",
    segment="MCX_FO",
    exchange=Exchange.MCX,
    tick=Decimal(1),
    lot=1,
    multiplier=100,
    charge_kind=ChargeKind.COMMODITY_FUTURES,
    underlying_kind=UnderlyingKind.COMMODITY,
    underlying_key=None,
)

_CALENDAR = Calendar()


def at(time: str, day: str = "2026-11-27") -> int:
    """A time of a day in IST as epoch ms; a Friday with trading if no day is named."""
    return int(datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=IST).timestamp() * 1000)


def intraday(instrument: OrderInstrument) -> OrderInstrument:
    """The share as an intraday order sees it."""
    return msgspec.structs.replace(instrument, charge_kind=ChargeKind.INTRADAY)


def proposal(
    instrument: OrderInstrument = SHARE, at_ms: int | None = None, **changes: Any
) -> Proposal:
    """A limit order to buy 100 at 100.00, with delivery and at 11:00, with some changes.

    `changes` name fields of the terms, prices, market, account, limits or the proposal.
    """
    at_ms = at("11:00") if at_ms is None else at_ms

    def take(**defaults: Any) -> dict[str, Any]:
        return {name: changes.pop(name, value) for name, value in defaults.items()}

    order_type = changes.get("order_type", OrderType.LIMIT)
    prices = Prices(
        **take(
            quantity=100 if instrument.lot == 1 else instrument.lot,
            order_type=order_type,
            validity=Validity.DAY,
            price=Decimal(100) if order_type.has_limit else None,
            trigger_price=None,
            disclosed_quantity=0,
        )
    )
    terms = Terms(
        account=Account.PAPER,
        key=instrument.key,
        prices=prices,
        **take(side=Side.BUY, product=Product.DELIVERY, market_protection_percent=None),
    )
    market = MarketFacts(
        at_ms=at_ms,
        **take(
            phase=_CALENDAR.phase(instrument.segment, at_ms),
            session=_CALENDAR.session(instrument.segment, at_ms),
            is_live=True,
            ltp=Decimal(100),
            underlying_ltp=None,
            lower_circuit=None,
            upper_circuit=None,
            market_switches=(),
            are_switches_known=True,
        ),
    )
    account = AccountFacts(
        **take(
            available=Decimal(1_000_000),
            closable=0,
            loss=Decimal(0),
            open_orders=0,
            orders_today=0,
            orders_last_sec=0,
            user_switches=(),
            locked_loss=None,
            lifted_loss=None,
            is_first_demat_sale=False,
        )
    )
    limits = UserLimits(
        **{name: changes.pop(name) for name in list(changes) if name in UserLimits.__slots__}
    )
    return Proposal(terms, instrument, market, account, limits, **changes)
