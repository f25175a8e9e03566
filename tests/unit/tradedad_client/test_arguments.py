"""Arguments that are not exact or not complete are refused."""

from decimal import Decimal

import pytest

from tests.support.builders import KEY
from tradedad_client.arguments import parser

PLACE = ["order", "place", "buy", "10", KEY, "--product", "i", "--type", "limit"]


def test_an_order_is_read_with_exact_amounts() -> None:
    options = parser().parse_args([*PLACE, "--account", "paper", "--price", "1400.05"])
    assert (options.side, options.product, options.type) == ("BUY", "I", "LIMIT")
    assert options.price == Decimal("1400.05")


@pytest.mark.parametrize(
    "arguments",
    [PLACE, ["order", "list"], ["positions"], ["funds"]],
    ids=["place", "list", "positions", "funds"],
)
def test_the_account_must_be_given(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(arguments)
    assert "--account" in capsys.readouterr().err


@pytest.mark.parametrize("amount", ["cheap", "nan", "1,400"])
def test_an_amount_that_is_no_number_is_refused(
    amount: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args([*PLACE, "--account", "paper", "--price", amount])
    assert "argument --price: not a" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command", [["watch", KEY], ["search", "x"], ["bars", KEY, "--start", "1"]]
)
def test_the_form_of_the_output_is_text_json_or_csv(command: list[str]) -> None:
    assert parser().parse_args(command).form == "text"
    assert parser().parse_args([*command, "--json"]).form == "json"
    assert parser().parse_args([*command, "--csv"]).form == "csv"
    with pytest.raises(SystemExit):
        parser().parse_args([*command, "--csv", "--json"])


def test_market_data_is_read_for_a_day_and_an_expiry() -> None:
    gaps = parser().parse_args(["gaps", "RELIANCE", "--start", "2026-11-23", "--csv"])
    assert (gaps.instrument, gaps.start, gaps.end, gaps.form) == (
        "RELIANCE", "2026-11-23", None, "csv",
    )  # fmt: skip
    chain = parser().parse_args(["chain", "Nifty 50"])
    assert (chain.underlying, chain.expiry, chain.form) == ("Nifty 50", None, "text")


def test_terms_of_an_order_that_are_not_given_stay_as_they_are() -> None:
    options = parser().parse_args(["order", "modify", "o-1", "--price", "1400.05", "--type", "sl"])
    assert (options.order_id, options.price, options.type) == ("o-1", Decimal("1400.05"), "SL")
    assert (options.quantity, options.validity, options.disclosed_quantity) == (None, None, None)


@pytest.mark.parametrize("count", ["0", "-1", "x"])
def test_a_number_of_quotes_is_at_least_one(count: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["watch", KEY, "--count", count])
    assert "argument --count: " in capsys.readouterr().err
