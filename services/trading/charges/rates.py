"""Rates of brokerage, taxes and exchange charges, by the date from which they apply.

Rates change every year. A change adds a `RateTable` with its first day; older tables stay, so
that old fills can be recomputed. Percentages are of the turnover; for options, of the premium.

Sources: STT and CTT by the Finance Act 2026, since 2026-04-01. Transaction charges of the exchanges
since 2024-10-01. Brokerage and DP charges by Upstox's help page 257195.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final


class ChargeKind(StrEnum):
    """Kinds of legs that have rates of their own."""

    DELIVERY = "delivery"
    INTRADAY = "intraday"
    MTF = "mtf"
    """Delivery with the margin trading facility."""
    FUTURES = "futures"
    OPTIONS = "options"
    """On BSE, options of Sensex and Bankex."""
    BSE_OTHER_OPTIONS = "bse_other_options"
    COMMODITY_FUTURES = "commodity_futures"
    COMMODITY_OPTIONS = "commodity_options"
    CURRENCY_FUTURES = "currency_futures"
    CURRENCY_OPTIONS = "currency_options"


class Exchange(StrEnum):
    """Exchanges with transaction charges of their own."""

    NSE = "NSE"
    BSE = "BSE"
    MCX = "MCX"


@dataclass(frozen=True, slots=True)
class KindRates:
    """Rates of one kind of leg, in percent of the turnover."""

    brokerage_percent: Decimal | None
    """None: the maximum always applies."""
    transaction_tax_buy: Decimal
    """STT, or CTT for commodities."""
    transaction_tax_sell: Decimal
    exchange: dict[Exchange, Decimal]
    """Exchanges that are not listed do not trade this kind."""
    investor_protection: Decimal
    """NSE's IPFT; 0 on the other exchanges."""
    stamp_buy: Decimal
    exercise_tax: Decimal = Decimal(0)
    """STT of an option that is exercised, in percent of its value; its holder pays it."""


@dataclass(frozen=True, slots=True)
class RateTable:
    """All rates from one day on."""

    since: date
    brokerage_max_rupees: Decimal
    """Per order."""
    sebi_percent: Decimal
    gst_percent: Decimal
    """Of brokerage, exchange and SEBI charges, IPFT and DP charges."""
    dp_rupees: Decimal
    """Per share name and day of a sale from the demat account."""
    kinds: dict[ChargeKind, KindRates]


def _rates(
    brokerage: str | None,
    tax_buy: str,
    tax_sell: str,
    exchange: dict[Exchange, str],
    ipft: str,
    stamp: str,
    exercise_tax: str = "0",
) -> KindRates:
    return KindRates(
        None if brokerage is None else Decimal(brokerage),
        Decimal(tax_buy),
        Decimal(tax_sell),
        {name: Decimal(percent) for name, percent in exchange.items()},
        Decimal(ipft),
        Decimal(stamp),
        Decimal(exercise_tax),
    )


_NSE, _BSE, _MCX = Exchange.NSE, Exchange.BSE, Exchange.MCX
_SHARES: Final = {_NSE: "0.00297", _BSE: "0.00375"}

_TABLES: Final = (
    RateTable(
        since=date(2026, 4, 1),
        brokerage_max_rupees=Decimal(20),
        sebi_percent=Decimal("0.0001"),
        gst_percent=Decimal(18),
        dp_rupees=Decimal("18.50"),
        kinds={
            ChargeKind.DELIVERY: _rates("2.5", "0.1", "0.1", _SHARES, "0.0001", "0.015"),
            ChargeKind.INTRADAY: _rates("0.1", "0", "0.025", _SHARES, "0.0001", "0.003"),
            ChargeKind.MTF: _rates("0.1", "0.1", "0.1", _SHARES, "0.0001", "0.015"),
            ChargeKind.FUTURES: _rates(
                "0.05", "0", "0.05", {_NSE: "0.00173", _BSE: "0"}, "0.0001", "0.002"
            ),
            ChargeKind.OPTIONS: _rates(
                None, "0", "0.15", {_NSE: "0.03503", _BSE: "0.0325"}, "0.0005", "0.003", "0.15"
            ),
            ChargeKind.BSE_OTHER_OPTIONS: _rates(
                None, "0", "0.15", {_BSE: "0.005"}, "0", "0.003", "0.15"
            ),
            ChargeKind.COMMODITY_FUTURES: _rates(
                "0.05", "0", "0.01", {_MCX: "0.0021"}, "0", "0.002"
            ),
            ChargeKind.COMMODITY_OPTIONS: _rates(
                None, "0", "0.05", {_MCX: "0.0418"}, "0", "0.003"
            ),
            ChargeKind.CURRENCY_FUTURES: _rates(
                "0.05", "0", "0", {_NSE: "0.00035"}, "0", "0.0001"
            ),
            ChargeKind.CURRENCY_OPTIONS: _rates(
                None, "0", "0", {_NSE: "0.0311"}, "0", "0.0001"
            ),
        },
    ),
)  # fmt: skip


def rates_on(day: date) -> RateTable:
    """The rates that apply on `day`; the oldest table for days before it."""
    applicable = [table for table in _TABLES if table.since <= day]
    return applicable[-1] if applicable else _TABLES[0]
