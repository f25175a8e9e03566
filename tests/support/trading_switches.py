"""An administrator who sets kill switches, and what the rules then say of a new order."""

from typing import Final, TypeVar

import msgspec

from shared.bus.requests import send_request
from shared.contracts.trading import Operation
from shared.contracts.trading_admin import (
    AdminOperation,
    LiftLossLockRequest,
    SetSwitchRequest,
    SetUserSwitchRequest,
    Switch,
    Switches,
    SwitchesQuery,
    UserAdminOperation,
    admin_subject,
    user_admin_subject,
)
from shared.contracts.trading_replies import Limits, Preview
from tests.support.buses import bus_of
from tests.support.patience import PATIENCE_SECS
from tests.support.servers import NatsServer
from tests.support.trading_client import CLOCK_OF_TESTS, USER, TradingClient, order_request

ROOT: Final = "root"
ReplyT = TypeVar("ReplyT", bound=msgspec.Struct)


class Administrator:
    """Sends what a gateway sends for an administrator."""

    def __init__(self, nats: NatsServer) -> None:
        self._nats = nats

    async def set(self, *, is_on: bool, key: str | None = None, reason: str = "outage") -> Switch:
        """Set the global switch, or that of an instrument."""
        request = SetSwitchRequest(by=ROOT, is_on=is_on, reason=reason, key=key)
        return await self._send(admin_subject(AdminOperation.SET_SWITCH), request, Switch)

    async def switches(self) -> list[Switch]:
        """Those that are on."""
        subject = admin_subject(AdminOperation.SWITCHES)
        return (await self._send(subject, SwitchesQuery(), Switches)).switches

    async def set_user(self, *, is_on: bool, reason: str = "under review") -> Limits:
        """Set the switch of the user."""
        request = SetUserSwitchRequest(user_id=USER, by=ROOT, is_on=is_on, reason=reason)
        subject = user_admin_subject(0, UserAdminOperation.SET_USER_SWITCH)
        return await self._send(subject, request, Limits)

    async def lift_loss_lock(self) -> Limits:
        """Lift the loss lock of the user."""
        request = LiftLossLockRequest(user_id=USER, by=ROOT, reason="wrong price")
        subject = user_admin_subject(0, UserAdminOperation.LIFT_LOSS_LOCK)
        return await self._send(subject, request, Limits)

    async def _send(
        self, subject: str, request: msgspec.Struct, reply_type: type[ReplyT]
    ) -> ReplyT:
        async with bus_of(self._nats, "gateway") as bus:
            return await send_request(
                bus, CLOCK_OF_TESTS, subject, request, reply_type, timeout_secs=PATIENCE_SECS
            )


async def rule_of(client: TradingClient, rule: str = "kill_switch") -> tuple[bool, str | None, str]:
    """Whether a preview of an order that opens a position passes a rule, the value and detail."""
    preview = await client.call(Operation.PREVIEW, order_request("preview"), Preview)
    (result,) = [each for each in preview.rules if each.rule == rule]
    return result.passed, result.value, result.detail


async def is_refused(client: TradingClient, scope: str) -> bool:
    """Whether the switch of this scope stops a new order."""
    return (await rule_of(client))[:2] == (False, scope)


async def is_accepted(client: TradingClient) -> bool:
    """Whether no switch stops a new order."""
    return (await rule_of(client))[0]
