"""The bodies and the paths of the operations of administrators on trading."""

from typing import Annotated

from pydantic import Field

from services.gateway.rest.models import Input, Key
from shared.contracts.trading_admin import (
    MAX_REASON_CHARS,
    LiftLossLockRequest,
    SetSwitchRequest,
    SetUserSwitchRequest,
)

Reason = Annotated[str, Field(min_length=1, max_length=MAX_REASON_CHARS, pattern=r"\S")]
UserId = Annotated[str, Field(min_length=1, max_length=64, pattern="^[A-Za-z0-9_-]+$")]


class SwitchSetting(Input):
    """Whether a kill switch is on, and why."""

    is_on: Annotated[bool, Field(strict=True)]
    reason: Reason
    """In the words of the administrator. Users see the reason of a switch that is on."""

    def request(self, by: str, key: str | None = None) -> SetSwitchRequest:
        """The request for all users, or for the instrument `key`."""
        return SetSwitchRequest(by=by, is_on=self.is_on, reason=self.reason, key=key)

    def request_for_user(self, by: str, user_id: str) -> SetUserSwitchRequest:
        """The request for one user."""
        return SetUserSwitchRequest(user_id=user_id, by=by, is_on=self.is_on, reason=self.reason)


class LossLockLift(Input):
    """Why the loss lock of a user is lifted."""

    reason: Reason
    """In the words of the administrator."""

    def request(self, by: str, user_id: str) -> LiftLossLockRequest:
        """The request that lifts the lock."""
        return LiftLossLockRequest(user_id=user_id, by=by, reason=self.reason)


class InstrumentPath(Input):
    """The path of an instrument's kill switch."""

    key: Key
    """Instrument key, percent-encoded: `NSE_EQ%7CINE002A01018`."""


class UserPath(Input):
    """The path of a user."""

    user_id: UserId
    """The `user_id` of the account."""
