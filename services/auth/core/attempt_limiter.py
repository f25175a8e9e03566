"""Rate limits of logins and sign-ups that delay an attacker and lock no user out.

Each attempt is counted before its password is hashed. Attempts are counted by address and
by account. Attempts of a device that has logged in to the account before are counted
separately from all others, so that other people's attempts do not delay the owner.
"""

from dataclasses import dataclass
from datetime import datetime

from services.auth.core.entities import AttemptLimit
from services.auth.core.ports import Throttle
from shared.web.addresses import client_network


@dataclass(frozen=True, slots=True)
class AttemptLimits:
    """The limits by kind of attempt."""

    account: AttemptLimit
    """Wrong passwords of an account: of all unknown devices together, and of each known device."""
    address: AttemptLimit
    """Wrong passwords from an address, of any account."""
    signup: AttemptLimit
    """Accounts created from an address."""


class AttemptLimiter:
    """Counts attempts in a `Throttle`. Every method may raise Unavailable."""

    def __init__(self, throttle: Throttle, limits: AttemptLimits) -> None:
        self._throttle = throttle
        self._limits = limits

    async def admit_signup(self, address: str, now: datetime) -> None:
        """Count one sign-up from this address. Raises TooManyAttempts."""
        await self._throttle.admit(f"signup|{client_network(address)}", self._limits.signup, now)

    async def admit_password(
        self, account_hash: str, device_id: str | None, address: str, now: datetime
    ) -> None:
        """Count one password that is about to be verified. Raises TooManyAttempts.

        `account_hash` is the keyed hash of the given e-mail address. `device_id` names a
        known device; None is an unknown one.
        """
        # The address is counted first: an attempt that is refused for its address must not
        # count against the account.
        await self._throttle.admit(_address_key(address), self._limits.address, now)
        await self._throttle.admit(_account_key(account_hash, device_id), self._limits.account, now)

    async def password_verified(
        self, account_hash: str, device_id: str | None, address: str
    ) -> None:
        """Take back the count of an attempt whose password was right."""
        await self._throttle.reset(_account_key(account_hash, device_id))
        await self._throttle.refund(_address_key(address))


def _address_key(address: str) -> str:
    return f"address|{client_network(address)}"


def _account_key(account_hash: str, device_id: str | None) -> str:
    if device_id is None:
        return f"account|{account_hash}"
    return f"device|{account_hash}|{device_id}"
