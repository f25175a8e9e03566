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
JOURNAL_TAIL: Final = Gauge(
    "tradedad_trading_journal_tail_entries",
    "Entries of a partition's journal since its accounts were last stored, which a new owner reads."
    " A process that has lost the partition keeps its last value.",
    ["partition"],
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
    "Entries of the tick stream that the paper broker skipped, by kind and reason: undecodable,"
    " because they are not what their subject says, or outdated, because newer ones came before.",
    ["kind", "reason"],
)
STALLED: Final = Gauge(
    "tradedad_trading_stalled",
    "1 while the owner of a partition can use no entry of the tick stream, and refuses new orders.",
    ["partition"],
)
BAD_CALENDARS: Final = Counter(
    "tradedad_trading_bad_calendars_total", "Calendars that could not be decoded."
)
SKIPPED_UPSTOX_ROWS: Final = Counter(
    "tradedad_trading_upstox_rows_skipped_total",
    "Orders, trades, positions, holdings and stream messages of Upstox that were left out because a"
    " field is not as documented, by kind and field.",
    ["kind", "field"],
)
REFUSALS: Final = Counter(
    "tradedad_trading_refused_orders_total", "Orders that a check refused, by rule.", ["rule"]
)
SWITCHES: Final = Gauge(
    "tradedad_trading_switches",
    "Kill switches that are on, by scope: global or instrument.",
    ["scope"],
)
SWITCHES_READ_TIMESTAMP: Final = Gauge(
    "tradedad_trading_switches_read_timestamp_seconds",
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
PRICE_BAND_READS: Final = Counter(
    "tradedad_trading_price_band_reads_total",
    "Price bands that were asked for, by outcome: read, unknown, or failed.",
    ["outcome"],
)
EXTERNAL_ORDERS: Final = Counter(
    "tradedad_trading_external_orders_total",
    "Orders that were found at Upstox and were placed elsewhere.",
)
DOUBLED_ORDERS: Final = Counter(
    "tradedad_trading_doubled_orders_total",
    "Orders that exist twice at Upstox; their users are stopped.",
)
UNKNOWN_ORDERS: Final = Gauge(
    "tradedad_trading_unknown_orders",
    "Orders at Upstox of which something is not known, after the last reconciliation.",
    ["partition"],
)
UNKNOWN_ORDER_AGE_SECONDS: Final = Gauge(
    "tradedad_trading_unknown_order_age_seconds",
    "Age of the oldest order of which something is not known; 0 without any.",
    ["partition"],
)
RECONCILIATIONS: Final = Counter(
    "tradedad_trading_reconciliations_total",
    "Readings of a user's order book and trades at Upstox, by result: ok, unauthorised or failed.",
    ["result"],
)
ACKNOWLEDGEMENT_SECONDS: Final = Histogram(
    "tradedad_trading_acknowledgement_seconds",
    "Time from sending a command to Upstox to its answer, by command and answer: taken, refused or"
    " lost.",
    ["command", "answer"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
UPSTOX_ACCOUNTS: Final = Gauge(
    "tradedad_trading_upstox_accounts",
    "Linked accounts whose orders are followed, and those with an open portfolio stream.",
    ["partition", "kind"],
)
LINKS: Final = Gauge(
    "tradedad_trading_links",
    "Upstox accounts that the users of a partition have linked, by state: linked, or expired until"
    " the user logs in again. A process that has lost the partition keeps its last value.",
    ["partition", "state"],
)
