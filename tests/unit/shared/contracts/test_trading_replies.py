"""Replies of trading have exact amounts in JSON."""

from decimal import Decimal

import msgspec

from shared.contracts.order_terms import Account
from shared.contracts.trading_replies import Funds


def test_amounts_are_decimal_strings() -> None:
    zero = Decimal(0)
    funds = Funds(
        account=Account.PAPER,
        cash=Decimal("1000000.10"),
        realised=zero,
        charges=zero,
        order_margin=zero,
        position_margin=zero,
        available=Decimal("1000000.10"),
    )
    encoded = msgspec.json.encode(funds)
    assert b'"cash":"1000000.10"' in encoded
    assert msgspec.json.decode(encoded, type=Funds) == funds
