"""Operations of administrators on trading over HTTP and NATS; refused to every other user."""

import json
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from services.gateway.rest.trading_admin import operations
from shared.contracts import trading as contract
from shared.contracts.order_terms import Account
from shared.contracts.roles import ADMIN_ROLE
from shared.contracts.trading import Operation, partition_of
from shared.contracts.trading_admin import (
    AdminOperation,
    LiftLossLockRequest,
    SetSwitchRequest,
    SetUserSwitchRequest,
    SwitchesQuery,
    UserAdminOperation,
    admin_subject,
    user_admin_subject,
)
from shared.errors import Forbidden, NotFound, Unavailable
from tests.support.builders import KEY
from tests.support.gateway.fake_trading import LIMITS, REPLIES, FakeTrading, answering_trading
from tests.support.gateway.fake_trading_admin import (
    SWITCH,
    SWITCHES,
    FakeTradingAdmin,
    answering_trading_admin,
)
from tests.support.gateway.in_process import InProcessGateway, running_gateway
from tests.support.gateway.rest import send
from tests.support.gateway.trading_rest import ENCODED_KEY
from tests.support.http import Reply
from tests.support.servers import NatsServer

ROOT, OTHER = "root", "user-2"
ON = {"is_on": True, "reason": "halted"}
PARTITIONS = 3
PARTITION = partition_of(OTHER, PARTITIONS)
SET_SWITCH = admin_subject(AdminOperation.SET_SWITCH)
SET_USER_SWITCH = user_admin_subject(PARTITION, UserAdminOperation.SET_USER_SWITCH)
LIFT_LOSS_LOCK = user_admin_subject(PARTITION, UserAdminOperation.LIFT_LOSS_LOCK)

BRAKES: list[tuple[str, str, Any, str, msgspec.Struct, msgspec.Struct]] = [
    ("GET", "/v1/admin/kill-switch", None,
     admin_subject(AdminOperation.SWITCHES), SwitchesQuery(), SWITCHES),
    ("PUT", "/v1/admin/kill-switch/global", ON,
     SET_SWITCH, SetSwitchRequest(by=ROOT, is_on=True, reason="halted"), SWITCH),
    ("PUT", f"/v1/admin/kill-switch/instruments/{ENCODED_KEY}", ON | {"is_on": False},
     SET_SWITCH, SetSwitchRequest(by=ROOT, is_on=False, reason="halted", key=KEY), SWITCH),
    ("PUT", f"/v1/admin/kill-switch/users/{OTHER}", ON, SET_USER_SWITCH,
     SetUserSwitchRequest(user_id=OTHER, by=ROOT, is_on=True, reason="halted"), LIMITS),
    ("POST", f"/v1/admin/users/{OTHER}/loss-lock/lift", {"reason": "wrong price"}, LIFT_LOSS_LOCK,
     LiftLossLockRequest(user_id=OTHER, by=ROOT, reason="wrong price"), LIMITS),
]  # fmt: skip
"""Method, path, body, the subject and the request that trading gets, and its answer."""
READS: list[tuple[str, dict[str, Any], Operation, msgspec.Struct]] = [
    (f"/v1/admin/users/{OTHER}/limits", {"account": "paper"}, Operation.LIMITS,
     contract.AccountQuery(user_id=OTHER, account=Account.PAPER)),
    (f"/v1/admin/users/{OTHER}/orders", {"account": "paper", "open_only": "true"},
     Operation.ORDERS,
     contract.OrdersQuery(user_id=OTHER, account=Account.PAPER, open_only=True)),
    (f"/v1/admin/users/{OTHER}/events", {"after": 6}, Operation.EVENTS,
     contract.EventsQuery(user_id=OTHER, after=6)),
]  # fmt: skip


class Admins:
    """A gateway with a trading service behind it."""

    def __init__(
        self, gateway: InProcessGateway, trading: FakeTrading, admin: FakeTradingAdmin
    ) -> None:
        self.gateway = gateway
        self.trading = trading
        self.admin = admin

    async def send(
        self, method: str, path: str, body: Any = None, *, roles: Any = (ADMIN_ROLE,), **query: Any
    ) -> Reply:
        token = self.gateway.issuer.token(sub=ROOT, roles=list(roles))
        raw = None if body is None else json.dumps(body)
        return await send(self.gateway, method, path, token=token, body=raw, **query)


