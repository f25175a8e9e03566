"""Fields are exact, or refused."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.trading.upstox.row_fields import (
    BadRow,
    amount,
    clean_words,
    identifier,
    optional_text,
    plain,
    price,
    row_object,
    whole,
)


@given(st.decimals(min_value=0, max_value=10**9, places=4))
def test_a_price_is_exact_as_a_float_and_as_a_decimal(exact: Decimal) -> None:
    for value in (exact, float(exact)):
        found = price({"price": value}, "price")
        assert (found or 0) == exact
        assert "E" not in str(found)


@pytest.mark.parametrize(
    ("number", "text"),
    [("100", "100"), ("1E+2", "100"), ("1.50", "1.5"), ("-0.0", "0"), ("0E-9", "0")],
)
def test_a_plain_number_has_neither_zeros_nor_an_exponent(number: str, text: str) -> None:
    assert str(plain(Decimal(number))) == text


def test_an_amount_is_rounded_to_a_hundredth_of_a_paisa() -> None:
    assert amount({"value": 174860.00000000003}, "value") == 174860
    assert amount({"value": Decimal("-1.23456")}, "value") == Decimal("-1.2346")


def test_a_whole_number_may_be_written_with_a_fraction_of_zero() -> None:
    assert whole({"quantity": 5.0}, "quantity", low=1) == 5
    assert whole({"quantity": Decimal("5.000")}, "quantity", low=1) == 5
    assert whole({}, "quantity", low=1, default=7) == 7


def test_an_identifier_may_be_a_number() -> None:
    assert identifier({"order_id": 251128000000001}, "order_id") == "251128000000001"
    for value in (0, -1, 10**30, 1.5, True, None):
        with pytest.raises(BadRow):
            identifier({"order_id": value}, "order_id")


def test_placeholders_are_no_text() -> None:
    assert [optional_text({"tag": tag}, "tag") for tag in (None, "", "NA", " ", "x ")] == [
        None, None, None, None, "x",
    ]  # fmt: skip


def test_what_is_no_object_is_no_row() -> None:
    rows: list[object] = [None, [], "text", 5]
    for row in rows:
        with pytest.raises(BadRow, match="row: is not an object"):
            row_object(row)


@given(st.text(max_size=400))
def test_clean_words_can_be_encoded_and_shown(value: str) -> None:
    words = clean_words(value, 100)
    assert len(words) <= 100
    assert words.encode().decode() == words
    assert not any(ord(character) < 32 for character in words)
