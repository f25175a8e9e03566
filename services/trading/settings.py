"""Settings of the trading service."""

from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from shared.contracts.trading import MAX_PARTITIONS, MAX_QUANTITY
from shared.runtime.setting_types import AnyPath, OptionalHttpUrl, Password, Port, Secs
from shared.runtime.settings import (
    MongoSettings,
    NatsSettings,
    ServiceSettings,
    UpstoxSettings,
)

Rupees = Annotated[Decimal, Field(gt=0, le=10**12, decimal_places=2)]
Count = Annotated[int, Field(ge=1, le=1_000_000_000)]

_UPSTOX_API_URL: Final = "https://api.upstox.com"
_UPSTOX_ORDER_URL: Final = "https://api-hft.upstox.com"


class TradingSettings(ServiceSettings):
    """Settings of the trading service."""

    model_config = SettingsConfigDict(env_prefix="TRADEDAD_TRADING_")

    ops_port: Port = 7471
    """Port of /healthz, /readyz and /metrics."""
    nats_password: Password
    """Password of the NATS user `trading`."""
    partitions: Annotated[int, Field(ge=1, le=MAX_PARTITIONS)] = 1
    """Parts into which users are divided, each with one owner. The same for all processes of
    trading and for the gateways; change it only while all of them are stopped."""

    calendar: Literal["exchange", "always_open"] = "exchange"
    """`exchange`: orders are taken and filled in the sessions of the exchanges. `always_open`: at all
    times, without a square-off; for the simulated Upstox only, and `make run` sets it with that."""
    opening_cash_rupees: Rupees = Decimal(1_000_000)
    """Cash of a new paper account, and of one that was reset. Not to be changed once there are
    accounts: their cash follows from it."""
    paper_latency_ms: Annotated[int, Field(ge=0, le=60_000)] = 50
    """Exchange time between the acceptance of a paper order and its arrival at the market."""

    max_order_quantity: Annotated[int, Field(ge=1, le=MAX_QUANTITY)] = 100_000
    """Greatest quantity of one order."""
    max_order_value_rupees: Rupees = Decimal(5_000_000)
    """Greatest value of one order: quantity times price."""
    max_open_orders: Annotated[int, Field(ge=1, le=10_000)] = 100
    """Open orders of one user."""
    max_orders_per_sec: Annotated[int, Field(ge=1, le=1_000)] = 10
    """New and changed orders of one user per second. Commands at Upstox above it wait."""
    max_orders_per_day: Annotated[int, Field(ge=1, le=1_000_000)] = 2_000
    """New orders of one user per trading day."""
    max_daily_loss_rupees: Rupees = Decimal(100_000)
    """Loss of a user on a trading day, realised and marked to market, from which new orders are
    refused."""

    commands_at_once: Count = 64
    """Requests over the bus that the owner of a partition works on concurrently."""
    commands_waiting: Count = 256
    """Requests that may wait per partition; further ones are refused as overloaded."""
    snapshot_entries: Count = 50_000
    """Entries of a partition's journal after which its accounts are stored. A new owner reads these
    and the later entries only."""
    audit_retention_days: Annotated[int, Field(ge=1, le=36_500)] = 1_827
    """Age at which commands and their answers are deleted: by default five years."""

    feed_silence_secs: Secs = 15.0
    """Time without a clock tick of ingest, which sends one each second, after which the feed counts
    as not live. It must be longer than another process of ingest needs to become the leader."""

    live_orders: bool = False
    """The operator's switch: whether orders on linked Upstox accounts are sent. See docs/trading.md
    for what the law may require of you before you turn it on."""
    keys_dir: AnyPath | None = None
    """Directory of the keys that seal Upstox tokens in the database, one file each; their names sort
    by age. Without it no Upstox account can be linked."""
    upstox_client_id: str = ""
    """API key of the operator's app at Upstox, with which users link accounts; if empty, they need
    an app of their own."""
    upstox_client_secret: SecretStr = SecretStr("")
    """API secret of the operator's app at Upstox."""
    upstox_redirect_url: OptionalHttpUrl = ""
    """URL to which Upstox sends a user after the login: `/v1/link/upstox/callback` of the gateway, as
    browsers reach it and as the app is registered. If empty, no account can be linked."""
    upstox_login_url: OptionalHttpUrl = ""
    """URL at which browsers reach Upstox's login. If empty, that of TRADEDAD_UPSTOX_API_URL; another
    one is needed only for a simulated Upstox that browsers and services reach by different names."""

    instruments_timeout_secs: Secs = 2.0
    """Timeout of a request to the persister for an instrument."""
    instruments_cached: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    """Instruments that one process keeps in memory, for an hour each."""

    order_api_url: OptionalHttpUrl = ""
    """URL of Upstox's calls that place, change and cancel orders. Empty: https://api-hft.upstox.com
    if TRADEDAD_UPSTOX_API_URL is https://api.upstox.com, and otherwise the same as that, so that
    orders of a simulated account never reach the real one."""
    upstox_sandbox: bool = False
    """Whether commands go to Upstox's sandbox, with a token of it. It takes them and has no reads."""
    upstox_algo_name: Annotated[str, Field(pattern=r"^[A-Za-z0-9 ._-]{0,64}$")] = ""
    """Name of the algorithm as registered with the exchange, sent with each order; none if empty."""
    upstox_threads: Annotated[int, Field(ge=1, le=256)] = 16
    """Commands that one process sends to Upstox at once, for all users; and as many reads."""
    upstox_calls_waiting: Annotated[int, Field(ge=0, le=10_000)] = 256
    """Commands that may wait for a thread; further ones are refused. As many reads may wait."""

    nats: NatsSettings = Field(default_factory=NatsSettings)
    mongo: MongoSettings = Field(default_factory=MongoSettings)
    upstox: UpstoxSettings = Field(default_factory=UpstoxSettings)

    @model_validator(mode="after")
    def _app_has_a_secret(self) -> "TradingSettings":
        if bool(self.upstox_client_id) is not bool(self.upstox_client_secret.get_secret_value()):
            raise ValueError(
                "TRADEDAD_TRADING_UPSTOX_CLIENT_ID: must be set together with "
                "TRADEDAD_TRADING_UPSTOX_CLIENT_SECRET"
            )
        return self

    @property
    def order_url(self) -> str:
        """The URL of commands on orders."""
        if self.order_api_url:
            return self.order_api_url
        api_url = self.upstox.api_url
        return _UPSTOX_ORDER_URL if api_url == _UPSTOX_API_URL else api_url
