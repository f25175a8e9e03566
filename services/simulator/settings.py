"""Settings of the simulator, from ``TRADEDAD_SIMULATOR_*``."""

from typing import Annotated, Final, Literal

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from services.simulator.market.universe import MAX_SYNTHETIC, Universe
from shared.runtime.setting_types import Host, OptionalHttpUrl, Port, Secs
from shared.runtime.settings import ServiceSettings

MAX_START_MS: Final = 4_102_444_800_000
"""The start of the year 2100."""
SIMULATED_TOKEN: Final = "eyJhbGciOiJub25lIn0.eyJleHAiOjQxMDI0NDQ4MDB9.simulated"
"""An unsigned JWT that expires in 2100. Ingest expects an opaque token to expire at 03:30 IST."""


class SimulatorSettings(ServiceSettings):
    """The settings of the simulator."""

    model_config = SettingsConfigDict(env_prefix="TRADEDAD_SIMULATOR_")

    host: Host = "127.0.0.1"
    """Address to listen on. Use loopback only: there is no TLS, and the token is public."""
    port: Port = 7440
    """Port to listen on."""
    ops_port: Port = 7441
    """Port of /healthz, /readyz and /metrics."""

    seed: Annotated[int, Field(ge=-(1 << 63), lt=1 << 63)] = 1
    """Seed of the market. The same seed and start give the same trades, at any speed."""
    start_ms: Annotated[int, Field(ge=0, le=MAX_START_MS)] | None = None
    """Exchange time at process start, epoch ms; None is the wall clock's time."""
    speed: Annotated[float, Field(gt=0, le=10_000)] = 1.0
    """Exchange seconds per wall second."""
    frame_interval_ms: Annotated[int, Field(ge=10, le=60_000)] = 250
    """Exchange time between feed frames; frame times are multiples of it since the epoch."""
    trades_per_sec: Annotated[float, Field(gt=0, le=1_000)] = 2.0
    """Mean number of trades per stock and exchange second."""
    calendar: Literal["always_open", "exchange"] = "always_open"
    """Whether the market has the exchanges' hours and holidays or is always open."""
    universe: Universe = "nifty50"
    """Instruments of the market; `full` adds futures, options and commodities to the NIFTY 50."""
    synthetic: Annotated[int, Field(ge=0, le=MAX_SYNTHETIC)] = 0
    """Number of additional synthetic stocks, for load; each has `ledger_max_rows` rows."""

    access_token: SecretStr = SecretStr(SIMULATED_TOKEN)
    """Access token of the default user. It never expires, and protects no real data."""

    client_id: str = "simulated-client"
    """The application's API key, as from Upstox's developer console."""
    client_secret: SecretStr = SecretStr("simulated-secret")
    """The application's API secret."""
    redirect_uris: str = "http://127.0.0.1:7440/simulator/v1/login/callback"
    """Addresses to which a login may redirect, separated by commas."""
    notifier_url: OptionalHttpUrl = ""
    """URL to which approved tokens are posted; if empty, token requests are refused."""
    notifier_timeout_secs: Secs = 5.0
    """Timeout for posting an approved token; there is no retry."""

    opening_cash_rupees: Annotated[int, Field(ge=0, le=10**15)] = 1_000_000
    """Cash of a new account."""
    market_orders_need_protection: bool = False
    """Whether market orders without `market_protection` are refused (UDAPI1158)."""
    webhook_url: OptionalHttpUrl = ""
    """URL to which order updates are posted, as by Upstox's webhook; none if empty."""
    webhook_timeout_secs: Secs = 5.0
    """Timeout for one post to the webhook; there are up to three attempts."""
    order_ips: str = ""
    """IP addresses that may place orders, comma-separated; others get 403 UDAPI1154. Empty: all."""
    rate_limits: bool = True
    """Whether calls beyond the limits get 429 UDAPI10005; limits apply per user and wall time."""
    order_calls_per_sec: Annotated[int, Field(ge=1, le=1_000_000_000)] = 10
    """Limit of order calls per second; with X-Algo-Name `calls_per_sec` applies instead."""
    calls_per_sec: Annotated[int, Field(ge=1, le=1_000_000_000)] = 50
    """Limit of all other calls per second."""
    calls_per_minute: Annotated[int, Field(ge=1, le=1_000_000_000)] = 500
    """Limit per minute, for order calls and for all other calls separately."""
    calls_per_half_hour: Annotated[int, Field(ge=1, le=1_000_000_000)] = 2_000
    """Limit per half hour, for order calls and for all other calls separately."""

    ledger_max_rows: Annotated[int, Field(ge=1, le=1_000_000_000)] = 100_000
    """Maximum number of quotes and of trades per instrument; the oldest are dropped."""

    feed_handshake: Literal["redirect", "direct"] = "redirect"
    """Whether a socket with a token gets a 302 to the feed, as at Upstox, or the feed itself."""
    plan: Literal["basic", "plus", "unlimited"] = "basic"
    """Limits of the feed; `plus` has five connections and `full_d30`, `unlimited` is for load."""
    limit_reaction: Literal["ignore", "close"] = "ignore"
    """Reaction to a subscription beyond a limit: it is ignored, or the socket is closed."""
    client_queue_frames: Annotated[int, Field(ge=1, le=1_000_000_000)] = 256
    """Maximum number of queued messages per WebSocket client; one more disconnects the client."""
    send_timeout_secs: Secs = 5.0
    """A client whose socket accepts no message for this time is disconnected."""
    heartbeat_secs: Secs = 10.0
    """Wall time between pings of a silent connection."""
