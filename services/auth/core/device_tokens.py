"""Device tokens: proof that a device has logged in to an account before.

A device token gives no access. Login attempts with a valid device token are counted
separately for that device, so that an attacker who keeps trying an account's password does
not delay its owner.
"""

import hmac
import secrets
from typing import Final

from services.auth.core.keyed_hash import KeyedHash

_PURPOSE: Final = "device"
_ID_BYTES: Final = 12
_MAX_CHARS: Final = 128


class DeviceTokens:
    """Issues and verifies device tokens of the form ``<device id>.<keyed hash>``."""

    def __init__(self, keyed_hash: KeyedHash) -> None:
        self._keyed_hash = keyed_hash

    def issue(self, account_hash: str) -> str:
        """Return a token for a new device that has logged in to this account."""
        device_id = secrets.token_urlsafe(_ID_BYTES)
        return f"{device_id}.{self._signature(account_hash, device_id)}"

    def verify(self, account_hash: str, token: str | None) -> str | None:
        """Return the device's id; None if the token was not issued here for this account."""
        if token is None or len(token) > _MAX_CHARS or not token.isascii():
            return None
        device_id, _, signature = token.rpartition(".")
        if not device_id:
            return None
        if not hmac.compare_digest(signature, self._signature(account_hash, device_id)):
            return None
        return device_id

    def _signature(self, account_hash: str, device_id: str) -> str:
        return self._keyed_hash.digest(_PURPOSE, f"{account_hash}\0{device_id}")
