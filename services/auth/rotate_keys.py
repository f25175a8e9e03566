"""Creates the next signing key, removes retired ones: ``python -m operations keys rotate-signing``.

Running processes reload the keys by themselves. They publish the new key at once and sign with
it when every verifier must have fetched it.
"""

import argparse
from datetime import datetime
from pathlib import Path

from services.auth.settings import AuthSettings
from services.auth.signing.keyring import Keyring, create_key, key_path, load_keyring
from shared.errors import ConfigError
from shared.market.exchange_time import to_datetime
from shared.runtime import exit_codes
from shared.runtime.clock import Clock, SystemClock
from shared.runtime.settings import load


class RotationPending(ConfigError):
    """The newest key does not sign yet; a further key would only delay the rotation."""

    def __init__(self, kid: str, signs_from: datetime) -> None:
        super().__init__([f"a rotation is pending: key {kid} signs from {signs_from:%H:%M:%S} UTC"])


def rotate(directory: Path, clock: Clock, *, publish_secs: float) -> tuple[Keyring, list[str]]:
    """Return the keyring with the new key, and the names of the removed keys.

    Blocks on the disk. Raises RotationPending, or ConfigError if the directory is not usable.
    """
    now_ms = clock.now_ms()
    keyring = load_keyring(directory, clock, publish_secs=publish_secs, create_missing=True)
    newest = keyring.keys[-1]
    if keyring.signs_from_ms(newest) > now_ms:
        raise RotationPending(newest.kid, to_datetime(keyring.signs_from_ms(newest)))
    retired = [key.kid for key in keyring.keys if keyring.is_retired(key, now_ms)]
    create_key(directory, clock)
    for kid in retired:
        key_path(directory, kid).unlink(missing_ok=True)
    return load_keyring(directory, clock, publish_secs=publish_secs), retired


def run(_: argparse.Namespace) -> int:
    """Create the next signing key of auth, and remove keys whose last token has expired."""
    settings = load(AuthSettings)
    keyring, removed = rotate(
        settings.keys_dir, SystemClock(), publish_secs=settings.key_publish_secs
    )
    newest = keyring.keys[-1]
    signs_from = to_datetime(keyring.signs_from_ms(newest))
    print(f"{newest.kid} is published now and signs from {signs_from:%H:%M:%S} UTC")
    for kid in removed:
        print(f"{kid} was removed: every token that it signed has expired")
    return exit_codes.OK
