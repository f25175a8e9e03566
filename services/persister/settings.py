"""What can be set of the persister."""

from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from shared.runtime.settings import (
    HttpUrl,
    MongoSettings,
    NatsSettings,
    Port,
    Secs,
    ServiceSettings,
    UpstoxSettings,
)


class PersisterSettings(ServiceSettings):
    """Settings of the persister service."""

    model_config = SettingsConfigDict(env_prefix="TRADEDAD_PERSISTER_")

    ops_port: Port = 7431
    """Where /healthz, /readyz and /metrics listen."""
    nats_password: SecretStr
    """Of the NATS user that is named like this service."""
    grace_ms: Annotated[int, Field(ge=0, le=60_000)] = 2_000
    """Exchange time a window stays open after its end; what comes later amends its bar."""
    silent_after_ms: Annotated[int, Field(ge=1_000)] = 15_000
    """Exchange time without any message after which the feed counts as silent."""
    retention_days: Annotated[int, Field(ge=0)] = 0
    """Bars and gaps older than this are deleted; 0 keeps them for ever."""

    requests_at_once: Annotated[int, Field(ge=1)] = 8
    """Questions over the bus that one process works on at a time."""
    requests_waiting: Annotated[int, Field(ge=1)] = 64
    """Questions that wait; one more is refused as overloaded."""

    repair: bool = True
    """Whether bars with gaps are made anew of Upstox's candles."""
    repair_every_secs: Secs = 20.0
    """How often to look for what is to be repaired."""
    repair_after_secs: Annotated[float, Field(ge=0)] = 60.0
    """Exchange time after a window's end before Upstox is asked for its candles."""
    repair_days: Annotated[int, Field(ge=1, le=30)] = 7
    """Gaps older than this are left as they are."""
    repair_calls_per_sec: Annotated[int, Field(ge=1, le=50)] = 5
    """Calls for candles; Upstox allows 50 over all calls of the account."""
    repair_calls_per_minute: Annotated[int, Field(ge=1, le=500)] = 200
    """Upstox allows 500 over all."""
    repair_calls_per_half_hour: Annotated[int, Field(ge=1, le=2_000)] = 1_000
    """Upstox allows 2000 over all."""

    master_url: HttpUrl = (
        "https://assets.upstox.com/market-quote/instruments/exchange/complete.json.gz"
    )
    """Where the instruments master is, gzipped JSON."""
    master_check_secs: Secs = 600.0
    """How often to see whether a new day's master is due; it comes at about 06:00 IST."""

    nats: NatsSettings = Field(default_factory=NatsSettings)
    mongo: MongoSettings = Field(default_factory=MongoSettings)
    upstox: UpstoxSettings = Field(default_factory=UpstoxSettings)
