"""Exported prices are the exact decimals of the stored ones."""

import csv
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from services.persister.export_files import COLUMNS, bar_file
from shared.market.exchange_time import to_datetime
from tests.support.builders import KEY, MONDAY_10_00

BAR: dict[str, Any] = {
    "key": KEY, "start": to_datetime(MONDAY_10_00), "open": 1400.05, "high": 0.0025,
    "low": 1e-05, "close": 123456789.95, "ltq": 5, "ltt": None, "volume": 3_000_000_000,
    "vtt": 9_000_000_000, "atp": 1400.1, "oi": None, "ticks": 7, "state": "complete",
    "silent_ms": 0, "epoch": 4,
}  # fmt: skip
PRICES = {
    "open": "1400.05", "high": "0.0025", "low": "0.00001", "close": "123456789.95", "atp": "1400.1",
}  # fmt: skip


def write(path: Path) -> None:
    with bar_file(path, path.suffix) as file:
        file.write([BAR])
        file.write([BAR])


def test_a_csv_file_has_every_column_with_exact_prices(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    write(path)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0] == rows[1]
    assert tuple(rows[0]) == COLUMNS
    assert {name: rows[0][name] for name in PRICES} == PRICES
    assert (rows[0]["ltt"], rows[0]["volume"]) == ("", "3000000000")
    assert rows[0]["start"] == "2026-11-23T04:30:00.000Z"


def test_json_lines_have_every_column_with_exact_prices(tmp_path: Path) -> None:
    path = tmp_path / "bars.jsonl"
    write(path)
    lines = path.read_text().splitlines()
    assert len(lines) == 2
    row = json.loads(lines[0], parse_float=Decimal)
    assert tuple(row) == COLUMNS
    assert {name: row[name] for name in PRICES} == {
        name: Decimal(text) for name, text in PRICES.items()
    }
    assert (row["ltt"], row["oi"], row["start"]) == (None, None, "2026-11-23T04:30:00.000Z")


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_an_integer_price_stays_a_number_without_a_fraction(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"bars{suffix}"
    with bar_file(path, suffix) as file:
        file.write([BAR | {"open": 1400}])
    assert "1400" in path.read_text()
