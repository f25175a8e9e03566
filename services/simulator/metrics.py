"""What the simulator counts."""

from prometheus_client import Counter, Gauge

FRAMES = Counter("tradedad_simulator_frames", "Frames sent to clients, by type", ["type"])
TICKS = Counter("tradedad_simulator_ticks", "Instrument entries in the frames sent")
TRADES = Counter("tradedad_simulator_trades", "Trades and index values that happened")
CLIENTS = Gauge("tradedad_simulator_clients", "Feed connections open")
SLOW_CLIENTS = Counter(
    "tradedad_simulator_slow_clients", "Feed connections cut because their socket did not drain"
)
LAG = Gauge("tradedad_simulator_lag_seconds", "Exchange seconds the last frame was late")
WEBHOOKS = Counter(
    "tradedad_simulator_webhooks", "Order updates for the webhook, by what became of them", ["end"]
)
