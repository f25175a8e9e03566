"""Random secrets, and files that only their owner may read."""

import os
import secrets
from pathlib import Path
from typing import Final

NATS_PASSWORDS: Final = (
    "TRADEDAD_INGEST_NATS_PASSWORD",
    "TRADEDAD_PERSISTER_NATS_PASSWORD",
    "TRADEDAD_GATEWAY_NATS_PASSWORD",
    "TRADEDAD_AUTH_NATS_PASSWORD",
    "TRADEDAD_TRADING_NATS_PASSWORD",
    "TRADEDAD_OBSERVER_NATS_PASSWORD",
)
PEPPER: Final = "TRADEDAD_AUTH_PEPPER"
OWNER_ONLY: Final = 0o600


def generate_secret() -> str:
    """Return a random secret that starts with a letter.

    nats-server's configuration would parse one that starts with a digit as a number.
    """
    return "s" + secrets.token_hex(24)


def write_private(path: Path, data: bytes) -> None:
    """Write a file of mode 0600, completely or not at all."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    temporary.replace(path)
