"""Prints live quotes, one per line: ``python -m tradedad_client watch KEY...``."""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from datetime import datetime

from tradedad_client.client import Client
from tradedad_client.errors import ClientError
from tradedad_client.messages import Quote

_ENVIRONMENT = """\
Credentials are read from the environment: TRADE_DAD_EMAIL and TRADE_DAD_PASSWORD, or TRADE_DAD_TOKEN.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        asyncio.run(_watch(options))
    except (ClientError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tradedad_client", epilog=_ENVIRONMENT)
    commands = parser.add_subparsers(required=True)
    watch = commands.add_parser("watch", help="print live quotes", epilog=_ENVIRONMENT)
    watch.add_argument("keys", nargs="+", metavar="KEY", help="NSE_EQ|INE002A01018, NSE_EQ|*, *")
    watch.add_argument("--url", default="http://127.0.0.1:7400", help="address of the gateway")
    watch.add_argument("--auth-url", help="address of auth, if the gateway does not forward to it")
    watch.add_argument(
        "--interval-ms",
        type=int,
        help="print the newest quote of each instrument once per interval",
    )
    watch.add_argument("--count", type=int, help="exit after this number of quotes")
    return parser


async def _watch(options: argparse.Namespace) -> None:
    async with (
        Client(
            options.url,
            auth_url=options.auth_url,
            email=os.environ.get("TRADE_DAD_EMAIL"),
            password=os.environ.get("TRADE_DAD_PASSWORD"),
            token=os.environ.get("TRADE_DAD_TOKEN"),
        ) as client,
        client.quotes(options.keys, interval_ms=options.interval_ms) as quotes,
    ):
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
