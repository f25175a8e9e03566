"""The command line refuses what is not exact or not complete."""

from decimal import Decimal
from importlib.metadata import version

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
    for name in ("TRADEDAD_CLIENT_EMAIL", "TRADEDAD_CLIENT_PASSWORD", "TRADEDAD_CLIENT_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    assert main(["funds", "--account", "paper"]) == 1
    assert "set TRADEDAD_CLIENT_EMAIL" in capsys.readouterr().err


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert (end.value.code, capsys.readouterr().out) == (0, f"{version('trade-dad-client')}\n")


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
