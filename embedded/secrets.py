"""Generated secrets of an embedded stack, stored in its data folder."""

from pathlib import Path
from typing import Final

from operations.secret_files import NATS_PASSWORDS, PEPPER, generate_secret, write_private
from services.trading.links.seal_keys import create_seal_key
from shared.runtime.clock import SystemClock

_GENERATED: Final = (*NATS_PASSWORDS, PEPPER)


def ensure_secrets(folder: Path) -> dict[str, str]:
    """Return the secrets in `folder`, and generate missing ones.

    Each secret is a file of mode 0600 with the name of its variable.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    for name in _GENERATED:
        path = folder / name
        if not path.exists():
            write_private(path, generate_secret().encode())
    return {name: (folder / name).read_text() for name in _GENERATED}


def ensure_seal_key(folder: Path) -> None:
    """Create a key that seals Upstox tokens in the database, unless `folder` has one."""
    if not any(folder.glob("*.key")):
        create_seal_key(folder, SystemClock())
