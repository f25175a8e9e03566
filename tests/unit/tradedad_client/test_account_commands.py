"""Orders, positions and funds are printed with every digit."""

from decimal import Decimal

import msgspec

from tests.support.builders import KEY
from tests.support.gateway.fake_trading import FUNDS, ORDER, POSITION, PREVIEW
from tradedad_client.account_commands import (
    format_funds,
    format_order,
    format_positions,
    format_preview,
)
from tradedad_client.trading_messages import Funds, Order, Position, Positions, Preview


def test_an_order_is_one_line_with_its_state_and_terms() -> None:
    order = msgspec.convert(msgspec.to_builtins(ORDER), Order)
    assert f" {KEY} " not in format_order(order, {KEY: "RELIANCE"})
    assert format_order(order) == (
        f"o-1  partly_filled  BUY 4/10 {KEY}  I LIMIT 1400.05 DAY  average 1400.00"
    )
    refused = msgspec.structs.replace(
        order, detail="above the limit", trigger_price=Decimal("1.10")
    )
    assert "trigger 1.10" in format_order(refused)
    assert format_order(refused).endswith("above the limit")


def test_positions_end_with_the_charges_of_the_day() -> None:
    position = msgspec.convert(msgspec.to_builtins(POSITION), Position)
    positions = Positions(positions=[position], charges=Decimal("0.42"))
    heading, line, charges = format_positions(positions, {KEY: "RELIANCE"})
    assert heading.split()[:3] == ["instrument", "product", "quantity"]
    assert line.split() == ["RELIANCE", "I", "4", "1400.00", "1399.50", "0", "-2.00"]
    assert format_positions(positions)[1].startswith(KEY)
    assert charges == "charges 0.42"


def test_an_unknown_amount_of_the_funds_is_no_zero() -> None:
    lines = dict(
        line.split() for line in format_funds(msgspec.convert(msgspec.to_builtins(FUNDS), Funds))
    )
    assert (lines["available"], lines["unrealised"]) == ("997198.12", "-")


def test_a_preview_names_the_rules_that_refuse_the_order() -> None:
    first, rule, *amounts = format_preview(msgspec.convert(msgspec.to_builtins(PREVIEW), Preview))
    assert first == "the order would be refused"
    assert rule == "refused by lot: no (limit 65, value 10)"
    assert [line.split()[1] for line in amounts] == ["14000.50", "2800.10", "24.54", "-"]
