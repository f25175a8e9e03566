"""A scanner that lists the instruments of a segment with the greatest change of the day.

    python scanner.py NSE_EQ --top 10 --every 5

It sees what the feed carries: the instruments that somebody follows. Address and credentials come
from the environment: TRADEDAD_CLIENT_URL, _EMAIL and _PASSWORD.
"""

import argparse
import asyncio
import sys
import time

from tradedad_client import Client, ClientError, Quote


def change_percent(quote: Quote) -> float:
    """Return the change since the previous close, in percent; 0 while it is not known."""
    return (quote.ltp / quote.cp - 1) * 100 if quote.ltp is not None and quote.cp else 0.0


async def show(client: Client, quotes: list[Quote]) -> None:
    """Print quotes with their symbols."""
    instruments = await client.instruments.get_many(quote.key for quote in quotes)
    for quote, instrument in zip(quotes, instruments, strict=True):
        print(
            f"{quote.time:%H:%M:%S %Z}  {instrument.symbol:<28} {quote.ltp:>10} "
            f"{change_percent(quote):>+7.2f}%",
            flush=True,
        )


async def main() -> None:
    """Follow a segment, and print a table again and again."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("segment", help="NSE_EQ, NSE_FO, MCX_FO and others")
    parser.add_argument("--top", type=int, default=10, help="instruments in a table")
    parser.add_argument("--every", type=float, default=5.0, help="seconds between tables")
    parser.add_argument("--tables", type=int, help="end after this number of tables")
    options = parser.parse_args()
    newest: dict[str, Quote] = {}
    segment = f"{options.segment}|*"
    async with Client.from_environment() as client:
        quotes = client.quotes([segment], interval_ms=1_000)
        if (await quotes.ready())[segment] != "live":
            print(f"nothing was received from {options.segment} yet", file=sys.stderr)
        tables, shown_at = 0, time.monotonic()
        async for quote in quotes:
            newest[quote.key] = quote
            if time.monotonic() - shown_at < options.every:
                continue
            ranked = sorted(newest.values(), key=lambda one: -abs(change_percent(one)))
            await show(client, ranked[: options.top])
            tables, shown_at = tables + 1, time.monotonic()
            if tables == options.tables:
                return
            print(flush=True)


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except (ClientError, ValueError) as error:
        raise SystemExit(str(error)) from None
    except KeyboardInterrupt:
        raise SystemExit from None
