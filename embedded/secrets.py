"""The secrets of an embedded stack: made once, kept in its data folder, never printed."""

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
_MADE_HERE: Final = (*NATS_PASSWORDS, "TRADEDAD_AUTH_PEPPER")


def ensure_secrets(folder: Path) -> dict[str, str]:
    """The secrets in `folder`, each a file of mode 0600 named like its variable."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    for name in _MADE_HERE:
        path = folder / name
        if not path.exists():
            _write_private(path, generate())
    return {name: (folder / name).read_text() for name in _MADE_HERE}


def generate() -> str:
    """A secret that begins with a letter, as nats-server's configuration needs it."""
    return "s" + secrets.token_hex(24)


def _write_private(path: Path, text: str) -> None:
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    fresh.replace(path)
