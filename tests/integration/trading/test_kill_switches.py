"""What kill switches and the loss lock stop, and who lifts them. Real nats-server and mongod."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any, Final

import msgspec
import pytest

from services.trading import metrics
from services.trading.store.documents import COMMANDS
from services.trading.switches.switch_store import CHANGES, SWITCHES
from shared.contracts.order_terms import Account, OrderType, Side
from shared.contracts.trading import (
    AccountCommand,
    AccountQuery,
    CancelRequest,
    ExitRequest,
    Operation,
    SetKillSwitchRequest,
)
from shared.contracts.trading_admin import UserAdminOperation
from shared.contracts.trading_replies import (
    EventKind,
    KillSwitch,
    Limits,
    OrdersReply,
    OrderView,
    Preview,
    SwitchScope,
    SwitchSetter,
)
from shared.errors import Forbidden, NotFound, OrderRefused
from shared.runtime.mongo import Mongo
from shared.runtime.settings import MongoSettings
from tests.support.builders import KEY
from tests.support.patience import PATIENCE_SECS
from tests.support.servers import NatsServer
from tests.support.trading import trading
from tests.support.trading_client import (
    CLOCK_OF_TESTS,
    USER,
    TestMarket,
    TradingClient,
    order_request,
    trading_client,
)
from tests.support.trading_switches import ROOT, Administrator, is_accepted, is_refused, rule_of
from tests.support.waiting import eventually

OTHER_KEY: Final = "NSE_EQ|INE040A01034"


@pytest.fixture
async def client(
    nats: NatsServer, mongo_settings: MongoSettings, moved: TestMarket
) -> AsyncIterator[TradingClient]:
    options: dict[str, Any] = {"paper_latency_ms": 0, "max_daily_loss_rupees": "1000"}
    async with trading(nats, mongo_settings, **options), trading_client(nats) as client:
        yield client


async def limits_of(client: TradingClient) -> Limits:
    query = AccountQuery(user_id=USER, account=Account.PAPER)
    return await client.call(Operation.LIMITS, query, Limits)


async def bought(client: TradingClient, moved: TestMarket, command_key: str = "buy") -> None:
    """A position of ten shares."""
    await client.call(Operation.PLACE, order_request(command_key), OrderView)
    await moved.quote(1_400.0)
    await eventually(
        lambda: any(event.kind is EventKind.FILL for event in client.events), what="a fill"
    )


async def test_the_global_switch_stops_orders_that_open_a_position_and_nothing_else(
    client: TradingClient, moved: TestMarket, admin: Administrator
) -> None:
    await bought(client, moved)
    resting = order_request("rest", order_type=OrderType.LIMIT, price=Decimal("1300.00"))
    order = await client.call(Operation.PLACE, resting, OrderView)
    await admin.set(is_on=True, reason="exchange outage")
    await eventually(lambda: is_refused(client, "global"), what="the switch is seen")
    assert metrics.SWITCHES.labels("global")._value.get() == 1
    assert metrics.SWITCHES.labels("instrument")._value.get() == 0
    read_at_secs = metrics.SWITCHES_READ_TIMESTAMP._value.get()
    assert abs(read_at_secs - CLOCK_OF_TESTS.now_ms() / 1_000) < PATIENCE_SECS
    with pytest.raises(OrderRefused) as refusal:
        await client.call(Operation.PLACE, order_request("more"), OrderView)
    assert refusal.value.members == {"rule": "kill_switch", "value": "global"}
    assert "for all users was set by an administrator (exchange outage)" in refusal.value.detail

    cancel = CancelRequest(user_id=USER, command_key="cancel", order_id=order.order_id)
    assert (await client.call(Operation.CANCEL, cancel, OrderView)).state == "cancelled"
    sale = order_request("sell", side=Side.SELL, quantity=4)
    assert (await client.call(Operation.PLACE, sale, OrderView)).state == "open"
    everything = AccountCommand(user_id=USER, command_key="all", account=Account.PAPER)
    await client.call(Operation.CANCEL_ALL, everything, OrdersReply)
    leave = ExitRequest(user_id=USER, command_key="exit", account=Account.PAPER)
    (leaving,) = (await client.call(Operation.EXIT, leave, OrdersReply)).orders
    assert leaving.side is Side.SELL

    (switch,) = (await limits_of(client)).switches
    assert (switch.scope, switch.set_by) == (SwitchScope.GLOBAL, SwitchSetter.ADMINISTRATOR)
    await admin.set(is_on=False, reason="over")
    await eventually(lambda: is_accepted(client), what="the switch is lifted")


async def test_the_switch_of_an_instrument_stops_orders_in_it_only(
    client: TradingClient, admin: Administrator
) -> None:
    await admin.set(is_on=True, key=OTHER_KEY)
    await eventually(lambda: seen(client, OTHER_KEY), what="the switch is seen")
    assert await is_accepted(client)
    await admin.set(is_on=True, key=KEY, reason="halted")
    await eventually(lambda: is_refused(client, "instrument"), what="the switch is seen")
    _, _, detail = await rule_of(client)
    assert f"the kill switch for {KEY} was set by an administrator (halted)" in detail


async def seen(client: TradingClient, key: str) -> bool:
    return key in {switch.key for switch in (await limits_of(client)).switches}


async def test_each_change_of_a_switch_is_audited_and_the_switch_names_its_last_change(
    client: TradingClient, admin: Administrator, mongo: Mongo
) -> None:
    for is_on, reason in ((True, "first"), (True, "second"), (False, "third"), (True, "fourth")):
        await admin.set(is_on=is_on, reason=reason)
    await admin.set(is_on=True, key=KEY)
    found = await admin.switches()
    assert [(each.scope, each.reason, each.by, each.key) for each in found] == [
        (SwitchScope.GLOBAL, "fourth", ROOT, None),
        (SwitchScope.INSTRUMENT, "outage", ROOT, KEY),
    ]
    changes = [each async for each in mongo.db[CHANGES].find({"scope": "global"}).sort("_id")]
    assert [(each["is_on"], each["reason"], each["by"]) for each in changes] == [
        (True, "first", ROOT), (True, "second", ROOT), (False, "third", ROOT),
        (True, "fourth", ROOT),
    ]  # fmt: skip
    document = await mongo.db[SWITCHES].find_one({"_id": "global"})
    assert document is not None
    assert document["change"] == changes[-1]["_id"]


async def test_a_user_lifts_only_what_the_user_has_set(
    client: TradingClient, admin: Administrator, mongo: Mongo
) -> None:
    limits = await admin.set_user(is_on=True)
    assert [(each.set_by, each.reason) for each in limits.switches] == [
        (SwitchSetter.ADMINISTRATOR, "under review")
    ]
    assert not limits.kill_switch
    await client.has_events(1)
    (event,) = client.events
    assert (event.kind, event.limits) == (EventKind.LIMITS, limits)
    for number, is_on in enumerate((True, False)):
        own = SetKillSwitchRequest(user_id=USER, command_key=f"own-{number}", is_on=is_on)
        await client.call(Operation.SET_KILL_SWITCH, own, KillSwitch)
    assert await is_refused(client, "user")
    with pytest.raises(OrderRefused) as refusal:
        await client.call(Operation.PLACE, order_request("a"), OrderView)
    assert "for your account was set by an administrator (under review)" in refusal.value.detail
    limits = await admin.set_user(is_on=False, reason="reviewed")
    assert limits.switches == []
    assert await is_accepted(client)
    commands = mongo.db[COMMANDS].find({"operation": UserAdminOperation.SET_USER_SWITCH.value})
    audited = [msgspec.json.decode(each["request"]) async for each in commands.sort("stored_at")]
    assert [(each["is_on"], each["by"], each["reason"]) for each in audited] == [
        (True, ROOT, "under review"), (False, ROOT, "reviewed"),
    ]  # fmt: skip


async def test_a_loss_locks_at_the_next_order_and_an_administrator_lifts_the_lock_once_a_day(
    client: TradingClient, moved: TestMarket, admin: Administrator
) -> None:
    await bought(client, moved)
    with pytest.raises(NotFound):
        await admin.lift_loss_lock()
    await moved.quote(1_250.0)
    await eventually(lambda: has_lost(client), what="the loss is seen")
    with pytest.raises(OrderRefused) as refusal:
        await client.call(Operation.PLACE, order_request("a"), OrderView)
    assert refusal.value.members["rule"] == "loss_lock"
    await moved.quote(1_500.0)
    await eventually(lambda: recovered(client), what="the prices have recovered")
    assert (await limits_of(client)).loss_lock
    assert not (await rule_of(client, "loss_lock"))[0]
    locks = [each for each in client.events if each.kind is EventKind.LIMITS]
    assert [each.limits is not None and each.limits.loss_lock for each in locks] == [True]

    assert not (await admin.lift_loss_lock()).loss_lock
    assert (await rule_of(client, "loss_lock"))[0]
    await moved.quote(1_250.0)
    await eventually(lambda: has_lost(client), what="the loss is seen")
    with pytest.raises(Forbidden):
        await admin.lift_loss_lock()


async def has_lost(client: TradingClient) -> bool:
    return (await limits_of(client)).loss_lock


async def recovered(client: TradingClient) -> bool:
    """Whether the LTP of the preview is the higher one."""
    preview = await client.call(Operation.PREVIEW, order_request("preview"), Preview)
    return preview.value == 15_000
