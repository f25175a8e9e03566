"""Metrics of the simulator."""

from prometheus_client import Counter, Gauge

FRAMES = Counter("tradedad_simulator_feed_frames_total", "Feed frames sent to clients.", ["type"])
TICKS = Counter("tradedad_simulator_ticks_total", "Instrument entries in the feed frames sent.")
TRADES = Counter(
    "tradedad_simulator_trades_total", "Trades and index values of the simulated market."
)
FEED_CONNECTIONS = Gauge("tradedad_simulator_feed_connections", "Open feed connections.")
SLOW_CLIENTS = Counter(
    "tradedad_simulator_slow_clients_total",
    "WebSocket clients disconnected because they read too slowly.",
    ["stream"],
)
FRAME_LAG = Gauge(
    "tradedad_simulator_frame_lag_seconds", "Exchange time by which the last frame was late."
)
WEBHOOK_UPDATES = Counter(
    "tradedad_simulator_webhook_updates_total", "Updates for the webhook.", ["outcome"]
)
