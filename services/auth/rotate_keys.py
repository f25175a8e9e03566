"""Makes the next signing key and removes those that nobody needs: a command.

``python -m services.auth.rotate_keys``. Running processes take it up by themselves: they
publish it at once and sign with it when every verifier must have it.
"""

import sys
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
    """The last new key does not sign yet; another one would only delay its time."""

    def __init__(self, kid: str, signs_from: datetime) -> None:
        super().__init__(
            [f"key {kid} was made a while ago and signs from {signs_from:%H:%M:%S} UTC"]
        )


def rotate(directory: Path, clock: Clock, *, publish_secs: float) -> tuple[Keyring, list[str]]:
    """The keyring with the new key, and the names of the keys that were removed.

    Blocks on the disk. Raises RotationPending, or ConfigError if the folder is not usable.
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


def main() -> int:
    """The exit code; says what was done, or on stderr what is wrong."""
    try:
        settings = load(AuthSettings)
        keyring, removed = rotate(
            settings.keys_dir, SystemClock(), publish_secs=settings.key_publish_secs
        )
    except ConfigError as error:
        print("\n".join(error.problems), file=sys.stderr)
        return exit_codes.CONFIG
    newest = keyring.keys[-1]
    signs_from = to_datetime(keyring.signs_from_ms(newest))
    print(f"{newest.kid} is published from now on and signs from {signs_from:%H:%M:%S} UTC")
    for kid in removed:
        print(f"{kid} was removed: every token that it signed has died")
    return exit_codes.OK


if __name__ == "__main__":
    sys.exit(main())
