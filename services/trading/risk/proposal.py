"""Input of the checks: an order, its market and its account, and the amounts that follow."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Final

from services.trading.charges.charges import Charges, Leg, charges_of
from services.trading.charges.rates import rates_on
from services.trading.orders.instrument import OrderInstrument
from services.trading.orders.protection import (
    MAX_PROTECTION_PERCENT,
    automatic_protection_percent,
    protected_price,
)
from services.trading.risk.limits import UserLimits
from services.trading.risk.order_margin import order_margin
from shared.contracts.order_terms import OrderType, Product, Side, Terms
from shared.contracts.trading_replies import ActiveSwitch
from shared.market.exchange_calendar import Phase
from shared.market.exchange_time import ist_date

MAX_PRICE: Final = Decimal(100_000_000)
"""Rupees; far above every price, so that all amounts stay exact."""


@dataclass(frozen=True, slots=True)
class MarketFacts:
    """The market of the instrument at one moment of exchange time."""

    at_ms: int
    phase: Phase
    """Of the instrument's segment."""
    session: tuple[int, int] | None
    """Start and end of today's continuous trading, epoch ms; None on a day without a session."""
    is_live: bool
    """Whether the feed is live and its clock advances. The last trade may be old."""
    ltp: Decimal | None = None
    underlying_ltp: Decimal | None = None
    """For sold options; None if it is not known."""
    lower_circuit: Decimal | None = None
    upper_circuit: Decimal | None = None
    """None if they are not known."""
    market_switches: Sequence[ActiveSwitch] = ()
    """Kill switches: the global one and that of the instrument, while they are on."""
    are_switches_known: bool = True
    """Whether they were read recently."""


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """The account of the user, without the order that is checked."""

    available: Decimal
    """Rupees; of a modification with what the order reserves now."""
    closable: int
    """The quantity that an order of this side, instrument and product can close.

    For the sale of shares with D: holding + T1 + today's signed position. Always less what other
    open orders of this side will close.
    """
    loss: Decimal
    """Of today, positive; realised and marked to market, after charges."""
    open_orders: int
    orders_today: int
    orders_last_sec: int
    user_switches: Sequence[ActiveSwitch] = ()
    """Kill switches of the user, while they are on."""
    locked_loss: Decimal | None = None
    """The loss at which the loss lock was set today; None while it is off."""
    lifted_loss: Decimal | None = None
    """The loss at which the loss lock was lifted today; None if it was not."""
    is_first_demat_sale: bool = False
    """Whether a sale with delivery would be today's first of these shares from the demat account."""


