"""What an operator can set for auth."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from shared.settings import MongoSettings, Port, ServiceSettings, TokenSettings


class AuthSettings(ServiceSettings):
    """Settings of one auth process."""

    model_config = SettingsConfigDict(env_prefix="TRADEDAD_AUTH_")

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: Port = 7410
    """Port to listen on."""
    ops_port: Port = 7411
    """Where /healthz, /readyz and /metrics listen."""

    keys_dir: Path
    """Holds the Ed25519 signing keys, one PEM file each; the newest by name signs."""
    create_missing_key: bool = False
    """Make a key if there is none. For one process on one machine: two that start
    together would each make a key, and neither would know the other's."""
    access_ttl_secs: Annotated[int, Field(ge=60, le=3_600)] = 600
    """How long an access token is good."""
    session_ttl_secs: Annotated[int, Field(ge=60)] = 30 * 24 * 3_600
    """How long a session lasts after its login."""

    nats_password: SecretStr
    """Of the NATS user that is named like this service."""

    pepper: Annotated[SecretStr, Field(min_length=32)]
    """Mixed into every password before it is hashed; kept outside the database.
    Changing it locks every account out."""
    bcrypt_cost: Annotated[int, Field(ge=10, le=16)] = 12
    """One more doubles the time of a hash; 12 is about 240 ms of one core."""
    hash_workers: Annotated[int, Field(ge=1, le=64)] = 2
    """Threads that hash; each can take a whole core."""
    hash_queue: Annotated[int, Field(ge=0)] = 32
    """Hashes that may wait for a thread; one more is refused as overloaded."""
    password_min_chars: Annotated[int, Field(ge=8, le=64)] = 15
    """NIST 800-63B-4 asks for 15 where the password is the only factor."""
    password_max_chars: Annotated[int, Field(ge=64, le=1_024)] = 128
    """Long enough for any passphrase, short enough to hash without harm."""

    mongo: MongoSettings = Field(default_factory=MongoSettings)
    tokens: TokenSettings = Field(default_factory=TokenSettings)
