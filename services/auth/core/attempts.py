"""How often one may try: rules that slow an attacker down and lock no user out.

Each attempt is counted before it costs a hash. An address that many attempts come from
must wait; so must strangers to an account that has been tried often. A device that the
account has been logged in from before is counted by itself: nobody else's attempts make
its owner wait.
"""

from dataclasses import dataclass
from datetime import datetime

from services.auth.core.records import AttemptLimit, Throttle
from shared.web.addresses import client_network


@dataclass(frozen=True, slots=True)
class AttemptLimits:
    """Of whom, how many attempts."""

    account: AttemptLimit
    """Wrong passwords of one account from strangers together; and of each known device."""
    address: AttemptLimit
    """Wrong passwords from one address, for whatever accounts."""
    signup: AttemptLimit
    """Accounts opened from one address."""


class Attempts:
    """The use of a `Throttle`; every method may raise TooManyAttempts or Unavailable."""

    def __init__(self, throttle: Throttle, limits: AttemptLimits) -> None:
        self._throttle = throttle
        self._limits = limits

    async def signup(self, address: str, now: datetime) -> None:
        """Count one account that somebody wants to open."""
        await self._throttle.admit(f"signup|{client_network(address)}", self._limits.signup, now)

    async def login(self, account: str, device: str | None, address: str, now: datetime) -> None:
        """Count one password that is about to be checked.

        `account` stands for the e-mail address that was given, `device` for one that has
        been logged in from before.
        """
        # The address first: one that must wait makes nobody else wait.
        await self._throttle.admit(f"address|{client_network(address)}", self._limits.address, now)
        await self._throttle.admit(_of_account(account, device), self._limits.account, now)

    async def succeeded(self, account: str, device: str | None, address: str) -> None:
        """The password was right: the attempt does not count."""
        await self._throttle.forget(_of_account(account, device))
        await self._throttle.give_back(f"address|{client_network(address)}")


def _of_account(account: str, device: str | None) -> str:
    return f"account|{account}" if device is None else f"device|{account}|{device}"
