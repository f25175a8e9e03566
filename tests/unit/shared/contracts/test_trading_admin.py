"""Requests of administrators have subjects of their own and always a reason."""

from typing import Any

import msgspec
import pytest

from shared.contracts.trading import Operation
from shared.contracts.trading_admin import (
    MAX_REASON_CHARS,
    AdminOperation,
    LiftLossLockRequest,
    SetSwitchRequest,
    SetUserSwitchRequest,
    UserAdminOperation,
    admin_subject,
    user_admin_subject,
)

SWITCH = {"by": "root", "is_on": True, "reason": "outage"}


def test_no_operation_of_administrators_has_the_subject_of_a_users_command() -> None:
    assert {each.value for each in UserAdminOperation}.isdisjoint(Operation)
    assert admin_subject(AdminOperation.SET_SWITCH) == "trading.admin.set_switch"
    subject = user_admin_subject(3, UserAdminOperation.LIFT_LOSS_LOCK)
    assert subject == "trading.3.admin_lift_loss_lock"


@pytest.mark.parametrize(
    ("changes", "is_valid"),
    [
        ({}, True),
        ({"key": "NSE_EQ|INE002A01018"}, True),
        ({"reason": "x" * MAX_REASON_CHARS}, True),
        ({"reason": "x" * (MAX_REASON_CHARS + 1)}, False),
        ({"reason": ""}, False),
        ({"reason": " \n"}, False),
        ({"by": ""}, False),
        ({"by": "a.b"}, False),
        ({"key": ""}, False),
        ({"scope": "user"}, False),
    ],
)
def test_a_switch_is_set_by_someone_and_for_a_reason(
    changes: dict[str, Any], is_valid: bool
) -> None:
    body = msgspec.json.encode(SWITCH | changes)
    if is_valid:
        assert msgspec.json.decode(body, type=SetSwitchRequest).by == "root"
    else:
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(body, type=SetSwitchRequest)


@pytest.mark.parametrize("kind", [SetUserSwitchRequest, LiftLossLockRequest])
@pytest.mark.parametrize("missing", ["user_id", "by", "reason"])
def test_a_change_for_a_user_names_the_user_the_administrator_and_a_reason(
    kind: type[msgspec.Struct], missing: str
) -> None:
    fields: dict[str, Any] = {"user_id": "user-1", "by": "root", "reason": "x"}
    if kind is SetUserSwitchRequest:
        fields["is_on"] = True
    assert isinstance(msgspec.json.decode(msgspec.json.encode(fields), type=kind), kind)
    del fields[missing]
    with pytest.raises(msgspec.ValidationError, match=missing):
        msgspec.json.decode(msgspec.json.encode(fields), type=kind)
