"""Requests of administrators over the bus: kill switches and loss locks, and their replies.

The gateway takes `by` from the access token, which must have the role of an administrator. Any
process of trading answers ``trading.admin.<operation>``. What concerns one user is answered by the
owner of the user's partition, on ``trading.<partition>.<operation>``. Times are epoch
milliseconds.
"""

from enum import StrEnum
from typing import Annotated, Final

import msgspec

from shared.contracts.trading import Key, UserId
from shared.contracts.trading_replies import SwitchScope

MAX_REASON_CHARS: Final = 200
MAX_SWITCHES: Final = 1_000
"""Kill switches of instruments that are on at a time."""

Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_REASON_CHARS, pattern=r"\S")]
"""In the words of the administrator; users see it in refusals."""


class AdminOperation(StrEnum):
    """The last token of a request that concerns all users."""

    SET_SWITCH = "set_switch"
    SWITCHES = "switches"


class UserAdminOperation(StrEnum):
    """The last token of a request that concerns one user."""

    SET_USER_SWITCH = "admin_set_switch"
    LIFT_LOSS_LOCK = "admin_lift_loss_lock"


def admin_subject(operation: AdminOperation) -> str:
    """The subject of an operation that concerns all users."""
    return f"trading.admin.{operation.value}"


def user_admin_subject(partition: int, operation: UserAdminOperation) -> str:
    """The subject of an operation for one of the users of a partition."""
    return f"trading.{partition}.{operation.value}"


class SetSwitchRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sets the global kill switch, or that of the instrument `key`."""

    by: UserId
    is_on: bool
    reason: Reason
    key: Key | None = None


class SwitchesQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Reads the global kill switch and those of instruments."""


class SetUserSwitchRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sets the administrators' kill switch for one user. The reply is the user's `Limits`."""

    user_id: UserId
    by: UserId
    is_on: bool
    reason: Reason


class LiftLossLockRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Lifts the loss lock of one user, once a day. The reply is the user's `Limits`."""

    user_id: UserId
    by: UserId
    reason: Reason


class Switch(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A kill switch as it was set last."""

    scope: SwitchScope
    is_on: bool
    by: str
    """The user id of the administrator who has set or lifted it."""
    reason: str
    at: int
    key: str | None = None
    """The instrument, of a switch with that scope."""


class Switches(msgspec.Struct, frozen=True, kw_only=True):
    """The kill switches that are on, the global one first."""

    switches: list[Switch]
