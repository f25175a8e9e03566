"""What the persister counts."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

ENTRIES: Final = Counter("tradedad_persister_entries_total", "Entries read from the stream")
BAD_ENTRIES: Final = Counter(
    "tradedad_persister_bad_entries_total", "Entries of the stream that could not be decoded"
)
LATE_TRADES: Final = Counter(
    "tradedad_persister_late_trades_total",
    "Trades that came after their bar could still be amended, or before their time",
)
STALE_ENTRIES: Final = Counter(
    "tradedad_persister_stale_entries_total", "Entries of a superseded ingest leader, refused"
)
BARS: Final = Counter("tradedad_persister_bars_total", "Bars stored, by state", ["state"])
AMENDED: Final = Counter("tradedad_persister_amended_bars_total", "Bars stored again, changed")
WINDOWS_CLOSED: Final = Counter("tradedad_persister_windows_closed_total", "Windows closed")
WINDOWS_OPEN: Final = Gauge("tradedad_persister_windows_open", "Windows with trades, not over yet")
STORE_SECONDS: Final = Histogram(
    "tradedad_persister_store_seconds", "Time to store one window, all retries included"
)
STREAM_TIME: Final = Gauge(
    "tradedad_persister_stream_time_seconds", "Exchange time reached, Unix seconds"
)
POSITION: Final = Gauge("tradedad_persister_stream_position", "Stream position reached")
LAG: Final = Gauge("tradedad_persister_lag_entries", "Entries of the stream that are not read yet")
REPLAY: Final = Gauge(
    "tradedad_persister_replay_remaining_entries", "Entries left of those found at the start"
)
GAPS: Final = Counter(
    "tradedad_persister_gaps_total", "Gaps noted, by reason; one may be of many instruments",
    ["reason"],
)  # fmt: skip
REPAIRED: Final = Counter("tradedad_persister_repaired_bars_total", "Bars made of Upstox's candles")
REPAIR_CALLS: Final = Counter(
    "tradedad_persister_repair_calls_total", "Calls for candles, by outcome", ["outcome"]
)
REPAIRS_DUE: Final = Gauge(
    "tradedad_persister_repairs_due", "Days of instruments that wait for repair"
)
INSTRUMENTS: Final = Gauge("tradedad_persister_instruments", "Instruments of the last master")
