"""Good-till-triggered orders: rules that wait for a price, then place an order.

PURE. ENTRY waits for its price, or not at all. Once the entry's order is filled, TARGET
beside STOPLOSS wait for theirs; the one that comes first cancels the other. A stop-loss
with a trailing gap follows the price in the position's favour, never back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.simulator.orders.order import OrderRequest, OrderType, Product, Side
from services.simulator.orders.refused import GTT_RULES, OrderRefused
from shared.market.exchange_time import DAY_MS

_LIFETIME_MS: Final = 365 * DAY_MS
_AUTO_PROTECTION: Final = -1.0


class GttType(StrEnum):
    """One rule, or an entry with its exits."""

    SINGLE = "SINGLE"
    MULTIPLE = "MULTIPLE"


class Strategy(StrEnum):
    """What a rule's order is for."""

    ENTRY = "ENTRY"
    TARGET = "TARGET"
    STOPLOSS = "STOPLOSS"


class TriggerType(StrEnum):
    """From which side the price comes; exits know by themselves."""

    ABOVE = "ABOVE"
    BELOW = "BELOW"
    IMMEDIATE = "IMMEDIATE"


class RuleStatus(StrEnum):
    """What became of a rule."""

    PENDING = "PENDING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


@dataclass(slots=True)
class Rule:
    """Prices in paise."""

    strategy: Strategy
    trigger_type: TriggerType
    trigger_paise: int
    trailing_gap_paise: int = 0
    """Zero: the trigger stays where it is."""
    protection_percent: float = _AUTO_PROTECTION
    status: RuleStatus = RuleStatus.PENDING
    message: str = ""
    order_id: str | None = None

    def is_reached(self, entry: Side, price_paise: int) -> bool:
        """Whether a trade at this price sets the rule off, the entry being of this side."""
        if self.strategy is Strategy.ENTRY:
            above = self.trigger_type is TriggerType.ABOVE
        else:
            above = (self.strategy is Strategy.TARGET) == (entry is Side.BUY)
        return price_paise >= self.trigger_paise if above else price_paise <= self.trigger_paise

    def trail(self, entry: Side, price_paise: int) -> bool:
        """Follow the price by the gap, if that is nearer; True if it moved."""
        if not self.trailing_gap_paise:
            return False
        followed = price_paise - entry.sign * self.trailing_gap_paise
        if entry.sign * followed <= entry.sign * self.trigger_paise:
            return False
        self.trigger_paise = followed
        return True


@dataclass(slots=True)
class Gtt:
    """One such order; times in exchange ms."""

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
    """When the entry's order was filled; from then on its exits wait."""

    @property
    def expires_ms(self) -> int:
        """A year after it was made."""
        return self.created_ms + _LIFETIME_MS

    @property
    def is_pending(self) -> bool:
        """Some rule may still do something."""
        return any(rule.status is RuleStatus.PENDING for rule in self.rules)

    def waiting(self, at_ms: int) -> list[Rule]:
        """The rules that a trade of this time could set off."""
        is_entered = self.entered_ms is not None and at_ms > self.entered_ms
        return [
            rule
            for rule in self.rules
            if rule.status is RuleStatus.PENDING and (rule.strategy is Strategy.ENTRY or is_entered)
        ]

    def request(self, rule: Rule) -> OrderRequest:
        """The order that a rule places."""
        side = self.side if rule.strategy is Strategy.ENTRY else self.side.other
        return OrderRequest(
            self.instrument_key,
            side,
            self.quantity,
            self.product,
            OrderType.MARKET,
            protection_percent=rule.protection_percent or _AUTO_PROTECTION,
        )

    def end(self, status: RuleStatus, message: str = "") -> None:
        """All that still waits does so no more."""
        for rule in self.rules:
            if rule.status is RuleStatus.PENDING:
                rule.status, rule.message = status, message


def check_rules(gtt_type: GttType, rules: Sequence[Rule]) -> None:
    """Raise OrderRefused for rules that Upstox would not take."""
    strategies = [rule.strategy for rule in rules]
    fits = (
        strategies == [Strategy.ENTRY]
        if gtt_type is GttType.SINGLE
        else 2 <= len(rules) <= 3
        and len(set(strategies)) == len(rules)
        and Strategy.ENTRY in strategies
    )
    if not fits:
        raise OrderRefused(GTT_RULES, f"The rules do not fit {gtt_type}", path="rules")
    for rule in rules:
        is_entry = rule.strategy is Strategy.ENTRY
        if not is_entry and rule.trigger_type is not TriggerType.IMMEDIATE:
            raise OrderRefused(
                GTT_RULES,
                f"The trigger_type of {rule.strategy} must be IMMEDIATE",
                path="trigger_type",
                value=rule.trigger_type,
            )
        if rule.trigger_paise <= 0:
            raise OrderRefused(GTT_RULES, "The trigger price must be positive", path="rules")
        if rule.trailing_gap_paise and rule.strategy is not Strategy.STOPLOSS:
            raise OrderRefused(GTT_RULES, "Only STOPLOSS can trail", path="trailing_gap")