@dataclass(frozen=True)
class Proposal:
    """A new order, or an order after a modification. Amounts are None while no price is known."""

    terms: Terms
    instrument: OrderInstrument
    market: MarketFacts
    account: AccountFacts
    limits: UserLimits
    is_modification: bool = False
    filled_quantity: int = 0
    is_margin_checked: bool = True
    """Whether margin and charges must be available; a broker checks them itself."""
    is_triggered: bool = False
    """Of a modified stop order: it has become a limit order."""

    @property
    def day(self) -> str:
        """The trading day, ``YYYY-MM-DD``, IST."""
        return ist_date(self.market.at_ms).isoformat()

    @property
    def remaining(self) -> int:
        """The quantity that can still be filled."""
        return max(0, self.terms.prices.quantity - self.filled_quantity)

    @property
    def opening_quantity(self) -> int:
        """The part of `remaining` that opens a position."""
        return max(0, self.remaining - max(0, self.account.closable))

    @property
    def closes_only(self) -> bool:
        """Whether the order can only make a position smaller."""
        return self.opening_quantity == 0

    @property
    def is_delivery_sale(self) -> bool:
        """Whether the order sells shares that must be owned."""
        return (
            self.instrument.is_share
            and self.terms.side is Side.SELL
            and self.terms.product is not Product.INTRADAY
        )

    @cached_property
    def protection_percent(self) -> Decimal | None:
        """The market protection; None for an order with a limit or with an invalid protection."""
        prices = self.terms.prices
        if prices.order_type.has_limit:
            return None
        percent = self.terms.market_protection_percent
        if percent is not None:
            return percent if is_valid_protection(percent) else None
        reference = self.reference_price
        if reference is None:
            return None
        return automatic_protection_percent(reference, is_option=self.instrument.is_option)

    @cached_property
    def reference_price(self) -> Decimal | None:
        """The limit, else the trigger, else the LTP."""
        prices = self.terms.prices
        match prices.order_type:
            case OrderType.LIMIT | OrderType.SL:
                price = prices.price
            case OrderType.SL_M:
                price = prices.trigger_price
            case OrderType.MARKET:
                price = self.market.ltp
        return price if price is not None and is_valid_price(price) else None

    @cached_property
    def reserve_price(self) -> Decimal | None:
        """The price at which margin and charges are reserved: the highest that is expected.

        A sold limit order can be filled above its limit, at about the LTP.
        """
        reference = self.reference_price
        if reference is None:
            return None
        if self.terms.prices.order_type.has_limit:
            ltp = self.market.ltp
            is_below = self.terms.side is Side.SELL and ltp is not None and ltp > reference
            return ltp if is_below else reference
        if self.protection_percent is None or self.instrument.tick <= 0:
            return None
        return protected_price(Side.BUY, reference, self.protection_percent, self.instrument.tick)

    @cached_property
    def value(self) -> Decimal | None:
        """Remaining quantity times the reference price, in rupees."""
        return self._value_at(self.reference_price)

    @cached_property
    def margin(self) -> Decimal | None:
        """The margin to reserve, in rupees; an estimate."""
        price = self.reserve_price
        if price is None:
            return None
        return order_margin(
            self.instrument,
            side=self.terms.side,
            product=self.terms.product,
            opening_quantity=self.opening_quantity,
            price=price,
            underlying_price=self.market.underlying_ltp,
            day=self.day,
        )

    @cached_property
    def charges(self) -> Charges | None:
        """The charges of the remaining quantity; None also if its exchange has no rates."""
        turnover = self._value_at(self.reserve_price)
        if turnover is None or not self.has_rates:
            return None
        leg = Leg(
            kind=self.instrument.charge_kind,
            exchange=self.instrument.exchange,
            is_buy=self.terms.side is Side.BUY,
            turnover=turnover,
            is_first_demat_sale=self.is_delivery_sale and self.account.is_first_demat_sale,
        )
        return charges_of(leg, rates_on(ist_date(self.market.at_ms)))

    @property
    def reservation(self) -> Decimal | None:
        """Amount that an accepted order reserves for its whole quantity: margin and charges.

        Of a modified order it is scaled up, so that its part for the remaining quantity is exact.
        An order that only closes a position reserves nothing.
        """
        if self.closes_only:
            return Decimal(0)
        if self.margin is None or self.charges is None:
            return None
        needed = self.margin + self.charges.total
        return needed * self.terms.prices.quantity / self.remaining

    @property
    def has_rates(self) -> bool:
        """Whether the charges of the instrument's exchange are known."""
        kinds = rates_on(ist_date(self.market.at_ms)).kinds
        return self.instrument.exchange in kinds[self.instrument.charge_kind].exchange

    def _value_at(self, price: Decimal | None) -> Decimal | None:
        return None if price is None else price * self.remaining * self.instrument.multiplier


def is_valid_price(price: Decimal) -> bool:
    """Whether it is a number above zero that is not beyond all prices."""
    return price.is_finite() and 0 < price <= MAX_PRICE


def is_valid_protection(percent: Decimal) -> bool:
    """Whether a user may set this market protection."""
    return percent.is_finite() and 0 < percent <= MAX_PROTECTION_PERCENT
