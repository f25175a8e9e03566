"""Command of the command line that prints live quotes, one per line."""

import argparse

from tradedad_client.client import Client
from tradedad_client.messages import Quote
from tradedad_client.names import is_wildcard
from tradedad_client.output import Output, note
from tradedad_client.times import clock_text


async def watch(client: Client, options: argparse.Namespace) -> None:
    """Print quotes until `count` were printed."""
    output = Output(options.form, Quote, "name")
    async with client.quotes(options.instruments, interval_ms=options.interval_ms) as quotes:
        for key, outcome in (await quotes.ready()).items():
            if outcome != "live":
                text = "nothing received yet" if is_wildcard(key) else outcome
                note(f"{quotes.names.get(key, key)}: {text}")
        remaining = options.count
        async for quote in quotes:
            name = quotes.names.get(quote.key, quote.key)
            output.write(quote, format_quote(quote, name), name=name)
            remaining = remaining and remaining - 1
            if remaining == 0:
                return


def format_quote(quote: Quote, name: str) -> str:
    """Format a quote: time in India, name, price, change, best bid / ask, volume."""
    book = f"{_number(quote.bid)} / {_number(quote.ask)}" if quote.bid or quote.ask else ""
    volume = "" if quote.volume is None else f"{quote.volume:,}"
    suffix = "snapshot" if quote.snapshot else ""
    return (
        f"{clock_text(quote.ts)}  {name:<24} {_number(quote.ltp):>12} {_change(quote):>8}  "
        f"{book:<22} {volume:>14}  {suffix}"
    ).rstrip()


def _change(quote: Quote) -> str:
    return f"{quote.ltp / quote.cp - 1:+.2%}" if quote.ltp is not None and quote.cp else ""


def _number(price: float | None) -> str:
    return "" if price is None else f"{price:.2f}"
