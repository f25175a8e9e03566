"""Device tokens: how somebody who has logged in before is told from a stranger.

A token says only that its holder has once logged in to this account; it opens nothing. Its
holder's attempts to log in are counted by themselves, so that an attacker who keeps trying
an account cannot make its owner wait.
"""

import hmac
import secrets
from typing import Final

from services.auth.core.pseudonyms import Pseudonyms

_PURPOSE: Final = "device"
_MAX_CHARS: Final = 128


class Devices:
    """Makes device tokens, and knows its own again."""

    def __init__(self, pseudonyms: Pseudonyms) -> None:
        self._pseudonyms = pseudonyms

    def new(self, account: str) -> str:
        """A token for a device that has just logged in to `account`."""
        device = secrets.token_urlsafe(12)
        return f"{device}.{self._seal(account, device)}"

    def known(self, account: str, token: str | None) -> str | None:
        """The device's id, or None if the token is not one of ours for this account."""
        if token is None or len(token) > _MAX_CHARS or not token.isascii():
            return None
        device, _, seal = token.rpartition(".")
        if not device or not hmac.compare_digest(seal, self._seal(account, device)):
            return None
        return device

    def _seal(self, account: str, device: str) -> str:
        return self._pseudonyms.of(_PURPOSE, f"{account}\0{device}")
