"""What can be set of the persister."""

from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from shared.settings import MongoSettings, NatsSettings, Port, ServiceSettings


class PersisterSettings(ServiceSettings):
    """Settings of the persister service."""

    model_config = SettingsConfigDict(env_prefix="TRADEDAD_PERSISTER_")

    ops_port: Port = 7431
    """Where /healthz, /readyz and /metrics listen."""
    nats_password: SecretStr
    """Of the NATS user that is named like this service."""
    grace_ms: Annotated[int, Field(ge=0, le=60_000)] = 2_000
    """Exchange time a window stays open after its end, for trades that arrive late."""
    silent_after_ms: Annotated[int, Field(ge=1_000)] = 15_000
    """Exchange time without any message after which the feed counts as silent."""

    nats: NatsSettings = Field(default_factory=NatsSettings)
    mongo: MongoSettings = Field(default_factory=MongoSettings)
