"""What ingest counts."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

FRAMES: Final = Counter("tradedad_ingest_frames_total", "Frames received from the feed")
BAD_FRAMES: Final = Counter(
    "tradedad_ingest_bad_frames_total", "Frames that could not be used, and were skipped"
)
REFUSED: Final = Counter(
    "tradedad_ingest_refused_total", "Instruments in frames that made no sense, and were skipped"
)
QUOTES: Final = Counter("tradedad_ingest_quotes_total", "Quotes published")
HELD_QUOTES: Final = Counter(
    "tradedad_ingest_held_quotes_total", "Updates replaced by newer ones while NATS was away"
)
CANDLES: Final = Counter("tradedad_ingest_candles_total", "One-minute candles published")
LOST_CANDLES: Final = Counter(
    "tradedad_ingest_lost_candles_total", "Candles dropped as NATS was away for too long"
)
FRAME_SECONDS: Final = Histogram(
    "tradedad_ingest_frame_seconds",
    "From receiving a frame to having published its quotes",
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0),
)

FEED_DROPS: Final = Counter(
    "tradedad_ingest_feed_drops_total", "Feed connections that ended, by cause", ["cause"]
)
FEED_LIVE: Final = Gauge("tradedad_ingest_feed_live", "1 while the feed is connected and flowing")
FEED_AGE: Final = Gauge(
    "tradedad_ingest_feed_age_seconds", "Since the last frame of the present connection"
)
OLDEST_AGE: Final = Gauge(
    "tradedad_ingest_oldest_instrument_age_seconds",
    "Since the last update of the live instrument that has been silent longest, while it trades",
)
STALE: Final = Gauge(
    "tradedad_ingest_stale_instruments", "Live instruments silent for long while they trade"
)
TOKEN_CHECKS: Final = Counter(
    "tradedad_ingest_token_checks_total", "Whether the token in use is still good", ["outcome"]
)

SUBSCRIPTIONS: Final = Gauge(
    "tradedad_ingest_subscriptions", "Instruments subscribed at Upstox, by mode", ["mode"]
)
SUBSCRIPTION_LIMIT: Final = Gauge(
    "tradedad_ingest_subscription_limit", "Instruments that fit in full mode alone"
)
NOT_LIVE: Final = Gauge(
    "tradedad_ingest_not_live", "Instruments that are wanted and not live, by reason", ["reason"]
)
GATEWAYS: Final = Gauge("tradedad_ingest_gateways", "Gateways whose demand is known")
BAD_DEMANDS: Final = Counter("tradedad_ingest_bad_demands_total", "Demands that were unreadable")
