"""Random requests over the bus to trading, beside requests of a user that are right."""

from pathlib import Path
from typing import Any, Final

import msgspec

from services.trading.links.feed_token import FeedTokenReply
from shared.bus.connection import Bus
from shared.bus.requests import send_request
from shared.contracts import trading_replies as replies
from shared.contracts.order_terms import Account
from shared.contracts.subjects import FEED_TOKEN, SWITCHES_CHANGED
from shared.contracts.trading import AccountQuery, Operation, trading_subject
from shared.contracts.trading_admin import (
    AdminOperation,
    SetSwitchRequest,
    Switch,
    Switches,
    UserAdminOperation,
    admin_subject,
    user_admin_subject,
)
from shared.contracts.upstox_links import (
    LinkBeginReply,
    LinkHintReply,
    LinkOperation,
    LinkPurpose,
    LinkState,
    LinkStatusRequest,
    LinkView,
)
from shared.runtime.settings import MongoSettings
from tests.fuzz.bus_requests import Request, check_counted
from tests.fuzz.rounds import mutated_json, rounds
from tests.support.builders import KEY, OTHER_KEY
from tests.support.buses import bus_of
from tests.support.patience import PATIENCE_SECS
from tests.support.servers import NatsServer
from tests.support.trading_client import CLOCK_OF_TESTS, USER, order_request
from tests.support.upstox_trading import LinkedClient, linked_client, resting

_ROUNDS: Final = 15
_BATCH: Final = 30
_PARTITION: Final = 0
_TERMS: Final = {
    "quantity": 10, "order_type": "SL", "validity": "DAY", "price": "1400.05",
    "trigger_price": "1400.00", "disclosed_quantity": 0,
}  # fmt: skip
_ORDER: Final = _TERMS | {
    "account": "paper", "key": KEY, "side": "BUY", "product": "I",
    "market_protection_percent": "1",
}  # fmt: skip
_SWITCH: Final = {"by": "root", "is_on": True, "reason": "halted"}
_HINT: Final[dict[str, Any]] = {
    "kind": "order", "client_id": "client-1", "upstox_user_id": "SIM001", "access_token": "x.y.z",
    "order_id": "251128000000001",
}  # fmt: skip
_OF_ALL: Final = (
    Request(admin_subject(AdminOperation.SET_SWITCH), _SWITCH | {"key": OTHER_KEY}, Switch),
    Request(admin_subject(AdminOperation.SWITCHES), {}, Switches),
)


def _requests_of(user_id: str, order_id: str, account: str = "paper") -> list[Request]:
    """The requests of a user with an open order, or of an administrator about that user."""
    user = {"user_id": user_id}
    command = user | {"command_key": "c-1"}
    of_account, of_order = {"account": account}, {"order_id": order_id}
    order = command | _ORDER | of_account
    rows: list[tuple[Operation, dict[str, Any], type[msgspec.Struct]]] = [
        (Operation.PLACE, order, replies.OrderView),
        (Operation.PREVIEW, order, replies.Preview),
        (Operation.PREVIEW_CHANGES, user | _TERMS | of_order, replies.Preview),
        (Operation.MODIFY, command | _TERMS | of_order, replies.OrderView),
        (Operation.CANCEL, command | of_order, replies.OrderView),
        (Operation.CANCEL_ALL, command | of_account, replies.OrdersReply),
        (Operation.EXIT, command | of_account | {"key": KEY, "product": "I"}, replies.OrdersReply),
        (Operation.RESET, command | of_account, replies.Funds),
        (Operation.SET_KILL_SWITCH, command | {"is_on": False}, replies.KillSwitch),
        (Operation.ORDERS, user | of_account | {"open_only": True, "limit": 5}, replies.Orders),
        (Operation.ORDER, user | of_order, replies.OrderDetail),
        (Operation.TRADES, user | of_account | {"limit": 5}, replies.Trades),
        (Operation.POSITIONS, user | of_account, replies.Positions),
        (Operation.HOLDINGS, user | of_account, replies.Holdings),
        (Operation.FUNDS, user | of_account, replies.Funds),
        (Operation.LIMITS, user | of_account, replies.Limits),
        (Operation.EVENTS, user | {"after": 0, "limit": 5}, replies.Events),
    ]
    about_user: list[tuple[UserAdminOperation, dict[str, Any]]] = [
        (UserAdminOperation.SET_USER_SWITCH, user | _SWITCH | {"is_on": False}),
        (UserAdminOperation.LIFT_LOSS_LOCK, user | {"by": "root", "reason": "asked"}),
    ]
    return [
        *(Request(trading_subject(_PARTITION, name), body, kind) for name, body, kind in rows),
        *(
            Request(user_admin_subject(_PARTITION, name), body, replies.Limits)
            for name, body in about_user
        ),
    ]


