"""Settings of the ingest service."""

from typing import Annotated

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.ingest.demand.limits import AccountPlan
from shared.runtime.setting_types import FilePath, Password, Port, Secs
from shared.runtime.settings import NatsSettings, ServiceSettings, UpstoxSettings


class IngestSettings(ServiceSettings):
    """Settings of the ingest service."""

    model_config = SettingsConfigDict(env_prefix="TRADEDAD_INGEST_")

    ops_port: Port = 7421
    """The port of /healthz, /readyz and /metrics."""
    nats_password: Password
    """The password of the NATS user `ingest`."""
    watchlist_file: FilePath | None = None
    """A file of instrument keys that are always subscribed: one per line, `#` starts a comment."""
    plan: AccountPlan = "basic"
    """The plan of the Upstox account: `plus` allows order books of 30 levels."""
    linger_secs: Secs = 30.0
    """How long an instrument stays subscribed after its last request, if the limits allow."""
    unknown_after_secs: Secs = 10.0
    """An instrument is reported as unknown when no data has arrived for so long after
    subscribing."""
    token_poll_secs: Secs = 1.0
    """Interval at which the token sources (file, setting, trading service) are read for a new
    token."""
    token_check_secs: Secs = 300.0
    """Interval at which the access token in use is checked with Upstox."""
    token_retry_secs: Secs = 60.0
    """How long a refused token is not used again; then it is tried if there is no other."""
    silent_after_secs: Secs = 15.0
    """The connection is closed and reopened after so long without a frame while the market is
    open."""
    stale_after_secs: Secs = 120.0
    """A live instrument without an update for so long, while its segment trades, is listed in
    md.status."""
    feed_ping_secs: Secs = 10.0
    """Interval of pings; the connection is closed and reopened when a pong takes longer than
    half of it."""
    settle_secs: Secs = 30.0
    """After a connection that lasted so long, the first reconnect waits at most 0.5 s; after a
    shorter one the delay grows, up to 30 s."""
    max_ahead_secs: Secs = 60.0
    """A frame is skipped if its time is further ahead of the local clock, because it would
    close all windows too early."""
    clock_every_secs: Annotated[Secs, Field(le=5)] = 1.0
    """Interval at which md.clock is published. Trading takes its absence for a feed that is away."""
    clock_every_quotes: Annotated[int, Field(ge=1, le=1_000_000_000)] = 200
    """md.clock is also published each time so many quotes have been published."""
    ticks_max_age_secs: Annotated[float, Field(ge=600, le=1e9, allow_inf_nan=False)] = 7_200.0
    """Age at which entries are deleted from the TICKS stream."""
    ticks_max_bytes: Annotated[int, Field(ge=1 << 20, le=1 << 50)] = 4 << 30
    """Size of the TICKS stream above which its oldest entries are deleted."""

    nats: NatsSettings = Field(default_factory=NatsSettings)
    upstox: UpstoxSettings = Field(default_factory=UpstoxSettings)
