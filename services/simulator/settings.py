"""What can be set of the simulator, from ``TRADEDAD_SIMULATOR_*``."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from services.simulator.market.universe import MOST_SYNTHETIC, Universe
from shared.runtime.settings import Port, Secs, ServiceSettings


class SimulatorSettings(ServiceSettings):
    """The simulator's own settings."""

    model_config = SettingsConfigDict(env_prefix="TRADEDAD_SIMULATOR_")

    host: str = "127.0.0.1"
    """It is for loopback: it has no TLS, and its token guards nothing."""
    port: Port = 7440
    """Port to listen on."""
    ops_port: Port = 7441
    """Where /healthz, /readyz and /metrics listen."""

    seed: int = 1
    """The same seed and start give the same trades, at any speed."""
    start_ms: Annotated[int, Field(ge=0)] | None = None
    """Exchange time at process start, epoch ms; None is the wall clock's time."""
    speed: Annotated[float, Field(gt=0, le=10_000)] = 1.0
    """Exchange seconds per wall second."""
    frame_interval_ms: Annotated[int, Field(ge=10, le=60_000)] = 250
    """Exchange time between feed frames; their times are its multiples since the epoch."""
    trades_per_sec: Annotated[float, Field(gt=0, le=1_000)] = 2.0
    """Mean trades per stock and exchange second."""
    calendar: Literal["always_open", "exchange"] = "always_open"
    """Whether the market keeps the exchanges' hours and holidays."""
    universe: Universe = "nifty50"
    """`full` adds futures, options and commodities to the NIFTY 50 stocks."""
    synthetic: Annotated[int, Field(ge=0, le=MOST_SYNTHETIC)] = 0
    """So many made-up stocks more, for load; `ledger_max_rows` is kept for each of them."""

    access_token: SecretStr = SecretStr("simulated-token")
    """What requests must bear. It guards nothing real: the market is made up."""

    client_id: str = "simulated-client"
    """The application's API key, as Upstox's developer console would give it."""
    client_secret: SecretStr = SecretStr("simulated-secret")
    """The application's API secret."""
    redirect_uris: str = "http://127.0.0.1:7440/simulator/v1/login/callback"
    """Where a login may lead back to; one or more, separated by commas."""
    notifier_url: str = ""
    """Where approved token requests are posted; without it they are refused."""
    notifier_timeout_secs: Secs = 5.0
    """For posting one approved token; it is posted once."""

    opening_cash_rupees: Annotated[int, Field(ge=0)] = 1_000_000
    """Cash of an account when it is first seen."""
    market_orders_need_protection: bool = False
    """Whether market orders without `market_protection` are refused (UDAPI1158)."""
    webhook_url: str = ""
    """Where updates of orders are posted, as to Upstox's webhook; none without it."""
    webhook_timeout_secs: Secs = 5.0
    """For one post; one that fails is tried three times in all."""
    order_ips: str = ""
    """Whose orders are taken, separated by commas; others get 403 UDAPI1154. Empty: anyone's."""
    rate_limits: bool = True
    """Whether calls beyond the limits get 429 UDAPI10005; they are per user, of wall time."""
    order_calls_per_sec: Annotated[int, Field(ge=1)] = 10
    """Calls that place, change or end orders; those with X-Algo-Name as often as the rest."""
    calls_per_sec: Annotated[int, Field(ge=1)] = 50
    """All other calls."""
    calls_per_minute: Annotated[int, Field(ge=1)] = 500
    """Calls of either sort."""
    calls_per_half_hour: Annotated[int, Field(ge=1)] = 2_000
    """Calls of either sort."""

    ledger_max_rows: Annotated[int, Field(ge=1)] = 100_000
    """Quotes and trades remembered per instrument; the oldest are dropped."""

    feed_handshake: Literal["redirect", "direct"] = "redirect"
    """How a socket that bears a token gets to the feed: by a 302, as at Upstox, or at once."""
    plan: Literal["basic", "plus", "unlimited"] = "basic"
    """The feed's limits: `plus` allows five connections and `full_d30`; the last is for load."""
    limit_reaction: Literal["ignore", "close"] = "ignore"
    """What happens beyond the feed's limits: nothing is subscribed, or the socket closes."""
    client_queue_frames: Annotated[int, Field(ge=1)] = 256
    """Frames that wait for one client; one more, and the client is disconnected."""
    send_timeout_secs: Secs = 5.0
    """A client whose socket takes nothing for so long is disconnected."""
    heartbeat_secs: Secs = 10.0
    """Wall time between pings of a silent connection."""
