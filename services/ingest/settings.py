"""What can be set of ingest."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from services.ingest.demand.limits import PlanName
from shared.runtime.settings import NatsSettings, Port, Secs, ServiceSettings, UpstoxSettings


class IngestSettings(ServiceSettings):
    """Settings of the ingest service."""

    model_config = SettingsConfigDict(env_prefix="TRADEDAD_INGEST_")

    ops_port: Port = 7421
    """Where /healthz, /readyz and /metrics listen."""
    nats_password: SecretStr
    """Of the NATS user that is named like this service."""
    watchlist_file: Path | None = None
    """Instrument keys that are always subscribed: one a line, `#` starts a comment."""
    plan: PlanName = "basic"
    """What the feed's Upstox account has booked: `plus` allows order books of 30 levels."""
    linger_secs: Secs = 30.0
    """An instrument that nobody wants any more stays subscribed for so long, if there is room."""
    unknown_after_secs: Secs = 10.0
    """An instrument of which Upstox says nothing for so long after subscribing is unknown."""
    token_file: Path | None = None
    """A file with the access token in it, read again all the time: write a new one in there
    every morning, or whenever the old one has died. It goes before TRADEDAD_UPSTOX_ACCESS_TOKEN."""
    token_poll_secs: Secs = 1.0
    """How often a new token is looked for: in the file, and from the trading service."""
    token_check_secs: Secs = 300.0
    """How often Upstox is asked whether the token in use is still good."""
    token_retry_secs: Secs = 60.0
    """A token that was refused is tried again after so long, if there is no other."""
    silent_after_secs: Secs = 15.0
    """A feed that says nothing for so long while the market is open is opened anew."""
    stale_after_secs: Secs = 120.0
    """A live instrument that is silent for so long while its segment trades is named in
    md.status."""
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
