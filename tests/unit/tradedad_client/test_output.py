"""Messages are written as text, as JSON lines or as CSV."""

import json
from decimal import Decimal

import pytest

from tests.support.builders import KEY, MONDAY_10_00
from tradedad_client import Instrument, Quote
from tradedad_client.output import Output

QUOTE = Quote(key=KEY, epoch=1, seq=1, ts=MONDAY_10_00, rt=1, ltp=2.5)
INSTRUMENT = Instrument(
    key=KEY, symbol="X, Y", name="n", segment="NSE_EQ", exchange="NSE", type="EQ",
    tick_size=Decimal("0.05"),
)  # fmt: skip


def test_text_is_written_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    Output("text", Quote).write(QUOTE, "line")
    assert capsys.readouterr().out == "line\n"


def test_json_has_one_object_on_a_line_with_exact_numbers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Output("json", Instrument, "row").write(INSTRUMENT, "", row=1)
    Output("json", Quote, "row").write(QUOTE, "", row=2)
    first, second = capsys.readouterr().out.splitlines()
    assert '"tick_size":0.05' in first
    assert list(json.loads(second))[:2] == ["row", "key"]


def test_csv_has_a_header_and_times_with_their_zone(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output("csv", Quote, "name")
    output.write(QUOTE, "", name="first")
    output.write(QUOTE, "", name="second")
    header, first, second = capsys.readouterr().out.splitlines()
    assert header.startswith("name,key,epoch,seq,ts,rt,ltt,ltp")
    row = dict(zip(header.split(","), first.split(","), strict=True))
    assert row["ts"].endswith("T10:00:00.000+05:30")
    assert (row["name"], row["ltp"], row["volume"], row["snap"]) == ("first", "2.5", "", "false")
    assert second.startswith("second,")


def test_csv_quotes_what_has_commas(capsys: pytest.CaptureFixture[str]) -> None:
    Output("csv", Instrument).write(INSTRUMENT, "")
    assert '"X, Y"' in capsys.readouterr().out


def test_csv_has_its_header_without_any_message(capsys: pytest.CaptureFixture[str]) -> None:
    Output("csv", Instrument)
    assert capsys.readouterr().out.startswith("key,symbol,name,")
