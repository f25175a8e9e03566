"""Prometheus metrics of the ingest service."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

FRAMES: Final = Counter("tradedad_ingest_frames_total", "Frames received from the feed.")
BAD_FRAMES: Final = Counter(
    "tradedad_ingest_bad_frames_total",
    "Frames skipped because they could not be decoded or were too far in the future.",
)
BAD_FIELDS: Final = Counter(
    "tradedad_ingest_bad_fields_total",
    "Values in frames that were out of range and not used, by field.",
    ["field"],
)
QUOTES: Final = Counter("tradedad_ingest_quotes_total", "Quotes published.")
CONFLATED_QUOTES: Final = Counter(
    "tradedad_ingest_conflated_quotes_total",
    "Quotes replaced by newer ones while NATS was unavailable.",
)
CANDLES: Final = Counter("tradedad_ingest_candles_total", "One-minute candles published.")
DROPPED_CANDLES: Final = Counter(
    "tradedad_ingest_dropped_candles_total",
    "Candles dropped because the queue was full while NATS was unavailable.",
)
TICKS_STORED: Final = Gauge(
    "tradedad_ingest_ticks_stored",
    "1 while the stream TICKS stores market data, 0 while this leader stops it for a full disk.",
)
FRAME_SECONDS: Final = Histogram(
    "tradedad_ingest_frame_processing_seconds",
    "Time from receiving a frame to having published its quotes.",
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0),
)

FEED_DISCONNECTS: Final = Counter(
    "tradedad_ingest_feed_disconnects_total", "Ended or failed connections, by cause.", ["cause"]
)
FEED_LIVE: Final = Gauge("tradedad_ingest_feed_live", "1 while the state of the feed is live.")
FEED_SILENCE: Final = Gauge(
    "tradedad_ingest_feed_silence_seconds",
    "Time without a frame while a demanded segment trades, connected or not; 0 while none trades.",
)
MARKET_OPEN: Final = Gauge(
    "tradedad_ingest_market_open",
    "1 while the segment trades, by the feed's market status or else the calendar; leader only.",
    ["segment"],
)
OLDEST_AGE: Final = Gauge(
    "tradedad_ingest_oldest_instrument_age_seconds",
    "Longest time without an update of any subscribed instrument whose segment is open.",
)
STALE_INSTRUMENTS: Final = Gauge(
    "tradedad_ingest_stale_instruments",
    "Subscribed instruments without an update for too long while their segment is open.",
)
TOKEN_EXPIRY: Final = Gauge(
    "tradedad_ingest_token_expiry_timestamp_seconds",
    "Unix time at which the access token in use expires; 0 without a token or without leadership.",
)
TOKEN_CHECKS: Final = Counter(
    "tradedad_ingest_token_checks_total",
    "Checks of the access token with Upstox, by outcome.",
    ["outcome"],
)

SUBSCRIBED_INSTRUMENTS: Final = Gauge(
    "tradedad_ingest_subscribed_instruments", "Instruments subscribed at Upstox, by mode.", ["mode"]
)
MAX_INSTRUMENTS: Final = Gauge(
    "tradedad_ingest_max_instruments",
    "Instruments that one connection can subscribe while all are in mode full.",
)
NOT_LIVE_INSTRUMENTS: Final = Gauge(
    "tradedad_ingest_not_live_instruments",
    "Instruments in demand that are not live, by reason.",
    ["reason"],
)
UNKNOWN_WATCHLIST: Final = Gauge(
    "tradedad_ingest_unknown_watchlist_instruments",
    "Instruments of the watchlist for which Upstox sends no data; 0 without a connection.",
)
GATEWAYS: Final = Gauge(
    "tradedad_ingest_gateways", "Gateways, and partitions of trading, with a current demand."
)
BAD_DEMANDS: Final = Counter(
    "tradedad_ingest_bad_demands_total",
    "Demands ignored because they were unreadable or on another gateway's subject.",
)
BAD_CALENDARS: Final = Counter(
    "tradedad_ingest_bad_calendars_total", "Calendars that could not be decoded."
)

# A counter that appears with its first event would hide that event from `increase`.
for _outcome in ("valid", "refused", "failed"):
    TOKEN_CHECKS.labels(_outcome)
