"""What the persister counts."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

QUOTES: Final = Counter("tradedad_persister_quotes_total", "Quotes read from the stream")
BAD_ENTRIES: Final = Counter(
    "tradedad_persister_bad_entries_total", "Entries of the stream that could not be decoded"
)
LATE_TRADES: Final = Counter(
    "tradedad_persister_late_trades_total",
    "Trades that came after their window was stored, or before their time",
)
STALE_ENTRIES: Final = Counter(
    "tradedad_persister_stale_entries_total", "Entries of a superseded ingest leader, refused"
)
BARS: Final = Counter("tradedad_persister_bars_total", "Bars stored, by state", ["state"])
STORE_SECONDS: Final = Histogram(
    "tradedad_persister_store_seconds", "Time to store one window, all retries included"
)
STREAM_TIME: Final = Gauge(
    "tradedad_persister_stream_time_seconds", "Exchange time reached, Unix seconds"
)
POSITION: Final = Gauge("tradedad_persister_stream_position", "Stream position reached")
