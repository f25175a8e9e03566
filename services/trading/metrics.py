"""Prometheus metrics of the trading service."""

from typing import Final

from prometheus_client import Counter, Gauge

DEMANDED_INSTRUMENTS: Final = Gauge(
    "tradedad_trading_demanded_instruments",
    "Instruments that a partition demands of ingest: with their order books, or quotes only.",
    ["partition", "kind"],
)
UNDEMANDED_INSTRUMENTS: Final = Gauge(
    "tradedad_trading_undemanded_instruments",
    "Instruments that a partition needs and that exceed the size of a demand; paper orders in them"
    " are not filled.",
    ["partition", "kind"],
)
INSTRUMENT_READS: Final = Counter(
    "tradedad_trading_instrument_reads_total",
    "Instruments that were needed, by outcome: cached, read, unknown, or failed.",
    ["outcome"],
)
