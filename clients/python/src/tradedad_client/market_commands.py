"""Commands of the command line for market data and the state of the system."""

import argparse

import msgspec

from tradedad_client.client import Client
from tradedad_client.market_messages import HistoryBar, HistoryGap, Instrument, SystemStatus
from tradedad_client.messages import ChainRow
from tradedad_client.output import Output, note
from tradedad_client.times import in_india, minute_text


async def search(client: Client, options: argparse.Namespace) -> None:
    """Print the instruments that match all words."""
    output = Output(options.form, Instrument)
    found = await client.instruments.search(
        " ".join(options.words),
        type=options.type or (),
        segment=options.segment or (),
        expiry=options.expiry,
        limit=options.limit,
    )
    for instrument in found:
        output.write(instrument, format_instrument(instrument))
    if not found:
        note("no instrument matches")


async def print_bars(client: Client, options: argparse.Namespace) -> None:
    """Print bars, the oldest first."""
    output = Output(options.form, HistoryBar, "key")
    bars = await client.bars(options.instrument, options.interval, options.start, options.end)
    for bar in bars:
        output.write(bar, format_bar(bar), key=bars.key)
    if not bars:
        note("there is no bar in this time")


async def print_gaps(client: Client, options: argparse.Namespace) -> None:
    """Print the periods in which trades may have been missed, the oldest first."""
    output = Output(options.form, HistoryGap)
    gaps = await client.gaps(options.instrument, options.start, options.end)
    for gap in gaps:
        span = f"{minute_text(gap.from_ms)} to {minute_text(gap.to_ms)}"
        output.write(gap, f"{span}  {gap.state:<9}  {gap.reason}")
    if not gaps:
        note("no gap is known in this time")


async def print_chain(client: Client, options: argparse.Namespace) -> None:
    """Print the options that expire on a day, the lowest strike first."""
    output = Output(options.form, ChainLine)
    chain = await client.option_chain(options.underlying, options.expiry)
    if options.form == "text":
        note(f"{chain.underlying}, expiry {chain.expiry} of {', '.join(chain.expiries)}")
    for row in chain.rows:
        line = ChainLine.of(row)
        output.write(line, line.text())


async def show_status(client: Client, options: argparse.Namespace) -> None:
    """Print the state of the feed, of the market's segments and of the gateway."""
    output = Output(options.form, StatusLine)
    status = await client.system_status()
    if options.form == "json":
        output.write(status, "")
        return
    for line in status_lines(status):
        output.write(line, f"{line.part:<9} {line.state}")


class ChainLine(msgspec.Struct, frozen=True, kw_only=True):
    """The call and the put of one strike; None is unknown."""

    strike: float
    call_key: str | None
    call_ltp: float | None
    call_oi: int | None
    call_iv: float | None
    put_key: str | None
    put_ltp: float | None
    put_oi: int | None
    put_iv: float | None

    @classmethod
    def of(cls, row: ChainRow) -> "ChainLine":
        """Flatten a row."""
        sides = {
            f"{side}_{field}": getattr(option, field, None)
            for side, option in (("call", row.call), ("put", row.put))
            for field in ("key", "ltp", "oi", "iv")
        }
        return cls(strike=row.strike, **sides)

    def text(self) -> str:
        """Open interest, volatility and price of the call; strike; the same of the put."""
        call = f"{_cell(self.call_oi, ',')} {_cell(self.call_iv, '.1%')} {_cell(self.call_ltp)}"
        put = f"{_cell(self.put_ltp)} {_cell(self.put_iv, '.1%')} {_cell(self.put_oi, ',')}"
        return f"{call}  {self.strike:>10.2f}  {put}".rstrip()


class StatusLine(msgspec.Struct, frozen=True):
    """The state of one part of the system."""

    part: str
    state: str


def format_instrument(instrument: Instrument) -> str:
    """Format an instrument: key, symbol, type, lot and tick size, name."""
    lot = "" if instrument.lot_size is None else f"lot {instrument.lot_size}"
    tick = "" if instrument.tick_size is None else f"tick {instrument.tick_size}"
    return (
        f"{instrument.key:<24} {instrument.symbol:<28} {instrument.type:<6} "
        f"{lot:<10} {tick:<11} {instrument.name}"
    ).rstrip()


def format_bar(bar: HistoryBar) -> str:
    """Format a bar: start in India, open, high, low, close, volume, state."""
    volume = "" if bar.volume is None else f"{bar.volume:,}"
    prices = " ".join(f"{price:>10.2f}" for price in (bar.open, bar.high, bar.low, bar.close))
    return f"{minute_text(bar.start)}  {prices} {volume:>14}  {bar.state}"


def status_lines(status: SystemStatus) -> list[StatusLine]:
    """Return the state of each part, in words."""
    feed, gateway = status.feed, status.gateway
    parts = {"time": f"{in_india(status.now):%Y-%m-%d %H:%M:%S %Z}", "feed": "not known"}
    if feed is not None:
        current = "" if status.feed_is_current else ", not current: prices may be outdated"
        reason = f" ({feed.detail})" if feed.detail else ""
        parts["feed"] = f"{feed.state} since {minute_text(feed.since)}{reason}{current}"
        if feed.simulated:
            parts["prices"] = "simulated"
        parts |= dict(sorted(feed.segments.items()))
    missing = "; ".join(f"{name}: {why}" for name, why in gateway.waiting_for.items())
    state = "ready" if gateway.ready else f"waits for {missing}"
    parts["gateway"] = f"{state}, {gateway.streams} streams, {gateway.instruments} instruments"
    return [StatusLine(part, text) for part, text in parts.items()]


def _cell(value: float | None, form: str = ".2f") -> str:
    return f"{'' if value is None else format(value, form):>11}"
