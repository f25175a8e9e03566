"""Generated secrets of an embedded stack, stored in its data folder."""

import os
import secrets
from pathlib import Path
from typing import Final

from services.trading.links.seal_keys import create_seal_key
from shared.runtime.clock import SystemClock

NATS_PASSWORDS: Final = (
    "TRADEDAD_INGEST_NATS_PASSWORD",
    "TRADEDAD_PERSISTER_NATS_PASSWORD",
    "TRADEDAD_GATEWAY_NATS_PASSWORD",
    "TRADEDAD_AUTH_NATS_PASSWORD",
    "TRADEDAD_TRADING_NATS_PASSWORD",
    "TRADEDAD_OBSERVER_NATS_PASSWORD",
)
_GENERATED: Final = (*NATS_PASSWORDS, "TRADEDAD_AUTH_PEPPER")


def ensure_secrets(folder: Path) -> dict[str, str]:
    """Return the secrets in `folder`, and generate missing ones.

    Each secret is a file of mode 0600 with the name of its variable.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    for name in _GENERATED:
        path = folder / name
        if not path.exists():
            _write_private(path, generate_secret())
    return {name: (folder / name).read_text() for name in _GENERATED}


def ensure_seal_key(folder: Path) -> None:
    """Create a key that seals Upstox tokens in the database, unless `folder` has one."""
    if not any(folder.glob("*.key")):
        create_seal_key(folder, SystemClock())


def generate_secret() -> str:
    """Return a random secret that starts with a letter.

    nats-server's configuration would parse one that starts with a digit as a number.
    """
    return "s" + secrets.token_hex(24)


def _write_private(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    temporary.replace(path)
