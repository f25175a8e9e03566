"""Exports a month of bars to a Parquet file.

    python export_month.py RELIANCE 2026-10 reliance.parquet --interval 5m

It needs polars: install the client with its extra `polars`. Address and credentials come from the
environment: TRADEDAD_CLIENT_URL, _EMAIL and _PASSWORD.
"""

import argparse
from datetime import date
from pathlib import Path

import polars as pl  # noqa: F401  (`to_polars` needs it: fail before the download)

from tradedad_client import ClientError
from tradedad_client.sync import Client


def month(text: str) -> tuple[date, date]:
    """Return the first day of a month, and that of the next one."""
    first = date.fromisoformat(f"{text}-01")
    if first.month == 12:
        return first, date(first.year + 1, 1, 1)
    return first, first.replace(month=first.month + 1)


def main() -> None:
    """Read the bars and write the file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("instrument", help="RELIANCE, or an instrument key")
    parser.add_argument("month", type=month, help="YYYY-MM")
    parser.add_argument("file", type=Path)
    parser.add_argument("--interval", default="5m", help="1m, 3m, 5m, 15m, 30m, 1h or 1d")
    options = parser.parse_args()
    start, end = options.month
    with Client.from_environment(stream=False) as client:
        bars = client.bars(options.instrument, options.interval, start, end)
    if not bars:
        raise SystemExit("there is no bar in this month")
    bars.to_polars().write_parquet(options.file)
    print(f"{options.file}: {bars!r}")


if __name__ == "__main__":
    try:
        main()
    except (ClientError, ValueError) as error:
        raise SystemExit(str(error)) from None
