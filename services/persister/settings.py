"""Settings of the persister."""

from typing import Annotated

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.runtime.setting_types import HttpUrl, Password, Port, Secs
from shared.runtime.settings import MongoSettings, NatsSettings, ServiceSettings, UpstoxSettings


class PersisterSettings(ServiceSettings):
    """Settings of the persister service."""

    model_config = SettingsConfigDict(env_prefix="TRADEDAD_PERSISTER_")

    ops_port: Port = 7431
    """Port of /healthz, /readyz and /metrics."""
    nats_password: Password
    """Password of the NATS user `persister`."""
    grace_ms: Annotated[int, Field(ge=0, le=60_000)] = 2_000
    """Exchange time for which a window stays open after its end; later trades amend its bar."""
    silent_after_ms: Annotated[int, Field(ge=1_000, le=86_400_000)] = 15_000
    """Exchange time without a message after which the feed counts as silent."""
    retention_days: Annotated[int, Field(ge=0, le=36_500)] = 0
    """Age at which bars and gaps are deleted; 0 keeps them forever."""

    requests_at_once: Annotated[int, Field(ge=1, le=1_000_000_000)] = 8
    """Requests over the bus that one process works on concurrently."""
    requests_waiting: Annotated[int, Field(ge=1, le=1_000_000_000)] = 64
    """Requests that may wait; further ones are refused as overloaded."""

    repair: bool = True
    """Whether bars with missing trades are repaired from Upstox's candles."""
    repair_every_secs: Secs = 20.0
    """Time between two searches for bars to repair."""
    repair_after_secs: Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)] = 60.0
    """Exchange time after a window's end from which its candles are requested."""
    repair_days: Annotated[int, Field(ge=1, le=30)] = 7
    """Age in days beyond which gaps are no longer repaired."""
    repair_calls_per_sec: Annotated[int, Field(ge=1, le=50)] = 5
    """Limit of calls for candles per second; Upstox allows 50 for all calls of the account."""
    repair_calls_per_minute: Annotated[int, Field(ge=1, le=500)] = 200
    """Limit of calls for candles per minute; Upstox allows 500 for all calls of the account."""
    repair_calls_per_half_hour: Annotated[int, Field(ge=1, le=2_000)] = 1_000
    """Limit of calls for candles per 30 minutes; Upstox allows 2000 for all calls of the account."""

    history: bool = True
    """Whether earlier candles, those of one minute, and reference data are read from Upstox."""
    candle_cache_bytes: Annotated[int, Field(ge=0, le=1 << 34)] = 32 * 1024 * 1024
    """Memory of the leader for candles of 1m, 3m and 30m, which are not stored."""

    master_url: HttpUrl = (
        "https://assets.upstox.com/market-quote/instruments/exchange/complete.json.gz"
    )
    """Address of the instruments master, gzipped JSON."""
    master_check_secs: Secs = 600.0
    """Time between two checks for a new day's master, which Upstox publishes at about 06:00 IST, or a
    later version of the day's master; also the longest pause after a load that failed."""

    master_min_share: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Smallest size of a new master as a share of the stored instruments; a smaller one is refused
    until it has come on three consecutive days. 0 accepts every master."""

    calendar_refresh: bool = True
    """Whether the exchanges' holidays and timings are fetched from Upstox once a day."""
    calendar_check_secs: Secs = 600.0
    """Time between two checks for a new day's calendar; also the longest pause after a failed call."""

    nats: NatsSettings = Field(default_factory=NatsSettings)
    mongo: MongoSettings = Field(default_factory=MongoSettings)
    upstox: UpstoxSettings = Field(default_factory=UpstoxSettings)
