"""The operations of administrators on trading: parameters, responses and errors."""

from typing import Any, Final

from services.gateway.rest.base_responses import BEARER, LIMITS, TOKEN_ERRORS
from services.gateway.rest.trading import schemas as trading
from services.gateway.rest.trading.queries import (
    AccountParameters,
    EventsParameters,
    OrdersParameters,
)
from services.gateway.rest.trading_admin import schemas
from services.gateway.rest.trading_admin.bodies import (
    InstrumentPath,
    LossLockLift,
    SwitchSetting,
    UserPath,
)
from shared.errors import (
    BadMessage,
    Forbidden,
    InvalidField,
    LimitExceeded,
    NotFound,
    OrderRefused,
    Overloaded,
    TimedOut,
    TooLarge,
    UnsupportedEncoding,
)
from shared.web.openapi import Operation

_READ: Final = (*TOKEN_ERRORS, Forbidden, InvalidField, Overloaded, TimedOut)
_CHANGE: Final = (*_READ, BadMessage, TooLarge, UnsupportedEncoding)
_COMMON: Final[dict[str, Any]] = {
    "security": (BEARER,), "problem": trading.OrderProblem, "headers": LIMITS, "tags": ["admin"],
}  # fmt: skip

SWITCHES: Final = Operation(
    method="GET", path="/v1/admin/kill-switch", name="killSwitches",
    summary="The global kill switch and those of instruments that are on.",
    responses={200: schemas.Switches}, errors=_READ, **_COMMON,
)  # fmt: skip
SET_GLOBAL_SWITCH: Final = Operation(
    method="PUT", path="/v1/admin/kill-switch/global", name="setGlobalKillSwitch",
    summary="Stop or allow new orders of all users.",
    body=SwitchSetting, responses={200: schemas.Switch}, errors=(*_CHANGE, LimitExceeded),
    **_COMMON,
)  # fmt: skip
SET_INSTRUMENT_SWITCH: Final = Operation(
    method="PUT", path="/v1/admin/kill-switch/instruments/{key}", name="setInstrumentKillSwitch",
    summary="Stop or allow new orders of all users in one instrument.",
    path_parameters=InstrumentPath, body=SwitchSetting, responses={200: schemas.Switch},
    errors=(*_CHANGE, LimitExceeded), **_COMMON,
)  # fmt: skip
SET_USER_SWITCH: Final = Operation(
    method="PUT", path="/v1/admin/kill-switch/users/{user_id}", name="setUserKillSwitch",
    summary="Stop or allow new orders of one user.",
    path_parameters=UserPath, body=SwitchSetting, responses={200: trading.Limits},
    errors=_CHANGE, **_COMMON,
)  # fmt: skip
LIFT_LOSS_LOCK: Final = Operation(
    method="POST", path="/v1/admin/users/{user_id}/loss-lock/lift", name="liftLossLock",
    summary="Lift the loss lock of a user, at most once on a trading day.",
    path_parameters=UserPath, body=LossLockLift, responses={200: trading.Limits},
    errors=(*_CHANGE, NotFound), **_COMMON,
)  # fmt: skip
USER_LIMITS: Final = Operation(
    method="GET", path="/v1/admin/users/{user_id}/limits", name="userLimits",
    summary="The limits of a user's orders, and what stops new orders.",
    path_parameters=UserPath, query=AccountParameters, responses={200: trading.Limits},
    errors=(*_READ, OrderRefused), **_COMMON,
)  # fmt: skip
USER_ORDERS: Final = Operation(
    method="GET", path="/v1/admin/users/{user_id}/orders", name="userOrders",
    summary="Orders of a user of the trading day, the newest first.",
    path_parameters=UserPath, query=OrdersParameters, responses={200: trading.Orders},
    errors=(*_READ, OrderRefused), **_COMMON,
)  # fmt: skip
USER_EVENTS: Final = Operation(
    method="GET", path="/v1/admin/users/{user_id}/events", name="userEvents",
    summary="Events of a user after a sequence number, the oldest first.",
    path_parameters=UserPath, query=EventsParameters, responses={200: trading.Events},
    errors=_READ, **_COMMON,
)  # fmt: skip

ALL: Final = (
    SWITCHES, SET_GLOBAL_SWITCH, SET_INSTRUMENT_SWITCH, SET_USER_SWITCH, LIFT_LOSS_LOCK,
    USER_LIMITS, USER_ORDERS, USER_EVENTS,
)  # fmt: skip
