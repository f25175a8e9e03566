"""The operations on orders and accounts: parameters, responses and errors."""

from typing import Any, Final

from services.gateway.rest.base_responses import BEARER, LIMITS, TOKEN_ERRORS
from services.gateway.rest.trading import schemas
from services.gateway.rest.trading.bodies import KillSwitchSetting, NewOrder, OrderChanges
from services.gateway.rest.trading.command_key import CommandHeaders
from services.gateway.rest.trading.queries import (
    AccountParameters,
    EventsParameters,
    OrderPath,
    OrdersParameters,
    PositionParameters,
    PositionPath,
    TradesParameters,
)
from shared.errors import (
    BadMessage,
    CommandInFlight,
    IdempotencyKeyMissing,
    IdempotencyKeyReused,
    InvalidField,
    NotFound,
    OrderFinal,
    OrderRefused,
    Overloaded,
    TimedOut,
    TooLarge,
    UnsupportedEncoding,
)
from shared.web.openapi import Operation

_QUERY: Final = (*TOKEN_ERRORS, InvalidField, Overloaded, TimedOut)
_OF_ACCOUNT: Final = (*_QUERY, OrderRefused)
_COMMAND: Final = (*_QUERY, IdempotencyKeyMissing, IdempotencyKeyReused, CommandInFlight)
_BODY: Final = (BadMessage, TooLarge, UnsupportedEncoding)
_COMMON: Final[dict[str, Any]] = {"security": (BEARER,), "problem": schemas.OrderProblem}
_READ: Final[dict[str, Any]] = _COMMON | {"headers": LIMITS}
_CHANGE: Final[dict[str, Any]] = _READ | {"request_headers": CommandHeaders}

