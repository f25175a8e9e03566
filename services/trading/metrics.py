"""Prometheus metrics of the trading service."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

COMMANDS: Final = Counter(
    "tradedad_trading_commands_total",
    "Commands that were carried out or refused, by operation and outcome: ok or an error code.",
    ["operation", "code"],
)
JOURNAL_ENTRIES: Final = Counter(
    "tradedad_trading_journal_entries_total", "Entries stored in the journal."
)
COMMIT_SECONDS: Final = Histogram(
    "tradedad_trading_commit_seconds", "Time to store one group of changes, all retries included."
)
PAPER_RESULTS: Final = Counter(
    "tradedad_trading_paper_results_total",
    "Fills, triggers and ends of paper orders, by kind.",
    ["kind"],
)
SKIPPED_ENTRIES: Final = Counter(
    "tradedad_trading_skipped_entries_total",
    "Entries of the tick stream that the paper broker skipped because they are not what their"
    " subject says, by kind.",
    ["kind"],
)
REFUSALS: Final = Counter(
    "tradedad_trading_refused_orders_total", "Orders that a check refused, by rule.", ["rule"]
)
SWITCHES: Final = Gauge(
    "tradedad_trading_switches",
    "Kill switches that are on, by scope: global or instrument.",
    ["scope"],
)
SWITCHES_READ_TIME: Final = Gauge(
    "tradedad_trading_switches_read_time_seconds",
    "Unix time of the last read of the kill switches; without one for 5 s, new orders are refused.",
)
CHECKPOINT_BYTES: Final = Gauge(
    "tradedad_trading_checkpoint_bytes",
    "Size of the last stored state of the paper broker; MongoDB refuses more than 16 MiB.",
)
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
