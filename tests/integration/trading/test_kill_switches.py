"""Kill switches stop new orders at every owner, and fail closed. Real nats-server and mongod."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal
from functools import partial
from typing import Any, Final, TypeVar

import msgspec
import pytest

from services.trading import metrics
from services.trading.app import MakeWork, Process, partition_work
from services.trading.partition_owner import OwnerReadiness, PartitionWork
from services.trading.store.documents import COMMANDS
from services.trading.switches.switch_store import CHANGES, SWITCHES, SwitchStore
from shared.bus.lease import Term
from shared.bus.requests import send_request
from shared.contracts.order_terms import Account, OrderType, Side
from shared.contracts.trading import (
    AccountCommand,
    AccountQuery,
    CancelRequest,
    ExitRequest,
    Operation,
    SetKillSwitchRequest,
    partition_of,
    trading_subject,
)
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
from shared.errors import Forbidden, NotFound, OrderRefused, Unavailable
from shared.runtime.mongo import Mongo
from shared.runtime.settings import MongoSettings
from tests.support.builders import KEY
from tests.support.buses import bus_of
from tests.support.patience import PATIENCE_SECS
from tests.support.servers import MongoServer, NatsServer
from tests.support.settings import mongo_settings as settings_of
from tests.support.trading import trading
from tests.support.trading_client import (
    CLOCK_OF_TESTS,
    USER,
    TestMarket,
    TradingClient,
    market,
    order_request,
    trading_client,
)
from tests.support.waiting import eventually

ROOT: Final = "root"
OTHER_KEY: Final = "NSE_EQ|INE040A01034"
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


@pytest.fixture
def admin(nats: NatsServer) -> Administrator:
    return Administrator(nats)


@pytest.fixture
async def moved(nats: NatsServer) -> AsyncIterator[TestMarket]:
    async with market(nats) as made:
        yield made


@pytest.fixture
async def client(
    nats: NatsServer, mongo_settings: MongoSettings, moved: TestMarket
) -> AsyncIterator[TradingClient]:
    options: dict[str, Any] = {"paper_latency_ms": 0, "max_daily_loss_rupees": "1000"}
    async with trading(nats, mongo_settings, **options), trading_client(nats) as client:
        yield client


async def rule_of(client: TradingClient, rule: str = "kill_switch") -> tuple[bool, str | None, str]:
    """Whether a preview of an order that opens a position passes a rule, the value and detail."""
    preview = await client.call(Operation.PREVIEW, order_request("preview"), Preview)
    (result,) = [each for each in preview.rules if each.rule == rule]
    return result.passed, result.value, result.detail


async def is_refused(client: TradingClient, scope: str) -> bool:
    return (await rule_of(client))[:2] == (False, scope)


async def is_accepted(client: TradingClient) -> bool:
    return (await rule_of(client))[0]


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
    read_at_secs = metrics.SWITCHES_READ_TIME._value.get()
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


class _NotMine:
    """The work of a partition that another process must own."""

    async def run(self, term: Term) -> None:
        raise Unavailable("another process must own this partition")

    async def left(self) -> None:
        """Nothing was served."""


def only(number: int) -> MakeWork:
    """A process that keeps one partition only."""

    def make(process: Process, partition: int, readiness: OwnerReadiness) -> PartitionWork:
        return partition_work(process, partition, readiness) if partition == number else _NotMine()

    return make


USERS: Final = tuple(
    next(f"user-{n}" for n in range(100) if partition_of(f"user-{n}", 2) == partition)
    for partition in range(2)
)


class OwnedClient:
    """Previews orders of a user of one partition of two."""

    def __init__(self, nats: NatsServer, partition: int) -> None:
        self._nats = nats
        self._partition = partition

    async def scope(self, timeout_secs: float = PATIENCE_SECS) -> str | None:
        """The scope of the switch that stops an order; `off` without one."""
        async with bus_of(self._nats, "gateway") as bus:
            request = order_request("preview", user_id=USERS[self._partition])
            subject = trading_subject(self._partition, Operation.PREVIEW)
            preview = await send_request(
                bus, CLOCK_OF_TESTS, subject, request, Preview, timeout_secs=timeout_secs
            )
        return next(each.value for each in preview.rules if each.rule == "kill_switch")

    async def is_served(self) -> bool:
        try:
            return await self.scope(timeout_secs=1.0) == "off"
        except Unavailable:
            return False


@asynccontextmanager
async def two_owners(
    nats: NatsServer, mongo_settings: MongoSettings
) -> AsyncIterator[list[OwnedClient]]:
    """Two services with a partition each."""
    async with AsyncExitStack() as stack:
        for number in range(2):
            await stack.enter_async_context(
                trading(nats, mongo_settings, make_work=only(number), partitions=2)
            )
        clients = [OwnedClient(nats, number) for number in range(2)]
        for client in clients:
            await eventually(client.is_served, what="the partition is served")
        yield clients


@pytest.mark.usefixtures("moved")
async def test_all_owners_see_a_switch_and_that_it_is_lifted(
    nats: NatsServer, mongo_settings: MongoSettings, admin: Administrator
) -> None:
    async with two_owners(nats, mongo_settings) as clients:
        for is_on, scope in ((True, "global"), (False, "off")):
            await admin.set(is_on=is_on)
            for client in clients:
                await eventually(partial(has_scope, client, scope), what=scope)


async def has_scope(client: OwnedClient, scope: str) -> bool:
    return await client.scope() == scope


@pytest.mark.usefixtures("moved")
async def test_owners_that_are_told_nothing_see_a_switch_in_the_database(
    nats: NatsServer, mongo_settings: MongoSettings, mongo: Mongo
) -> None:
    async with two_owners(nats, mongo_settings) as clients:
        switch = Switch(scope=SwitchScope.GLOBAL, is_on=True, by=ROOT, reason="by hand", at=1)
        await SwitchStore(mongo).set(switch)
        for client in clients:
            await eventually(partial(has_scope, client, "global"), what="seen")


@pytest.mark.seconds
@pytest.mark.usefixtures("moved")
async def test_two_owners_see_a_switch_within_two_seconds(
    nats: NatsServer, mongo_settings: MongoSettings, admin: Administrator
) -> None:
    async with two_owners(nats, mongo_settings) as clients:
        await admin.set(is_on=True)
        started_at = CLOCK_OF_TESTS.monotonic()
        for client in clients:
            await eventually(partial(has_scope, client, "global"), what="seen")
        assert CLOCK_OF_TESTS.monotonic() - started_at < 2.0


async def test_while_the_database_is_away_new_orders_are_refused_after_five_seconds(
    nats: NatsServer, own_mongod: MongoServer, moved: TestMarket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.trading.risk.switch_board.MAX_AGE_SECS", 5.0)
    monkeypatch.setattr("services.trading.switches.switch_reader._TIMEOUT_SECS", 2.0)
    # A checkpoint that cannot be stored would end the term.
    monkeypatch.setattr("services.trading.partition.market._CHECKPOINT_SECS", float("inf"))
    own_settings = settings_of(own_mongod.url, "switches", has_outages=True)
    async with trading(nats, own_settings, paper_latency_ms=0), trading_client(nats) as client:
        assert await is_accepted(client)
        own_mongod.kill()
        assert await is_accepted(client), "the last read is recent"
        await eventually(lambda: is_refused(client, "unknown"), what="refused")
        _, _, detail = await rule_of(client)
        assert "could not be read for 5 s" in detail
        await asyncio.to_thread(own_mongod.start)
        await eventually(lambda: is_accepted(client), what="accepted again")
