"""What a preview says of an order."""

from decimal import Decimal

from services.trading.risk.checks import check_order
from services.trading.risk.preview import preview_of
from shared.contracts.order_terms import OrderType
from tests.support.proposals import SHARE, proposal


def test_a_preview_has_all_rules_margin_charges_and_value() -> None:
    order = proposal(SHARE, price=Decimal(500), quantity=100)
    preview = preview_of(order)
    assert preview.passed
    assert preview.rules == check_order(order)
    assert preview.margin == Decimal(50_000)
    assert preview.value == Decimal(50_000)
    assert preview.available == Decimal(1_000_000)
    charges = preview.charges
    assert charges is not None
    parts = [
        charges.brokerage, charges.transaction_tax, charges.exchange, charges.investor_protection,
        charges.sebi, charges.stamp, charges.dp, charges.gst,
    ]  # fmt: skip
    assert parts == [
        Decimal(part) for part in ("20", "50", "1.49", "0.05", "0.05", "7.50", "0", "3.89")
    ]
    assert charges.total == sum(parts) == Decimal("82.98")


def test_the_preview_of_a_refused_order_still_has_all_amounts() -> None:
    preview = preview_of(proposal(available=Decimal(1)))
    assert not preview.passed
    assert [rule.rule for rule in preview.rules if not rule.passed] == ["margin"]
    assert preview.margin == Decimal(10_000)


def test_a_market_order_is_valued_at_the_ltp_and_reserved_with_its_protection() -> None:
    preview = preview_of(proposal(order_type=OrderType.MARKET, quantity=10))
    assert preview.value == Decimal(1_000)
    assert preview.margin == Decimal(1_020)


def test_a_market_order_without_an_ltp_has_no_amounts() -> None:
    preview = preview_of(proposal(order_type=OrderType.MARKET, ltp=None))
    assert not preview.passed
    assert (preview.margin, preview.charges, preview.value) == (None, None, None)
