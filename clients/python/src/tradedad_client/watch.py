"""Command of the command line that prints live quotes, one per line."""

import argparse
import sys
from datetime import datetime

from tradedad_client.client import Client
from tradedad_client.messages import Quote


async def watch(client: Client, options: argparse.Namespace) -> None:
    """Print quotes until `count` were printed."""
    async with client.quotes(options.keys, interval_ms=options.interval_ms) as quotes:
        for key, outcome in (await quotes.ready()).items():
            if outcome != "live":
                print(f"{key}: {outcome}", file=sys.stderr)
        remaining = options.count
        async for quote in quotes:
            print(format_quote(quote), flush=True)
            remaining = remaining and remaining - 1
            if remaining == 0:
                return


def format_quote(quote: Quote) -> str:
    """Format a quote: time in the local time zone, key, price, change, best bid / ask, volume."""
    time = datetime.fromtimestamp(quote.ts / 1_000).astimezone().strftime("%H:%M:%S")
    book = f"{_number(quote.bid)} / {_number(quote.ask)}" if quote.bid or quote.ask else ""
    volume = "" if quote.volume is None else f"{quote.volume:,}"
    suffix = "snapshot" if quote.snapshot else ""
    return (
        f"{time}  {quote.key:<24} {_number(quote.ltp):>12} {_change(quote):>8}  "
        f"{book:<22} {volume:>14}  {suffix}"
    ).rstrip()


def _change(quote: Quote) -> str:
    return f"{quote.ltp / quote.cp - 1:+.2%}" if quote.ltp is not None and quote.cp else ""


def _number(price: float | None) -> str:
    return "" if price is None else f"{price:.2f}"
