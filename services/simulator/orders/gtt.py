"""Good-till-triggered (GTT) orders: rules that place an order when a price is reached.

The ENTRY rule waits for its trigger price, or is executed immediately. After the order of the
entry is filled, the TARGET and STOPLOSS rules wait for theirs; the first that is triggered
cancels the other. A stop-loss with a trailing gap follows the price only in the position's
favour.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.simulator.errors import ApiError, ErrorCode
from services.simulator.orders.order import OrderRequest, OrderType, Product, Side
from shared.market.exchange_time import DAY_MS

_LIFETIME_MS: Final = 365 * DAY_MS
_AUTO_PROTECTION: Final = -1.0


class GttType(StrEnum):
    """Whether a GTT order has one rule, or an entry with exits."""

    SINGLE = "SINGLE"
    MULTIPLE = "MULTIPLE"


class Strategy(StrEnum):
    """The purpose of a rule's order."""

    ENTRY = "ENTRY"
    TARGET = "TARGET"
    STOPLOSS = "STOPLOSS"


class TriggerType(StrEnum):
    """From which side the price reaches the trigger; exits must have IMMEDIATE."""

    ABOVE = "ABOVE"
    BELOW = "BELOW"
    IMMEDIATE = "IMMEDIATE"


class RuleStatus(StrEnum):
    """The state of a rule."""

    PENDING = "PENDING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


@dataclass(slots=True)
class Rule:
    """One rule of a GTT order; prices in paise."""

    strategy: Strategy
    trigger_type: TriggerType
    trigger_paise: int
    trailing_gap_paise: int = 0
    """Distance at which the trigger follows the price; zero means a fixed trigger."""
    protection_percent: float = _AUTO_PROTECTION
    status: RuleStatus = RuleStatus.PENDING
    message: str = ""
    order_id: str | None = None
    """None until the rule has placed its order."""

    def is_reached(self, entry_side: Side, price_paise: int) -> bool:
        """Whether a trade at this price triggers the rule; `entry_side` is the entry's side."""
        if self.strategy is Strategy.ENTRY:
            above = self.trigger_type is TriggerType.ABOVE
        else:
            above = (self.strategy is Strategy.TARGET) == (entry_side is Side.BUY)
        return price_paise >= self.trigger_paise if above else price_paise <= self.trigger_paise

    def trail(self, entry_side: Side, price_paise: int) -> bool:
        """Move a trailing trigger after a trade at this price; True if it moved."""
        if not self.trailing_gap_paise:
            return False
        trigger_paise = price_paise - entry_side.sign * self.trailing_gap_paise
        if entry_side.sign * trigger_paise <= entry_side.sign * self.trigger_paise:
            return False
        self.trigger_paise = trigger_paise
        return True


@dataclass(slots=True)
class Gtt:
    """One GTT order; times are exchange time, epoch ms."""

    gtt_id: str
    user_id: str
    type: GttType
    instrument_key: str
    side: Side
    product: Product
    quantity: int
    rules: list[Rule]
    created_ms: int
    entered_ms: int | None = None
    """When the order of the entry was filled; None before. Only later trades trigger exits."""

    @property
    def expires_ms(self) -> int:
        """A year after its creation."""
        return self.created_ms + _LIFETIME_MS

    @property
    def is_pending(self) -> bool:
        """Whether a rule is pending."""
        return any(rule.status is RuleStatus.PENDING for rule in self.rules)

    def active_rules(self, at_ms: int) -> list[Rule]:
        """The pending rules that a trade at `at_ms` can trigger."""
        is_entered = self.entered_ms is not None and at_ms > self.entered_ms
        return [
            rule
            for rule in self.rules
            if rule.status is RuleStatus.PENDING and (rule.strategy is Strategy.ENTRY or is_entered)
        ]

    def order_request(self, rule: Rule) -> OrderRequest:
        """The order that a rule places."""
        side = self.side if rule.strategy is Strategy.ENTRY else self.side.opposite
        return OrderRequest(
            self.instrument_key,
            side,
            self.quantity,
            self.product,
            OrderType.MARKET,
            protection_percent=rule.protection_percent or _AUTO_PROTECTION,
        )

    def end(self, status: RuleStatus, message: str = "") -> None:
        """Give all pending rules this status."""
        for rule in self.rules:
            if rule.status is RuleStatus.PENDING:
                rule.status, rule.message = status, message


def check_rules(gtt_type: GttType, rules: Sequence[Rule]) -> None:
    """Raise ApiError for rules that Upstox does not accept, with the documented code."""
    _check_number(gtt_type, len(rules))
    strategies = [rule.strategy for rule in rules]
    if Strategy.ENTRY not in strategies:
        raise ApiError(ErrorCode.ENTRY_IS_MANDATORY, "The ENTRY rule is mandatory", path="rules")
    if len(set(strategies)) < len(rules):
        raise ApiError(ErrorCode.INVALID_GTT_RULES, "A strategy occurs twice", path="rules")
    for rule in rules:
        _check_rule(rule)


def _check_number(gtt_type: GttType, number: int) -> None:
    if gtt_type is GttType.SINGLE and number != 1:
        raise ApiError(ErrorCode.SINGLE_NEEDS_ONE_RULE, "SINGLE has exactly one rule", path="rules")
    if gtt_type is GttType.MULTIPLE and not 2 <= number <= 3:
        raise ApiError(ErrorCode.MULTIPLE_NEEDS_RULES, "MULTIPLE has 2 or 3 rules", path="rules")


def _check_rule(rule: Rule) -> None:
    if rule.strategy is not Strategy.ENTRY and rule.trigger_type is not TriggerType.IMMEDIATE:
        raise ApiError(
            ErrorCode.EXIT_NEEDS_IMMEDIATE,
            f"The trigger_type of {rule.strategy} must be IMMEDIATE",
            path="trigger_type",
            value=rule.trigger_type,
        )
    if rule.trigger_paise <= 0:
        raise ApiError(
            ErrorCode.INVALID_GTT_RULES, "The trigger price must be positive", path="rules"
        )
    if rule.trailing_gap_paise and rule.strategy is not Strategy.STOPLOSS:
        raise ApiError(ErrorCode.INVALID_GTT_RULES, "Only STOPLOSS can trail", path="trailing_gap")
