"""The results of rules as text for people."""

from decimal import Decimal

from services.trading.risk.rule_result import passed, plain, refused, result


def test_numbers_have_no_exponent() -> None:
    assert plain(Decimal("1E+7")) == "10000000"
    assert passed("band", limit=Decimal("1E+2"), value=Decimal("0.05")).limit == "100"


def test_a_number_that_no_price_is_near_stays_short() -> None:
    assert plain(Decimal("1E+999999999999999999")) == "1.000000E+999999999999999999"
    assert plain(Decimal("-1E-999999999999999999")) == "-1.000000E-999999999999999999"
    assert plain(Decimal("9" * 5_000)) == "1.000000E+5000"
    assert plain(Decimal("NaN" + "9" * 5_000)) == "NaN" + "9" * 37
    assert plain(Decimal("1E+40")) == "1" + "0" * 40


def test_a_kept_rule_has_no_detail() -> None:
    assert result("price", True, "why", limit=1, value=2) == passed("price", limit=1, value=2)
    assert passed("price").detail == ""


def test_a_broken_rule_has_the_detail() -> None:
    broken = result("price", False, "why", limit=1, value=None)
    assert broken == refused("price", "why", limit=1)
    assert (broken.passed, broken.detail, broken.limit, broken.value) == (False, "why", "1", None)