def _link_requests_of(user_id: str) -> list[Request]:
    user = {"user_id": user_id}
    link = user | {"purpose": "trading"}
    login = {"state": f"{user_id}." + "x" * 43, "code": "abc123", "is_admin": False}
    rows: list[tuple[LinkOperation, dict[str, Any], type[msgspec.Struct]]] = [
        (LinkOperation.LINK_BEGIN, link, LinkBeginReply),
        (LinkOperation.LINK_FINISH, user | login, LinkView),
        (LinkOperation.LINK_STATUS, link, LinkView),
        (LinkOperation.LINK_REQUEST, link, LinkView),
        (LinkOperation.UNLINK, link, LinkView),
        (LinkOperation.LINK_HINT, user | _HINT, LinkHintReply),
    ]
    return [Request(trading_subject(_PARTITION, name), body, kind) for name, body, kind in rows]


async def _open_order(linked: LinkedClient, user_id: str) -> str:
    """The id of a new order of this user, which stays open."""
    order = order_request("c-open", user_id=user_id, **resting("1300"))
    return (await linked.client.call(Operation.PLACE, order, replies.OrderView)).order_id


async def _lift_switches(bus: Bus) -> None:
    """Lift the switches that a request may have set."""
    for key in (None, KEY):
        lift = SetSwitchRequest(by="root", is_on=False, reason="test", key=key)
        await send_request(
            bus, CLOCK_OF_TESTS, admin_subject(AdminOperation.SET_SWITCH), lift, Switch,
            timeout_secs=PATIENCE_SECS,
        )  # fmt: skip


async def _check_use(linked: LinkedClient, number: int) -> None:
    """A user still has a linked account, trades on paper, and reads it."""
    status = LinkStatusRequest(user_id=USER, purpose=LinkPurpose.TRADING)
    view = await linked.client.call(LinkOperation.LINK_STATUS, status, LinkView)
    assert view.state is LinkState.LINKED
    await linked.market.quote(1_400.0)
    user_id = f"good-{number}"
    await _open_order(linked, user_id)
    query = AccountQuery(user_id=user_id, account=Account.PAPER)
    funds = await linked.client.call(Operation.FUNDS, query, replies.Funds)
    assert funds.account is Account.PAPER


async def _feed_token(bus: Bus, data: bytes) -> FeedTokenReply:
    reply = await bus.client.request(FEED_TOKEN, data, timeout=PATIENCE_SECS)
    return msgspec.json.decode(reply.data, type=FeedTokenReply)


async def test_no_request_disturbs_trading_and_each_one_is_answered_and_counted(
    nats: NatsServer, mongo_settings: MongoSettings, tmp_path: Path
) -> None:
    async with (
        linked_client(nats, mongo_settings, tmp_path) as linked,
        bus_of(nats, "gateway") as gateway,
        bus_of(nats, "ingest") as ingest,
        bus_of(nats, "trading") as owner,
    ):
        for number, source in enumerate(rounds(_ROUNDS)):
            noise = f"noise-{number}"
            requests = [
                *_OF_ALL,
                *_requests_of(noise, await _open_order(linked, noise)),
                *_link_requests_of(noise),
                *_requests_of(USER, "o-1", "upstox"),
            ]
            await check_counted(gateway.client, source, requests, _BATCH)
            await owner.client.publish(SWITCHES_CHANGED, mutated_json(source, {"key": KEY}))
            assert await _feed_token(ingest, mutated_json(source, {})) == FeedTokenReply("")
            await _lift_switches(gateway)
            await _check_use(linked, number)
