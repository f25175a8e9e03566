"""What ingest counts."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

FRAMES: Final = Counter("tradedad_ingest_frames_total", "Frames received from the feed")
BAD_FRAMES: Final = Counter(
    "tradedad_ingest_bad_frames_total", "Frames that could not be decoded, and were skipped"
)
REFUSED: Final = Counter(
    "tradedad_ingest_refused_total", "Instruments in frames that made no sense, and were skipped"
)
QUOTES: Final = Counter("tradedad_ingest_quotes_total", "Quotes published")
HELD_QUOTES: Final = Counter(
    "tradedad_ingest_held_quotes_total", "Updates replaced by newer ones while NATS was away"
)
FEED_DROPS: Final = Counter(
    "tradedad_ingest_feed_drops_total", "Feed connections that ended, by cause", ["cause"]
)
FEED_LIVE: Final = Gauge("tradedad_ingest_feed_live", "1 while the feed is connected and flowing")
SUBSCRIPTIONS: Final = Gauge("tradedad_ingest_subscriptions", "Instruments subscribed at Upstox")
FRAME_SECONDS: Final = Histogram(
    "tradedad_ingest_frame_seconds",
    "From receiving a frame to having published its quotes",
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0),
)
