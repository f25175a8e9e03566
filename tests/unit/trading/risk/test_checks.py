"""All checks together: their order, the error for the first refusal, and what they guarantee."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from services.trading.risk.checks import RULES, check_order, first_refusal
from services.trading.risk.proposal import Proposal
from shared.contracts.order_terms import OrderType, Product, Side, Validity
from shared.contracts.trading import MAX_QUANTITY
from tests.support.proposals import CALL, CRUDE, FUTURE, SHARE, at, intraday, proposal

RULE_NAMES = [
    "kill_switch", "loss_lock", "instrument", "segment_open", "auction", "feed_live", "quantity",
    "price", "trigger", "disclosed", "product", "band", "validity", "market_protection",
    "max_order_quantity", "max_order_value", "max_open_orders", "max_orders_per_sec",
    "max_orders_per_day", "holdings", "margin",
]  # fmt: skip


def test_every_rule_gives_one_result_in_a_fixed_order() -> None:
    assert [rule.__name__ for rule in RULES] == RULE_NAMES
    assert [result.rule for result in check_order(proposal())] == RULE_NAMES
    assert [result.rule for result in check_order(proposal(FUTURE, at("03:00")))] == RULE_NAMES


def test_an_order_that_keeps_all_rules_is_not_refused() -> None:
    results = check_order(proposal())
    assert all(result.passed for result in results)
    assert first_refusal(results) is None


def test_the_error_is_that_of_the_first_broken_rule() -> None:
    order = proposal(quantity=0, price=Decimal("100.01"))
    refusal = first_refusal(check_order(order))
    assert refusal is not None
    assert refusal.field == "quantity"
    assert refusal.members == {"rule": "quantity", "limit": "0", "value": "0"}
    assert refusal.detail == "the quantity 0 is not above 0"


def test_a_rule_about_no_single_field_names_none() -> None:
    refusal = first_refusal(check_order(proposal(is_live=False)))
    assert refusal is not None
    assert refusal.field is None
    assert refusal.members["rule"] == "feed_live"


prices = st.none() | st.decimals(places=2, min_value=-1, max_value=200) | st.decimals()
ticks = st.integers(1_900, 2_100).map(lambda ticks: ticks * Decimal("0.05"))
proposals = st.fixed_dictionaries(
    {
        "instrument": st.sampled_from([SHARE, intraday(SHARE), FUTURE, CALL, CRUDE]),
        "at_ms": st.sampled_from([at("09:04"), at("11:00"), at("15:14"), at("21:00")]),
        "side": st.sampled_from(Side),
        "product": st.sampled_from(Product),
        "order_type": st.sampled_from(OrderType),
        "validity": st.sampled_from(Validity),
        "quantity": st.integers(0, 300) | st.integers(-5, MAX_QUANTITY),
        "price": ticks | prices,
        "trigger_price": st.none() | ticks | prices,
        "disclosed_quantity": st.just(0) | st.integers(0, 300),
        "market_protection_percent": st.none() | st.decimals(),
        "ltp": st.none() | ticks,
        "underlying_ltp": st.none() | st.integers(20_000, 30_000).map(Decimal),
        "available": st.decimals(-1_000, 2_000_000, places=2),
        "closable": st.integers(-100, 200),
        "is_modification": st.booleans(),
        "filled_quantity": st.just(0) | st.integers(0, 100),
        "is_triggered": st.booleans(),
    }
)


@given(proposals)
def test_terms_of_any_kind_are_judged_by_every_rule(terms: dict[str, Any]) -> None:
    results = check_order(proposal(**terms))
    assert [result.rule for result in results] == RULE_NAMES
    assert all(result.passed or result.detail for result in results)


@st.composite
def likely_orders(draw: st.DrawFn) -> Proposal:
    """Orders of which most rules are kept, with a quantity or a price that is wrong at times."""
    instrument = draw(st.sampled_from([SHARE, SHARE, intraday(SHARE), FUTURE, CALL, CRUDE]))
    order_type, side = draw(st.sampled_from(OrderType)), draw(st.sampled_from(Side))
    tick, lot = instrument.tick, instrument.lot
    distance = draw(st.integers(-3, 40)) * tick
    trigger = 100 + distance if side is Side.BUY else 100 - distance
    limit = trigger + draw(st.integers(-5, 5)) * tick
    off_tick = draw(st.sampled_from([Decimal(0), Decimal(0), Decimal(0), Decimal("0.001")]))
    return proposal(
        instrument,
        side=side,
        order_type=order_type,
        product=draw(st.sampled_from(Product)),
        quantity=draw(st.integers(0, 40)) * lot + draw(st.sampled_from([0, 0, 0, 1])),
        price=limit + off_tick if order_type.has_limit else None,
        trigger_price=trigger + off_tick if order_type.has_trigger else None,
        available=draw(st.just(Decimal(500_000)) | st.decimals(-1_000, 200_000, places=2)),
        closable=draw(st.just(0) | st.integers(-60, 60)),
        filled_quantity=draw(st.sampled_from([0, 0, 0, 5])),
    )


def is_accepted(order: Proposal) -> bool:
    return first_refusal(check_order(order)) is None


@pytest.mark.parametrize("closes", [False, True])
@pytest.mark.parametrize("side", Side)
def test_some_of_the_generated_orders_are_accepted(side: Side, closes: bool) -> None:
    find(
        likely_orders(),
        lambda order: (
            is_accepted(order) and order.terms.side is side and order.closes_only is closes
        ),
        settings=settings(max_examples=10_000, phases=[Phase.generate]),
    )


@given(likely_orders())
def test_an_accepted_order_has_a_quantity_prices_on_ticks_and_enough_money(
    order: Proposal,
) -> None:
    if not is_accepted(order):
        return
    prices = order.terms.prices
    assert order.remaining > 0
    assert prices.quantity % order.instrument.lot == 0
    for price in (prices.price, prices.trigger_price):
        assert price is None or (price > 0 and price % order.instrument.tick == 0)
    if order.closes_only:
        assert order.margin == 0
        return
    assert order.margin is not None
    assert order.charges is not None
    assert Decimal(0) < order.margin + order.charges.total <= order.account.available


@given(likely_orders())
def test_shares_are_never_sold_short_with_delivery(order: Proposal) -> None:
    is_sale = order.instrument.is_share and order.terms.side is Side.SELL
    if is_sale and order.terms.product is not Product.INTRADAY and is_accepted(order):
        assert order.remaining <= order.account.closable
