"""The command line refuses what is not exact or not complete."""

from decimal import Decimal

import pytest

from tests.support.builders import KEY
from tradedad_client.command_line import main, parser

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


def test_missing_credentials_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("TRADE_DAD_EMAIL", "TRADE_DAD_PASSWORD", "TRADE_DAD_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    assert main(["funds", "--account", "paper"]) == 1
    assert "give either email and password" in capsys.readouterr().err