PLACE: Final = Operation(
    method="POST", path="/v1/orders", name="placeOrder", tags=["orders"],
    summary="Place an order.",
    body=NewOrder, responses={201: schemas.OrderView}, errors=(*_COMMAND, *_BODY, OrderRefused),
    **_CHANGE | {"headers": LIMITS | {"Location": "With 201: the path of the order."}},
)  # fmt: skip
PREVIEW: Final = Operation(
    method="POST", path="/v1/orders/preview", name="previewOrder", tags=["orders"],
    summary="Check an order and compute its margin and charges, without sending it.",
    body=NewOrder, responses={200: schemas.Preview}, errors=(*_QUERY, *_BODY, OrderRefused),
    **_READ,
)  # fmt: skip
ORDERS: Final = Operation(
    method="GET", path="/v1/orders", name="orders", tags=["orders"],
    summary="Orders of the trading day, the newest first.",
    query=OrdersParameters, responses={200: schemas.Orders}, errors=_OF_ACCOUNT, **_READ,
)  # fmt: skip
CANCEL_ALL: Final = Operation(
    method="DELETE", path="/v1/orders", name="cancelAllOrders", tags=["orders"],
    summary="Cancel all open orders of an account.",
    query=AccountParameters, responses={200: schemas.OrdersReply}, errors=(*_COMMAND, OrderRefused), **_CHANGE,
)  # fmt: skip
EVENTS: Final = Operation(
    method="GET", path="/v1/orders/events", name="orderEvents", tags=["orders"],
    summary="Events of the user after a sequence number, to catch up with the stream.",
    query=EventsParameters, responses={200: schemas.Events}, errors=_QUERY, **_READ,
)  # fmt: skip
ORDER: Final = Operation(
    method="GET", path="/v1/orders/{order_id}", name="order", tags=["orders"],
    summary="An order of the trading day with its events.",
    path_parameters=OrderPath, responses={200: schemas.OrderDetail}, errors=(*_QUERY, NotFound),
    **_READ,
)  # fmt: skip
PREVIEW_CHANGES: Final = Operation(
    method="POST", path="/v1/orders/{order_id}/preview", name="previewOrderChanges",
    tags=["orders"],
    summary="Check new terms of an open order and compute its margin and charges.",
    path_parameters=OrderPath, body=OrderChanges, responses={200: schemas.Preview},
    errors=(*_QUERY, *_BODY, NotFound, OrderFinal, OrderRefused, CommandInFlight), **_READ,
)  # fmt: skip
MODIFY: Final = Operation(
    method="PATCH", path="/v1/orders/{order_id}", name="modifyOrder", tags=["orders"],
    summary="Change the terms of an open order.",
    path_parameters=OrderPath, body=OrderChanges, responses={200: schemas.OrderView},
    errors=(*_COMMAND, *_BODY, NotFound, OrderFinal, OrderRefused), **_CHANGE,
)  # fmt: skip
CANCEL: Final = Operation(
    method="DELETE", path="/v1/orders/{order_id}", name="cancelOrder", tags=["orders"],
    summary="Cancel an open order.",
    path_parameters=OrderPath, responses={200: schemas.OrderView},
    errors=(*_COMMAND, NotFound, OrderFinal, OrderRefused), **_CHANGE,
)  # fmt: skip
TRADES: Final = Operation(
    method="GET", path="/v1/trades", name="trades", tags=["accounts"],
    summary="Trades of the trading day, the newest first.",
    query=TradesParameters, responses={200: schemas.Trades}, errors=_OF_ACCOUNT, **_READ,
)  # fmt: skip
POSITIONS: Final = Operation(
    method="GET", path="/v1/positions", name="positions", tags=["accounts"],
    summary="Positions of the trading day, closed ones included.",
    query=AccountParameters, responses={200: schemas.Positions}, errors=_OF_ACCOUNT, **_READ,
)  # fmt: skip
EXIT_ALL: Final = Operation(
    method="DELETE", path="/v1/positions", name="exitAllPositions", tags=["accounts"],
    summary="Close all positions of an account by market orders.",
    query=AccountParameters, responses={200: schemas.OrdersReply},
    errors=(*_COMMAND, OrderRefused), **_CHANGE,
)  # fmt: skip
EXIT: Final = Operation(
    method="DELETE", path="/v1/positions/{key}", name="exitPosition", tags=["accounts"],
    summary="Close one position by a market order.",
    path_parameters=PositionPath, query=PositionParameters, responses={200: schemas.OrdersReply},
    errors=(*_COMMAND, NotFound, OrderRefused), **_CHANGE,
)  # fmt: skip
HOLDINGS: Final = Operation(
    method="GET", path="/v1/holdings", name="holdings", tags=["accounts"],
    summary="Shares of an account that are delivered, or arrive on the next trading day.",
    query=AccountParameters, responses={200: schemas.Holdings}, errors=_OF_ACCOUNT, **_READ,
)  # fmt: skip
FUNDS: Final = Operation(
    method="GET", path="/v1/funds", name="funds", tags=["accounts"],
    summary="Money of an account.",
    query=AccountParameters, responses={200: schemas.Funds}, errors=_OF_ACCOUNT, **_READ,
)  # fmt: skip
ACCOUNT_LIMITS: Final = Operation(
    method="GET", path="/v1/limits", name="limits", tags=["accounts"],
    summary="The limits of the user's orders.",
    query=AccountParameters, responses={200: schemas.Limits}, errors=_OF_ACCOUNT, **_READ,
)  # fmt: skip
SET_KILL_SWITCH: Final = Operation(
    method="PUT", path="/v1/kill-switch", name="setKillSwitch", tags=["accounts"],
    summary="Stop or allow new orders of the user.",
    body=KillSwitchSetting, responses={200: schemas.KillSwitch}, errors=(*_COMMAND, *_BODY),
    **_CHANGE,
)  # fmt: skip
RESET: Final = Operation(
    method="POST", path="/v1/paper/reset", name="resetPaperAccount", tags=["accounts"],
    summary="Reset the paper account: no orders, no positions, the initial cash.",
    responses={200: schemas.Funds}, errors=_COMMAND, **_CHANGE,
)  # fmt: skip

ALL: Final = (
    PLACE, PREVIEW, ORDERS, CANCEL_ALL, EVENTS, ORDER, PREVIEW_CHANGES, MODIFY, CANCEL, TRADES,
    POSITIONS, EXIT_ALL, EXIT, HOLDINGS, FUNDS, ACCOUNT_LIMITS, SET_KILL_SWITCH, RESET,
)  # fmt: skip