@pytest.fixture
async def admins(nats: NatsServer) -> AsyncIterator[Admins]:
    async with (
        answering_trading(nats, partitions=PARTITIONS) as trading,
        answering_trading_admin(nats, partitions=PARTITIONS) as admin,
        running_gateway(nats, trading_partitions=PARTITIONS) as gateway,
    ):
        yield Admins(gateway, trading, admin)


async def test_each_brake_reaches_trading_with_the_administrator_of_the_token(
    admins: Admins,
) -> None:
    for method, path, body, subject, request, answer in BRAKES:
        reply = await admins.send(method, path, body)
        assert reply.status == 200, reply.text
        assert admins.admin.requests[-1] == (subject, request)
        assert reply.text == msgspec.json.encode(answer).decode()
        assert reply.headers["Cache-Control"] == "no-store"
    assert admins.trading.requests == []


async def test_an_administrator_reads_the_limits_orders_and_events_of_a_user(
    admins: Admins,
) -> None:
    for path, query, operation, request in READS:
        reply = await admins.send("GET", path, **query)
        assert reply.status == 200, reply.text
        assert admins.trading.requests[-1] == (PARTITION, operation, request)
        assert reply.text == msgspec.json.encode(REPLIES[operation]).decode()
    assert admins.admin.requests == []


@pytest.mark.parametrize("roles", [[], ["user"], ["ADMIN"]])
async def test_every_operation_is_refused_to_users_without_the_role(
    admins: Admins, roles: list[str]
) -> None:
    requests = [(method, path, body) for method, path, body, *_ in BRAKES]
    requests += [("GET", path, None) for path, *_ in READS]
    assert len(requests) == len(operations.ALL)
    for method, path, body in requests:
        reply = await admins.send(method, path, body, roles=roles, account="paper")
        assert (reply.status, reply.body["code"]) == (403, "forbidden"), path
    assert admins.trading.requests == []
    assert admins.admin.requests == []


async def test_an_administrator_cannot_place_change_or_cancel_the_order_of_a_user(
    admins: Admins,
) -> None:
    assert {operation.method for operation in operations.ALL} == {"GET", "PUT", "POST"}
    for method, path in (
        ("POST", f"/v1/admin/users/{OTHER}/orders"),
        ("DELETE", f"/v1/admin/users/{OTHER}/orders"),
        ("PATCH", f"/v1/admin/users/{OTHER}/orders/o-1"),
        ("DELETE", f"/v1/admin/users/{OTHER}/positions"),
    ):
        reply = await admins.send(method, path, {})
        assert reply.status in (404, 405), path
    reply = await admins.send("GET", "/v1/orders", account="paper", user_id=OTHER)
    assert (reply.status, reply.body["field"]) == (422, "user_id")
    assert admins.trading.requests == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"is_on": True}, "reason"),
        ({"is_on": True, "reason": ""}, "reason"),
        ({"is_on": True, "reason": "   "}, "reason"),
        ({"is_on": True, "reason": "x" * 201}, "reason"),
        ({"is_on": "true", "reason": "x"}, "is_on"),
        ({"is_on": True, "reason": "x", "by": "user-1"}, "by"),
    ],
)
async def test_a_change_without_a_reason_is_refused(
    admins: Admins, body: dict[str, Any], field: str
) -> None:
    for path in ("global", f"instruments/{ENCODED_KEY}", f"users/{OTHER}"):
        reply = await admins.send("PUT", f"/v1/admin/kill-switch/{path}", body)
        assert (reply.status, reply.body["field"]) == (422, field)
    reply = await admins.send("PUT", "/v1/admin/kill-switch/instruments/nonsense", ON)
    assert (reply.status, reply.body["field"]) == (422, "key")
    assert admins.admin.requests == []


async def test_an_error_of_trading_is_relayed(admins: Admins) -> None:
    lift = f"/v1/admin/users/{OTHER}/loss-lock/lift"
    for error, status in ((NotFound("not on"), 404), (Forbidden("lifted already"), 403),
                          (Unavailable("the database does not answer"), 503)):  # fmt: skip
        admins.admin.error = error
        reply = await admins.send("POST", lift, {"reason": "x"})
        assert (reply.status, reply.body["detail"]) == (status, error.detail)


async def test_without_an_answer_the_outcome_is_not_known(nats: NatsServer) -> None:
    async with running_gateway(nats, order_timeout_secs=0.2) as gateway:
        token = gateway.issuer.token(roles=[ADMIN_ROLE])
        body = json.dumps(ON)
        reply = await send(gateway, "PUT", "/v1/admin/kill-switch/global", token=token, body=body)
        assert reply.status in (503, 504)
        assert "whether it was done is not known" in reply.body["detail"]
