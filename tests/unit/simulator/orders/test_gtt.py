"""Rules are triggered by prices, and a GTT order expires after a year."""

import pytest

from services.simulator.errors import ApiError
from services.simulator.orders.gtt import (
    Gtt,
    GttType,
    Rule,
    RuleStatus,
    Strategy,
    TriggerType,
    check_rules,
)
from services.simulator.orders.order import OrderType, Product, Side

ENTRY = Rule(Strategy.ENTRY, TriggerType.BELOW, 9_900)
TARGET = Rule(Strategy.TARGET, TriggerType.IMMEDIATE, 10_200)


def stop(gap_paise: int = 0) -> Rule:
    return Rule(Strategy.STOPLOSS, TriggerType.IMMEDIATE, 9_800, gap_paise)


def gtt(side: Side = Side.BUY) -> Gtt:
    rules = [
        Rule(Strategy.ENTRY, TriggerType.BELOW, 9_900),
        Rule(Strategy.TARGET, TriggerType.IMMEDIATE, 10_200),
        stop(),
    ]
    return Gtt("G", "U", GttType.MULTIPLE, "K", side, Product.I, 5, rules, created_ms=1_000)


@pytest.mark.parametrize(
    ("rule", "side", "not_reached", "reached"),
    [
        (ENTRY, Side.BUY, 9_901, 9_900),
        (Rule(Strategy.ENTRY, TriggerType.ABOVE, 9_900), Side.SELL, 9_899, 9_900),
        (TARGET, Side.BUY, 10_199, 10_200),
        (TARGET, Side.SELL, 10_201, 10_200),
        (stop(), Side.BUY, 9_801, 9_800),
        (stop(), Side.SELL, 9_799, 9_800),
    ],
)
def test_the_direction_of_a_trigger_depends_on_strategy_and_side(
    rule: Rule, side: Side, not_reached: int, reached: int
) -> None:
    assert not rule.is_reached(side, not_reached)
    assert rule.is_reached(side, reached)


def test_a_trailing_stop_of_a_sale_follows_the_price_down() -> None:
    rule = Rule(Strategy.STOPLOSS, TriggerType.IMMEDIATE, 10_100, trailing_gap_paise=50)
    assert rule.trail(Side.SELL, 10_000)
    assert rule.trigger_paise == 10_050
    assert not rule.trail(Side.SELL, 10_040)
    assert rule.trigger_paise == 10_050


def test_a_stop_without_a_gap_does_not_trail() -> None:
    rule = stop()
    assert not rule.trail(Side.BUY, 20_000)
    assert rule.trigger_paise == 9_800


def test_exits_are_active_after_the_entry_is_filled() -> None:
    order = gtt()
    assert [rule.strategy for rule in order.active_rules(2_000)] == [Strategy.ENTRY]
    order.rules[0].status, order.entered_ms = RuleStatus.COMPLETED, 2_000
    assert order.active_rules(2_000) == []
    assert [rule.strategy for rule in order.active_rules(2_001)] == [
        Strategy.TARGET,
        Strategy.STOPLOSS,
    ]


def test_exits_have_the_opposite_side_and_every_order_has_protection() -> None:
    order = gtt()
    order.rules[1].protection_percent = 0.0
    requests = [order.order_request(rule) for rule in order.rules]
    assert [request.side for request in requests] == [Side.BUY, Side.SELL, Side.SELL]
    assert {request.order_type for request in requests} == {OrderType.MARKET}
    assert {request.protection_percent for request in requests} == {-1.0}


def test_ending_changes_pending_rules_only() -> None:
    order = gtt()
    order.rules[0].status = RuleStatus.COMPLETED
    order.end(RuleStatus.CANCELLED, "Expired")
    assert [rule.status for rule in order.rules] == ["COMPLETED", "CANCELLED", "CANCELLED"]
    assert [rule.message for rule in order.rules] == ["", "Expired", "Expired"]
    assert not order.is_pending


def test_a_gtt_order_expires_after_a_year() -> None:
    assert gtt().expires_ms == 1_000 + 365 * 86_400_000


@pytest.mark.parametrize(
    ("gtt_type", "rules"),
    [
        (GttType.SINGLE, [ENTRY]),
        (GttType.MULTIPLE, [ENTRY, TARGET]),
        (GttType.MULTIPLE, [ENTRY, TARGET, stop(gap_paise=50)]),
    ],
)
def test_valid_rules_are_accepted(gtt_type: GttType, rules: list[Rule]) -> None:
    check_rules(gtt_type, rules)


@pytest.mark.parametrize(
    ("gtt_type", "rules", "code", "path"),
    [
        (GttType.SINGLE, [], "UDAPI1136", "rules"),
        (GttType.SINGLE, [ENTRY, TARGET], "UDAPI1136", "rules"),
        (GttType.SINGLE, [TARGET], "UDAPI1141", "rules"),
        (GttType.MULTIPLE, [ENTRY], "UDAPI1137", "rules"),
        (GttType.MULTIPLE, [ENTRY, TARGET, stop(), stop()], "UDAPI1137", "rules"),
        (GttType.MULTIPLE, [TARGET, stop()], "UDAPI1141", "rules"),
        (GttType.MULTIPLE, [ENTRY, TARGET, TARGET], "UDAPI1126", "rules"),
        (
            GttType.MULTIPLE,
            [ENTRY, Rule(Strategy.TARGET, TriggerType.BELOW, 1)],
            "UDAPI1143",
            "trigger_type",
        ),
        (
            GttType.MULTIPLE,
            [ENTRY, Rule(Strategy.TARGET, TriggerType.IMMEDIATE, 1, 5)],
            "UDAPI1126",
            "trailing_gap",
        ),
    ],
)
def test_invalid_rules_are_refused_with_their_code_and_field(
    gtt_type: GttType, rules: list[Rule], code: str, path: str
) -> None:
    with pytest.raises(ApiError) as error:
        check_rules(gtt_type, rules)
    assert (error.value.code, error.value.path) == (code, path)
