"""Prometheus metrics of the persister."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

ENTRIES: Final = Counter("tradedad_persister_entries_total", "Entries read from the stream.")
UNDECODABLE_ENTRIES: Final = Counter(
    "tradedad_persister_undecodable_entries_total",
    "Entries of the stream that could not be decoded or have a value out of range.",
    ["kind"],
)
STALE_ENTRIES: Final = Counter(
    "tradedad_persister_stale_entries_total",
    "Entries refused because they are of a superseded ingest leader.",
)
REFUSED_TRADES: Final = Counter(
    "tradedad_persister_refused_trades_total",
    "Trades refused because their bar can no longer change (late) or their time is in the future"
    " (early).",
    ["reason"],
)
CONTRADICTIONS: Final = Counter(
    "tradedad_persister_contradicted_minutes_total",
    "Minutes in which a quote showed a trade that the minute's candle cannot include; their bars"
    " are partial until they are repaired.",
)
BARS: Final = Counter(
    "tradedad_persister_bars_total", "Bars stored, amended and repaired ones included.", ["state"]
)
AMENDED_BARS: Final = Counter(
    "tradedad_persister_amended_bars_total", "Bars stored again because they have changed."
)
REPAIRED_BARS: Final = Counter(
    "tradedad_persister_repaired_bars_total", "Bars stored that were made of Upstox's candles."
)
LATE_PUBLISHED_BARS: Final = Counter(
    "tradedad_persister_late_published_bars_total",
    "Bars published again or for the first time after a fault, later than they were stored.",
)
LOST_QUOTES: Final = Counter(
    "tradedad_persister_lost_quotes_total",
    "Quotes that ingest has published and the stream does not hold, without a missing position.",
)
CLOSED_WINDOWS: Final = Counter("tradedad_persister_closed_windows_total", "Windows closed.")
OPEN_WINDOWS: Final = Gauge("tradedad_persister_open_windows", "Windows that have begun.")
COMMIT_SECONDS: Final = Histogram(
    "tradedad_persister_commit_seconds", "Time to store one closed window, all retries included."
)
STREAM_TIMESTAMP: Final = Gauge(
    "tradedad_persister_stream_timestamp_seconds", "Exchange time reached, in Unix seconds."
)
STREAM_POSITION: Final = Gauge(
    "tradedad_persister_stream_position", "Position of the last entry that was read."
)
LAG: Final = Gauge("tradedad_persister_lag_entries", "Entries of the stream that are not read yet.")
REPLAY: Final = Gauge(
    "tradedad_persister_replay_remaining_entries",
    "Entries not read yet of those that the stream held at the start.",
)
GAPS: Final = Counter(
    "tradedad_persister_gaps_total", "Gaps stored; one gap may be of many instruments.", ["reason"]
)
REPAIR_CALLS: Final = Counter(
    "tradedad_persister_repair_calls_total", "Calls to Upstox for candles.", ["outcome"]
)
HISTORY_PAGES: Final = Counter(
    "tradedad_persister_history_pages_total",
    "Pages of Upstox's candles of earlier times that were fetched and stored.",
    ["interval"],
)
HISTORY_BARS: Final = Counter(
    "tradedad_persister_history_bars_total",
    "Bars stored of such pages, without those that were stored already.",
    ["interval"],
)
CANDLE_CACHE: Final = Counter(
    "tradedad_persister_candle_cache_total",
    "Spans of candles read for requests, by whether they were in the cache: hit or miss.",
    ["outcome"],
)
CANDLE_CACHE_BYTES: Final = Gauge(
    "tradedad_persister_candle_cache_bytes", "Size of the cached candles."
)
PENDING_REPAIRS: Final = Gauge(
    "tradedad_persister_pending_repairs",
    "Repairs to do, of one instrument and day each.",
)
ABANDONED_REPAIRS: Final = Counter(
    "tradedad_persister_abandoned_repairs_total",
    "Repairs of one instrument and day that were given up: Upstox does not know the instrument, or"
    " refuses or has no candles for windows of an earlier day after all attempts.",
    ["reason"],
)
EXPIRED_GAPS: Final = Gauge(
    "tradedad_persister_expired_gaps",
    "Open gaps that are too old to be repaired; at most 1000 are counted.",
)
INSTRUMENTS: Final = Gauge(
    "tradedad_persister_instruments", "Instruments of the last instruments master."
)
STALLED: Final = Gauge(
    "tradedad_persister_stalled",
    "1 while this leader can use no entry of the tick stream.",
)
CHECKPOINT_INSTRUMENTS: Final = Gauge(
    "tradedad_persister_checkpoint_instruments",
    "Instruments in the checkpoint.",
)
CHECKPOINT_BYTES: Final = Gauge(
    "tradedad_persister_checkpoint_bytes",
    "Size of the last checkpoint; MongoDB refuses more than 16 MiB.",
)
SIDE_JOB_FAILURES: Final = Counter(
    "tradedad_persister_side_job_failures_total",
    "Unexpected failures of the leader's side jobs, each of which is started again.",
    ["side_job"],
)
SKIPPED_MASTER_ROWS: Final = Counter(
    "tradedad_persister_skipped_master_rows_total",
    "Rows of the instruments master that were passed over because a field is not valid.",
)
MASTER_TIMESTAMP: Final = Gauge(
    "tradedad_persister_master_timestamp_seconds",
    "Unix time of 06:15 IST on the day of the stored instruments master; 0 if none is stored.",
)
MASTER_FAILURES: Final = Counter(
    "tradedad_persister_master_failures_total",
    "Failed attempts to check, fetch, read or store an instruments master, refused ones included.",
)
MASTER_REFUSALS: Final = Counter(
    "tradedad_persister_master_refusals_total",
    "Attempts to load an instruments master that was refused because it is too small.",
)
CALENDAR_ANSWERS: Final = Counter(
    "tradedad_persister_calendar_answers_total",
    "Answers of Upstox on holidays and timings: ok, refused as impossible, or failed.",
    ["outcome"],
)
CALENDAR_DAYS_LEFT: Final = Gauge(
    "tradedad_persister_calendar_left_days",
    "Days from today on whose sessions are known; beyond, every weekday counts as a trading day.",
)
SKIPPED_CANDLES: Final = Counter(
    "tradedad_persister_skipped_candles_total",
    "Candles of Upstox that were passed over because a field is not valid.",
)
EVICTED_INSTRUMENTS: Final = Counter(
    "tradedad_persister_evicted_instruments_total",
    "Silent instruments dropped from the checkpoint because it had too many.",
)

# A counter that appears with its first event would hide that event from `increase`.
for _reason in ("unknown_instrument", "no_candles"):
    ABANDONED_REPAIRS.labels(_reason)
for _state in ("complete", "partial", "repaired"):
    BARS.labels(_state)
