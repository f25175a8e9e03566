"""What can be set of ingest."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from shared.settings import NatsSettings, Port, Secs, ServiceSettings, UpstoxSettings


class IngestSettings(ServiceSettings):
    """Settings of the ingest service."""

    model_config = SettingsConfigDict(env_prefix="TRADEDAD_INGEST_")

    ops_port: Port = 7421
    """Where /healthz, /readyz and /metrics listen."""
    nats_password: SecretStr
    """Of the NATS user that is named like this service."""
    watchlist_file: Path | None = None
    """Instrument keys that are always subscribed: one a line, `#` starts a comment."""
    feed_ping_secs: Secs = 10.0
    """A feed that answers no ping for half as long again is closed and opened anew."""
    settle_secs: Secs = 30.0
    """A feed that stayed up this long is reconnected after half a second at most when it
    drops; one that did not, after ever longer pauses."""
    max_ahead_secs: Secs = 60.0
    """Frames from further in the future than this, by our clock, are skipped: one would
    end all windows before their time."""
    clock_every_secs: Secs = 1.0
    """How often md.clock is published at least, while the feed flows."""
    clock_every_quotes: Annotated[int, Field(ge=1)] = 200
    """After how many quotes md.clock is published at the latest."""
    ticks_max_age_secs: Annotated[float, Field(ge=600)] = 7_200.0
    """Older entries leave the TICKS stream."""
    ticks_max_bytes: Annotated[int, Field(ge=1 << 20)] = 4 << 30
    """The oldest entries leave the TICKS stream when it would be larger."""

    nats: NatsSettings = Field(default_factory=NatsSettings)
    upstox: UpstoxSettings = Field(default_factory=UpstoxSettings)
