"""Amounts in bodies: exact, in plain digits, or refused."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.rest.trading.amounts import exact_amount

AMOUNTS = st.decimals(0, Decimal("999999999999.9999"), places=4)


@given(AMOUNTS)
def test_an_amount_is_the_same_from_text_and_from_a_number(amount: Decimal) -> None:
    assert exact_amount(f"{amount:f}") == exact_amount(amount) == amount


@given(st.decimals(allow_nan=True, allow_infinity=True) | st.integers() | st.text() | st.floats())
def test_any_input_becomes_a_valid_amount_in_plain_digits_or_is_refused(value: object) -> None:
    try:
        amount = exact_amount(value)
    except ValueError as error:
        assert "4 after" in str(error)  # noqa: PT017
    else:
        assert 0 <= amount < 10**12
        assert "E" not in str(amount)
        assert exact_amount(str(amount)) == amount


@pytest.mark.parametrize(
    "value",
    [
        100.05, True, None, [], b"1", "", "1e5", "-1", "+1", "1.", ".5", "1.00001", "NaN", " 1",
        "1\n", "\u0661", Decimal("NaN"), Decimal("sNaN"), Decimal("-Infinity"), Decimal("-0.0"),
        Decimal("1E+999999"), Decimal("1E-5"), -1, 10**12,
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_the_rule(value: object) -> None:
    with pytest.raises(ValueError, match="at most 12 digits"):
        exact_amount(value)


def test_exponents_become_digits() -> None:
    assert str(exact_amount(Decimal("1E+5"))) == "100000"
    assert str(exact_amount(Decimal("0E+999999"))) == "0"
